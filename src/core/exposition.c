#include "exposition.h"

#include "assertion.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MICRO 1000000

struct ratings_exposition_t {
    FILE *out; /* to `text` */
    char *text;
    size_t length;
    ratings_exposition_format_e format;
    const ratings_metric_t *metric; /* whose values are being written; NULL: none was begun */
    bool has_values;                /* it has some already */
};

static const struct {
    const char *type, *parameters;
} media_types[RATINGS_EXPOSITIONS] = {
    [RATINGS_EXPOSITION_TEXT] = {"text/plain", "text/plain; version=0.0.4; charset=utf-8"},
    [RATINGS_EXPOSITION_OPENMETRICS] = {"application/openmetrics-text",
                                        "application/openmetrics-text; version=1.0.0; "
                                        "charset=utf-8"},
    [RATINGS_EXPOSITION_JSON] = {"application/json", "application/json"},
};

const char *ratings_exposition_type(ratings_exposition_format_e format)
{
    return media_types[format].type;
}

const char *ratings_exposition_content_type(ratings_exposition_format_e format)
{
    return media_types[format].parameters;
}

/* ---- words ---- */

static bool is_json(const ratings_exposition_t *page)
{
    return page->format == RATINGS_EXPOSITION_JSON;
}

static bool is_openmetrics(const ratings_exposition_t *page)
{
    return page->format == RATINGS_EXPOSITION_OPENMETRICS;
}

/* What the name of a value has, and that of the metric has in OpenMetrics not. */
static const char *suffix_of(const ratings_metric_t *metric)
{
    switch (metric->type) {
    case RATINGS_METRIC_COUNTER:
        return "_total";
    case RATINGS_METRIC_INFO:
        return "_info";
    case RATINGS_METRIC_GAUGE:
    case RATINGS_METRIC_HISTOGRAM:
        break;
    }
    return "";
}

/* The text format knows no metric that only informs. */
static const char *type_word(const ratings_exposition_t *page)
{
    switch (page->metric->type) {
    case RATINGS_METRIC_COUNTER:
        return "counter";
    case RATINGS_METRIC_HISTOGRAM:
        return "histogram";
    case RATINGS_METRIC_INFO:
        return page->format == RATINGS_EXPOSITION_TEXT ? "gauge" : "info";
    case RATINGS_METRIC_GAUGE:
        break;
    }
    return "gauge";
}

/* What has to be escaped is the same in a label's value and in JSON, but for control characters,
 * which JSON does not allow; the text format does not escape quotes in a HELP line. */
static void write_escaped_text(const ratings_exposition_t *page, const char *text,
                               bool escapes_quotes)
{
    for (; *text; text++) {
        if (*text == '\\' || (*text == '"' && escapes_quotes))
            (void)fprintf(page->out, "\\%c", *text);
        else if (*text == '\n')
            (void)fputs("\\n", page->out);
        else if (is_json(page) && (unsigned char)*text < ' ')
            (void)fprintf(page->out, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            (void)fputc(*text, page->out);
    }
}

static void write_string(const ratings_exposition_t *page, const char *text)
{
    (void)fputc('"', page->out);
    write_escaped_text(page, text, true);
    (void)fputc('"', page->out);
}

/* `as_float`: a whole number has a decimal point, as OpenMetrics has the bounds of buckets. */
static void write_number(const ratings_exposition_t *page, int64_t value, bool as_float)
{
    int64_t unit = page->metric->is_micro ? MICRO : 1, rest = value % unit;
    (void)fprintf(page->out, "%s%" PRId64, value < 0 && value > -unit ? "-" : "", value / unit);
    if (rest == 0) {
        (void)fputs(as_float ? ".0" : "", page->out);
        return;
    }
    int digits = 6;
    for (rest = rest < 0 ? -rest : rest; rest % 10 == 0; rest /= 10)
        digits--;
    (void)fprintf(page->out, ".%0*" PRId64, digits, rest);
}

/* ---- a metric begins ---- */

static void describe(const ratings_exposition_t *page)
{
    const ratings_metric_t *metric = page->metric;
    const char *suffix = is_openmetrics(page) ? "" : suffix_of(metric);
    (void)fprintf(page->out, "# HELP %s%s ", metric->name, suffix);
    write_escaped_text(page, metric->help, is_openmetrics(page));
    (void)fprintf(page->out, "\n# TYPE %s%s %s\n", metric->name, suffix, type_word(page));
    if (is_openmetrics(page) && metric->unit)
        (void)fprintf(page->out, "# UNIT %s %s\n", metric->name, metric->unit);
}

static void describe_as_json(const ratings_exposition_t *page, bool is_first)
{
    const ratings_metric_t *metric = page->metric;
    (void)fprintf(page->out, "%s{\"name\":\"%s%s\",\"type\":\"%s\",", is_first ? "" : ",",
                  metric->name, suffix_of(metric), type_word(page));
    if (metric->unit)
        (void)fprintf(page->out, "\"unit\":\"%s\",", metric->unit);
    (void)fputs("\"help\":", page->out);
    write_string(page, metric->help);
    (void)fputs(",\"values\":[", page->out);
}

static void end_metric(const ratings_exposition_t *page)
{
    if (page->metric && is_json(page))
        (void)fputs("]}", page->out);
}

void ratings_exposition_metric(ratings_exposition_t *page, const ratings_metric_t *metric)
{
    bool is_first = page->metric == NULL;
    end_metric(page);
    page->metric = metric;
    page->has_values = false;
    if (is_json(page))
        describe_as_json(page, is_first);
    else
        describe(page);
}

/* ---- its values ---- */

/* Returns how many there were. */
static int write_labels(const ratings_exposition_t *page, const char *const *labels)
{
    int i = 0;
    for (; i < RATINGS_METRIC_LABELS_MAX && page->metric->labels[i]; i++) {
        if (is_json(page))
            (void)fprintf(page->out, "%s\"%s\":", i > 0 ? "," : "", page->metric->labels[i]);
        else
            (void)fprintf(page->out, "%c%s=", i > 0 ? ',' : '{', page->metric->labels[i]);
        write_string(page, labels[i]);
    }
    return i;
}

static void begin_json_value(ratings_exposition_t *page, const char *const *labels)
{
    (void)fputs(page->has_values ? ",{\"labels\":{" : "{\"labels\":{", page->out);
    (void)write_labels(page, labels);
    (void)fputc('}', page->out);
    page->has_values = true;
}

static void begin_line(const ratings_exposition_t *page, const char *suffix,
                       const char *const *labels)
{
    (void)fprintf(page->out, "%s%s", page->metric->name, suffix);
    (void)fputs(write_labels(page, labels) > 0 ? "} " : " ", page->out);
}

static void end_value(const ratings_exposition_t *page, int64_t value)
{
    write_number(page, value, false);
    (void)fputs(is_json(page) ? "}" : "\n", page->out);
}

void ratings_exposition_value(ratings_exposition_t *page, const char *const *labels, int64_t value)
{
    RATINGS_ASSERT(page->metric && page->metric->type != RATINGS_METRIC_HISTOGRAM);
    if (is_json(page)) {
        begin_json_value(page, labels);
        (void)fputs(",\"value\":", page->out);
    } else {
        begin_line(page, suffix_of(page->metric), labels);
    }
    end_value(page, value);
}

/* ---- histograms, whose buckets are written each with all lower ones ---- */

static uint64_t count_of(const ratings_exposition_t *page, const uint64_t *buckets)
{
    uint64_t count = 0;
    for (int i = 0; i <= page->metric->bound_count; i++)
        count += buckets[i];
    return count;
}

/* The last bucket is `count`. */
static void write_json_histogram(ratings_exposition_t *page, const char *const *labels,
                                 const uint64_t *buckets, uint64_t sum)
{
    const ratings_metric_t *metric = page->metric;
    uint64_t count = 0;
    begin_json_value(page, labels);
    (void)fprintf(page->out, ",\"count\":%" PRIu64 ",\"buckets\":[", count_of(page, buckets));
    for (int i = 0; i < metric->bound_count; i++) {
        (void)fputs(i > 0 ? ",{\"le\":" : "{\"le\":", page->out);
        write_number(page, metric->bounds[i], false);
        (void)fprintf(page->out, ",\"count\":%" PRIu64 "}", count += buckets[i]);
    }
    (void)fputs("],\"sum\":", page->out);
    end_value(page, (int64_t)sum);
}

static void write_bucket(const ratings_exposition_t *page, const char *const *labels, int i,
                         uint64_t count)
{
    const ratings_metric_t *metric = page->metric;
    (void)fprintf(page->out, "%s_bucket", metric->name);
    (void)fputs(write_labels(page, labels) > 0 ? ",le=\"" : "{le=\"", page->out);
    if (i < metric->bound_count)
        write_number(page, metric->bounds[i], is_openmetrics(page));
    else
        (void)fputs("+Inf", page->out);
    (void)fprintf(page->out, "\"} %" PRIu64 "\n", count);
}

void ratings_exposition_histogram(ratings_exposition_t *page, const char *const *labels,
                                  const uint64_t *buckets, uint64_t sum)
{
    uint64_t count = 0;
    RATINGS_ASSERT(page->metric && page->metric->type == RATINGS_METRIC_HISTOGRAM);
    if (is_json(page)) {
        write_json_histogram(page, labels, buckets, sum);
        return;
    }
    for (int i = 0; i <= page->metric->bound_count; i++)
        write_bucket(page, labels, i, count += buckets[i]);
    begin_line(page, "_sum", labels);
    end_value(page, (int64_t)sum);
    begin_line(page, "_count", labels);
    (void)fprintf(page->out, "%" PRIu64 "\n", count);
}

/* ---- the page ---- */

ratings_exposition_t *ratings_exposition_begin(ratings_exposition_format_e format)
{
    ratings_exposition_t *page = calloc(1, sizeof *page);
    if (!page)
        return NULL;
    page->format = format;
    page->out = open_memstream(&page->text, &page->length);
    if (!page->out) {
        free(page);
        return NULL;
    }
    (void)fputs(is_json(page) ? "{\"metrics\":[" : "", page->out);
    return page;
}

char *ratings_exposition_end(ratings_exposition_t *page, size_t *length)
{
    end_metric(page);
    if (is_json(page))
        (void)fputs("]}", page->out);
    else if (is_openmetrics(page))
        (void)fputs("# EOF\n", page->out);
    bool is_whole = !ferror(page->out);
    is_whole = fclose(page->out) == 0 && is_whole;
    char *text = page->text;
    *length = page->length;
    free(page);
    if (!is_whole) {
        free(text);
        text = NULL;
    }
    return text;
}
