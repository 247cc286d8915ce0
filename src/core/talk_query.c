#include "talk_query.h"

#include "form.h"
#include "number.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

/* ---- the cursor ---- */

static const char order_letters[] = {
    [RATINGS_TALKS_BY_TITLE] = 't', [RATINGS_TALKS_BY_START] = 's', [RATINGS_TALKS_BY_SCORE] = 'r'};

void ratings_talk_cursor_print(const ratings_talk_cursor_t *cursor, ratings_talk_order_e order,
                               char text[RATINGS_CURSOR_TEXT_SIZE])
{
    char bytes[RATINGS_CURSOR_BYTES + 1];
    int length = snprintf(bytes, sizeof bytes, "%c%lld:%zu:%s%s", order_letters[order],
                          (long long)cursor->rank, strlen(cursor->title_key), cursor->title_key,
                          cursor->talk_id);

    ratings_hex_write((const unsigned char *)bytes, (size_t)length, text);
}

/* The number up to the next colon, which is then at the head of what is left. */
static bool cursor_number(const char **text, const char *end, int64_t min, int64_t max,
                          int64_t *out)
{
    const char *colon = memchr(*text, ':', (size_t)(end - *text));
    bool is_number = colon && ratings_parse_int(*text, (size_t)(colon - *text), min, max, out);

    if (is_number)
        *text = colon + 1;
    return is_number;
}

static bool cursor_text(const char *text, const char *end, size_t max, char *out)
{
    size_t len = (size_t)(end - text);

    if (len > max || (len > 0 && memchr(text, '\0', len)))
        return false;
    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static bool read_cursor_bytes(const char *text, const char *end, ratings_talk_cursor_t *cursor)
{
    int64_t key_length;

    return cursor_number(&text, end, INT64_MIN, INT64_MAX, &cursor->rank) &&
           cursor_number(&text, end, 0, end - text, &key_length) && key_length <= end - text &&
           cursor_text(text, text + key_length, RATINGS_ORDER_KEY_MAX, cursor->title_key) &&
           cursor_text(text + key_length, end, RATINGS_TALK_ID_MAX, cursor->talk_id);
}

static bool hex_to_bytes(const char *hex, size_t len, char *bytes)
{
    for (size_t i = 0; i < len / 2; i++) {
        int high = ratings_hex_digit(hex[2 * i]), low = ratings_hex_digit(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (char)(16 * high + low);
    }
    return len % 2 == 0;
}

static bool cursor_from_text(const char *text, size_t len, ratings_talk_order_e order,
                             ratings_talk_cursor_t *cursor)
{
    char bytes[RATINGS_CURSOR_BYTES] = "";

    return len >= 2 && len <= 2 * sizeof bytes && hex_to_bytes(text, len, bytes) &&
           bytes[0] == order_letters[order] &&
           read_cursor_bytes(bytes + 1, bytes + len / 2, cursor);
}

/* ---- the parameters ---- */

typedef struct {
    const char *text;
    size_t len; /* may be more than `text` holds: then it is too long */
} value_t;

#define VALUE_MAX RATINGS_CURSOR_TEXT_SIZE /* no value may be longer */

static bool value_is(value_t value, const char *text)
{
    return value.len == strlen(text) && memcmp(value.text, text, value.len) == 0;
}

/* Text that the database takes: UTF-8 without control characters. */
static bool take_search_text(value_t value, char out[RATINGS_SEARCH_MAX + 1])
{
    if (value.len == 0 || value.len > RATINGS_SEARCH_MAX)
        return false;
    for (size_t i = 0, used = 0; i < value.len; i += used) {
        int32_t point = ratings_utf8_next(value.text + i, value.len - i, &used);

        if (point < 0x20 || (point >= 0x7f && point < 0xa0))
            return false;
    }
    memcpy(out, value.text, value.len);
    out[value.len] = '\0';
    return true;
}

static bool read_q(value_t value, ratings_talk_query_t *out)
{
    return take_search_text(value, out->q);
}

static bool read_track(value_t value, ratings_talk_query_t *out)
{
    return take_search_text(value, out->track);
}

static int digits_at(const char *text, size_t count)
{
    int number = 0;

    for (size_t i = 0; i < count; i++)
        number = 10 * number + (text[i] - '0');
    return number;
}

/* Of the Gregorian calendar, as PostgreSQL takes it for years before that as well. */
static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    if (month < 1 || month > 12)
        return 0;
    return days[month - 1] + (month == 2 && is_leap);
}

static bool is_in_calendar(const char *date)
{
    int year = digits_at(date, 4), month = digits_at(date + 5, 2), day = digits_at(date + 8, 2);

    return day >= 1 && day <= days_of_month(year, month);
}

static bool read_day_of_talk(value_t value, ratings_talk_query_t *out)
{
    static const char form[] = "0000-00-00";
    bool is_day = value.len == sizeof form - 1;

    for (size_t i = 0; is_day && i < value.len; i++)
        is_day = form[i] == '0' ? value.text[i] >= '0' && value.text[i] <= '9'
                                : value.text[i] == form[i];
    if (!is_day || !is_in_calendar(value.text))
        return false;
    memcpy(out->day, value.text, value.len);
    out->day[value.len] = '\0';
    return true;
}

static bool read_sort(value_t value, ratings_talk_query_t *out)
{
    static const char *const names[] = {[RATINGS_TALKS_BY_TITLE] = "title",
                                        [RATINGS_TALKS_BY_START] = "start",
                                        [RATINGS_TALKS_BY_SCORE] = "score"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (value_is(value, names[i])) {
            out->order = (ratings_talk_order_e)i;
            return true;
        }
    return false;
}

static bool read_include(value_t value, ratings_talk_query_t *out)
{
    out->with_ratings = true;
    return value_is(value, "ratings");
}

static bool read_limit(value_t value, ratings_talk_query_t *out)
{
    int64_t limit;
    bool is_limit = value.len <= VALUE_MAX &&
                    ratings_parse_int(value.text, value.len, 1, RATINGS_PAGE_MAX, &limit);

    if (is_limit)
        out->limit = (int)limit;
    return is_limit;
}

/* Of the order that was read before. */
static bool read_cursor(value_t value, ratings_talk_query_t *out)
{
    out->has_cursor = true;
    return cursor_from_text(value.text, value.len, out->order, &out->cursor);
}

/* In the order in which they are read. The first ones are those of one talk as well. */
#define PARAMETERS_OF_ONE 1
static const struct {
    const char *name;
    bool (*read)(value_t value, ratings_talk_query_t *out);
    const char *twice, *malformed;
} parameters[] = {
    {"include", read_include, "include is given twice", "include must be ratings"},
    {"q", read_q, "q is given twice",
     "q must be 1 to 200 bytes of UTF-8 without control characters"},
    {"track", read_track, "track is given twice",
     "track must be 1 to 200 bytes of UTF-8 without control characters"},
    {"day", read_day_of_talk, "day is given twice", "day must be a date, as in 2026-11-29"},
    {"sort", read_sort, "sort is given twice", "sort must be title, start or score"},
    {"limit", read_limit, "limit is given twice", "limit must be a whole number from 1 to 100"},
    {"cursor", read_cursor, "cursor is given twice",
     "cursor must be the next of an answer that was sorted in the same way"},
};

#define PARAMETERS (sizeof parameters / sizeof *parameters)

/* Reads the first `count` parameters. */
static const char *read_parameters(const char *query, size_t count, const char *unknown,
                                   ratings_talk_query_t *out)
{
    size_t len = query ? strlen(query) : 0, known = 0;

    *out = (ratings_talk_query_t){.limit = RATINGS_PAGE_DEFAULT};
    if (!ratings_form_well_formed(query, len))
        return "a % is not followed by two hexadecimal digits";
    for (size_t i = 0; i < count; i++) {
        char text[VALUE_MAX];
        value_t value = {text, 0};
        size_t found =
            ratings_form_field(query, len, parameters[i].name, text, sizeof text, &value.len);

        if (found > 1)
            return parameters[i].twice;
        if (found == 1 && !parameters[i].read(value, out))
            return parameters[i].malformed;
        known += found;
    }
    return known == ratings_form_fields(query, len) ? NULL : unknown;
}

const char *ratings_talk_query_parse(const char *query, ratings_talk_query_t *out)
{
    return read_parameters(query, PARAMETERS,
                           "there is a parameter that is none of include, q, track, day, sort, "
                           "limit and cursor",
                           out);
}

const char *ratings_talk_query_parse_one(const char *query, bool *with_ratings)
{
    ratings_talk_query_t read;
    const char *problem =
        read_parameters(query, PARAMETERS_OF_ONE, "there is a parameter other than include", &read);

    *with_ratings = read.with_ratings;
    return problem;
}
