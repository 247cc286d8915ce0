#include "window.h"

#include "number.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_S INT64_C(1000000)
#define FRACTION_DIGITS 6 /* of a microsecond */

/* ---- phases ---- */

ratings_window_phase_e ratings_window_phase(const ratings_window_t *window, int64_t now)
{
    if (now >= window->closes_at || window->opens_at >= window->closes_at)
        return RATINGS_WINDOW_CLOSED;
    return now < window->opens_at ? RATINGS_WINDOW_TO_COME : RATINGS_WINDOW_OPEN;
}

int64_t ratings_window_seconds_left(const ratings_window_t *window, int64_t now)
{
    int64_t left = window->opens_at - now;

    return left / US_PER_S + (left % US_PER_S != 0);
}

/* ---- reading ---- */

/* The first digits of a fraction as microseconds; what comes after them is none. -1: no digits. */
static int64_t fraction_from(const char *digits)
{
    int64_t fraction = 0;
    size_t len = strlen(digits);

    if (len == 0 || strspn(digits, "0123456789") != len)
        return -1;
    for (size_t i = 0; i < FRACTION_DIGITS; i++)
        fraction = 10 * fraction + (i < len ? digits[i] - '0' : 0);
    return fraction;
}

static int64_t clamped(int64_t seconds, int64_t fraction)
{
    int64_t time;

    if (__builtin_mul_overflow(seconds, US_PER_S, &time) ||
        __builtin_add_overflow(time, fraction, &time))
        return seconds < 0 ? RATINGS_ALWAYS : RATINGS_NEVER;
    return time;
}

/* The sign is that of the whole text: -0.5 has no whole seconds to carry it. */
static bool time_from_number(const char *text, int64_t *time)
{
    bool is_negative = text[0] == '-';
    const char *digits = text + is_negative, *point = strchr(digits, '.');
    size_t len = point ? (size_t)(point - digits) : strlen(digits);
    int64_t seconds, fraction = point ? fraction_from(point + 1) : 0;

    if (fraction < 0 || !ratings_parse_int(digits, len, 0, INT64_MAX, &seconds))
        return false;
    *time = is_negative ? clamped(-seconds, -fraction) : clamped(seconds, fraction);
    return true;
}

bool ratings_time_from_epoch(const char *text, int64_t *time)
{
    if (strcmp(text, "Infinity") == 0)
        *time = RATINGS_NEVER;
    else if (strcmp(text, "-Infinity") == 0)
        *time = RATINGS_ALWAYS;
    else
        return time_from_number(text, time);
    return true;
}

/* ---- writing ---- */

bool ratings_time_print(int64_t time, char text[RATINGS_TIME_TEXT_SIZE])
{
    int64_t fraction = time % US_PER_S;
    struct tm at;

    fraction += fraction < 0 ? US_PER_S : 0;
    /* the quotient first: the difference of the smallest time and its fraction overflows */
    const time_t seconds = time / US_PER_S - (time < 0 && fraction != 0);
    if (!gmtime_r(&seconds, &at) || at.tm_year < 1 - 1900 || at.tm_year > 9999 - 1900)
        return false;
    int end =
        snprintf(text, RATINGS_TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", at.tm_year + 1900,
                 at.tm_mon + 1, at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec);
    if (fraction != 0)
        end += snprintf(text + end, RATINGS_TIME_TEXT_SIZE - (size_t)end, ".%06d", (int)fraction);
    memcpy(text + end, "Z", sizeof "Z");
    return true;
}
