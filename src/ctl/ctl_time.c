#include "ctl_time.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MS_MAX INT64_C(253402300799999) /* the end of the year 9999 */

bool ctl_time_print(int64_t ms, char text[CTL_TIME_SIZE])
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm day;
    text[0] = '\0';
    if (ms < 0 || ms > MS_MAX || !gmtime_r(&seconds, &day))
        return false;
    size_t len = strftime(text, CTL_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &day);
    (void)snprintf(text + len, CTL_TIME_SIZE - len, ".%03dZ", (int)(ms % 1000));
    return true;
}

/* Two digits, or four. */
static bool read_digits(const char **at, int digits, int min, int max, int *out)
{
    int value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        value = 10 * value + (**at - '0');
    }
    *out = value;
    return value >= min && value <= max;
}

static bool read_sign(const char **at, const char *any)
{
    return **at && strchr(any, **at) && (*at)++;
}

static bool read_day(const char **at, struct tm *day)
{
    if (!read_digits(at, 4, 1970, 9999, &day->tm_year) || !read_sign(at, "-") ||
        !read_digits(at, 2, 1, 12, &day->tm_mon) || !read_sign(at, "-") ||
        !read_digits(at, 2, 1, 31, &day->tm_mday))
        return false;
    day->tm_year -= 1900;
    day->tm_mon -= 1;
    return true;
}

static bool read_clock(const char **at, struct tm *day)
{
    return read_digits(at, 2, 0, 23, &day->tm_hour) && read_sign(at, ":") &&
           read_digits(at, 2, 0, 59, &day->tm_min) && read_sign(at, ":") &&
           read_digits(at, 2, 0, 59, &day->tm_sec);
}

/* A fraction has at least one digit; from the fourth on they do not count. */
static bool read_fraction(const char **at, int *ms)
{
    int unit = 100;
    *ms = 0;
    if (!read_sign(at, "."))
        return true;
    if (!isdigit((unsigned char)**at))
        return false;
    for (; isdigit((unsigned char)**at); (*at)++, unit /= 10)
        *ms += unit * (**at - '0');
    return true;
}

/* Seconds east of UTC. */
static bool read_zone(const char **at, int *east)
{
    int hours, minutes;
    bool west = **at == '-';
    *east = 0;
    if (read_sign(at, "Zz"))
        return true;
    if (!read_sign(at, "+-") || !read_digits(at, 2, 0, 23, &hours) || !read_sign(at, ":") ||
        !read_digits(at, 2, 0, 59, &minutes))
        return false;
    *east = (west ? -60 : 60) * (60 * hours + minutes);
    return true;
}

/* timegm takes the 31st of April for the 1st of May. */
static bool count_seconds(struct tm *day, int64_t *seconds)
{
    struct tm same = *day;
    *seconds = timegm(&same);
    return same.tm_mday == day->tm_mday && same.tm_mon == day->tm_mon;
}

bool ctl_time_parse(const char *text, int64_t *ms)
{
    struct tm day = {0};
    int fraction, east;
    int64_t seconds;
    if (!read_day(&text, &day) || !read_sign(&text, "Tt ") || !read_clock(&text, &day) ||
        !read_fraction(&text, &fraction) || !read_zone(&text, &east) || *text ||
        !count_seconds(&day, &seconds) || seconds < east)
        return false;
    *ms = (seconds - east) * 1000 + fraction;
    return true;
}
