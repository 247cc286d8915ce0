/* Metrics as text for whoever collects them: Prometheus' text format 0.0.4, OpenMetrics 1.0, and
 * JSON. All three are written from the same definitions and values, so that none lacks a metric.
 *
 *     ratings_exposition_t *page = ratings_exposition_begin(RATINGS_EXPOSITION_TEXT);
 *     ratings_exposition_metric(page, &definition);
 *     ratings_exposition_value(page, (const char *[]){"talks"}, 7);
 *     text = ratings_exposition_end(page, &length);
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 *
 * One thread at a time has a page; different pages are independent. */
#ifndef RATINGS_CORE_EXPOSITION_H
#define RATINGS_CORE_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    RATINGS_EXPOSITION_TEXT,
    RATINGS_EXPOSITION_OPENMETRICS,
    RATINGS_EXPOSITION_JSON,
    RATINGS_EXPOSITIONS
} ratings_exposition_format_e;

/* The media type of a format, in lower case and without parameters; and the field Content-Type. */
const char *ratings_exposition_type(ratings_exposition_format_e format);
const char *ratings_exposition_content_type(ratings_exposition_format_e format);

typedef enum {
    RATINGS_METRIC_COUNTER, /* never goes down; its name is written with _total */
    RATINGS_METRIC_GAUGE,
    RATINGS_METRIC_HISTOGRAM,
    RATINGS_METRIC_INFO /* labels are what it says, the value is 1; its name is written with _info
                         */
} ratings_metric_type_e;

#define RATINGS_METRIC_LABELS_MAX 3

/* A metric. Texts are static; names are as the formats demand them: [a-z_]+. */
typedef struct {
    const char *name; /* without _total and _info */
    ratings_metric_type_e type;
    const char *unit; /* with which the name ends; NULL: none */
    bool is_micro;    /* values, and bounds, are millionths of the unit */
    const char *help; /* a sentence without its full stop */
    const char *labels[RATINGS_METRIC_LABELS_MAX]; /* their names; those beyond the last are NULL */
    const int64_t *bounds; /* of a histogram: the highest value of each bucket but the last */
    int bound_count;
} ratings_metric_t;

typedef struct ratings_exposition_t ratings_exposition_t;

/* An empty page; NULL: no memory. Each page is ended once. */
ratings_exposition_t *ratings_exposition_begin(ratings_exposition_format_e format);

/* Begins the next metric, which must outlive the page. All its values follow. */
void ratings_exposition_metric(ratings_exposition_t *page, const ratings_metric_t *metric);

/* A value of the metric, under one value of each of its labels, any UTF-8. Not for a histogram. */
void ratings_exposition_value(ratings_exposition_t *page, const char *const *labels, int64_t value);

/* The same of a histogram: bound_count + 1 buckets, each with how many values were in it and in no
 * lower one; and the sum of the values. */
void ratings_exposition_histogram(ratings_exposition_t *page, const char *const *labels,
                                  const uint64_t *buckets, uint64_t sum);

/* Ends and frees the page. Its text is malloc()ed, of `*length` bytes and a terminator, and the
 * caller's; NULL: memory ran out. */
char *ratings_exposition_end(ratings_exposition_t *page, size_t *length);

#endif
