#include "schedule_time.h"

#include <libical/ical.h>

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAYS_MAX 31                       /* of a duration */
#define SECONDS_MIN INT64_C(-86400)       /* the day of 1970's first hours may be that before */
#define SECONDS_MAX INT64_C(253402128000) /* two days before the year 10000 */

/* ---- zones ---- */

/* libical makes a path of the name. */
static icaltimezone *find_zone(const char *zone)
{
    const char *letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    if (strcmp(zone, "UTC") == 0 || strcmp(zone, "Etc/UTC") == 0)
        return icaltimezone_get_utc_timezone();
    return isalpha((unsigned char)zone[0]) && zone[strspn(zone, letters)] == '\0'
               ? icaltimezone_get_builtin_timezone(zone)
               : NULL;
}

bool schedule_zone_exists(const char *zone)
{
    return find_zone(zone) != NULL;
}

/* timegm takes the 31st of April for the 1st of May. */
static bool is_real(const schedule_clock_t *clock)
{
    struct tm day = {
        .tm_year = clock->year - 1900, .tm_mon = clock->month - 1, .tm_mday = clock->day};
    struct tm same = day;
    (void)timegm(&same);
    return clock->year >= 1969 && clock->year <= 9999 && same.tm_mday == day.tm_mday &&
           same.tm_mon == day.tm_mon && clock->hour <= 23 && clock->minute <= 59 &&
           clock->second <= 59;
}

bool schedule_clock_in(const schedule_clock_t *clock, const char *zone, int64_t *seconds)
{
    icaltimezone *there = find_zone(zone);
    icaltimetype time = icaltime_null_time();
    if (!there || !is_real(clock))
        return false;
    time.year = clock->year;
    time.month = clock->month;
    time.day = clock->day;
    time.hour = clock->hour;
    time.minute = clock->minute;
    time.second = clock->second;
    *seconds = icaltime_as_timet_with_zone(time, there);
    return true;
}

bool schedule_clock_at(int64_t seconds, const char *zone, schedule_clock_t *clock, int *east)
{
    icaltimezone *there = find_zone(zone);
    int64_t as_utc;
    if (!there || seconds < SECONDS_MIN || seconds > SECONDS_MAX)
        return false;
    icaltimetype time = icaltime_from_timet_with_zone((time_t)seconds, 0, there);
    *clock =
        (schedule_clock_t){time.year, time.month, time.day, time.hour, time.minute, time.second};
    if (!schedule_clock_in(clock, "UTC", &as_utc))
        return false;
    *east = (int)(as_utc - seconds);
    return true;
}

/* ---- times ---- */

static bool take_digits(const char **at, int digits, int *out)
{
    *out = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        *out = 10 * *out + (**at - '0');
    }
    return true;
}

static bool take_any(const char **at, const char *any)
{
    return **at && strchr(any, **at) && (*at)++;
}

static bool take_day(const char **at, schedule_clock_t *clock)
{
    if (!take_digits(at, 4, &clock->year))
        return false;
    bool dashed = take_any(at, "-");
    return take_digits(at, 2, &clock->month) && take_any(at, "-") == dashed &&
           take_digits(at, 2, &clock->day);
}

static bool take_clock(const char **at, schedule_clock_t *clock)
{
    if (!take_digits(at, 2, &clock->hour))
        return false;
    (void)take_any(at, ":");
    if (!take_digits(at, 2, &clock->minute))
        return false;
    clock->second = 0;
    if ((take_any(at, ":") || isdigit((unsigned char)**at)) && !take_digits(at, 2, &clock->second))
        return false;
    if (take_any(at, "."))
        *at += strspn(*at, "0123456789");
    return true;
}

/* Seconds east of UTC. */
static bool take_offset(const char **at, int *east)
{
    int hours, minutes = 0;
    bool west = **at == '-';
    *east = 0;
    if (take_any(at, "Zz"))
        return true;
    if (!take_any(at, "+-") || !take_digits(at, 2, &hours))
        return false;
    (void)take_any(at, ":");
    if (**at && !take_digits(at, 2, &minutes))
        return false;
    *east = (west ? -60 : 60) * (60 * hours + minutes);
    return hours <= 23 && minutes <= 59;
}

const char *schedule_time_parse(const char *text, const char *zone, int64_t *seconds)
{
    static const char none[] = "is no time like 2026-05-01T10:00:00+02:00";
    schedule_clock_t clock;
    int east = 0;
    int64_t at;
    if (!take_day(&text, &clock) || !take_any(&text, "Tt ") || !take_clock(&text, &clock) ||
        !is_real(&clock))
        return none;
    if (!*text && !zone)
        return "has no offset, and nothing says in which zone it is: --zone does, like "
               "Europe/Berlin";
    bool has_offset = *text;
    if (has_offset && (!take_offset(&text, &east) || *text))
        return none;
    if (!schedule_clock_in(&clock, has_offset ? "UTC" : zone, &at))
        return "is in a zone that is not known";
    if (at < east)
        return none;
    *seconds = at - east;
    return NULL;
}

bool schedule_date_at(const char *date, int hour, const char *zone, int64_t *seconds)
{
    schedule_clock_t clock = {.hour = hour};
    return take_day(&date, &clock) && schedule_clock_in(&clock, zone, seconds);
}

bool schedule_date_move(const char *date, int days, char out[SCHEDULE_DATE_SIZE])
{
    schedule_clock_t clock;
    int64_t seconds;
    int east;
    if (!schedule_date_at(date, 12, "UTC", &seconds) ||
        !schedule_clock_at(seconds + INT64_C(86400) * days, "UTC", &clock, &east))
        return false;
    (void)snprintf(out, SCHEDULE_DATE_SIZE, "%04d-%02d-%02d", clock.year % 10000, clock.month % 100,
                   clock.day % 100);
    return true;
}

/* ---- durations ---- */

/* Up to six digits, and what is behind them. */
static bool take_small_number(const char **at, int64_t *out)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 6)
        return false;
    for (*out = 0; digits > 0; digits--, (*at)++)
        *out = 10 * *out + (**at - '0');
    return true;
}

/* PnDTnHnMnS, PnW */
static int64_t parse_ical_duration(const char *text)
{
    int64_t sum = 0, number;
    bool of_day = false;
    for (text++; *text;) {
        if (!of_day && take_any(&text, "T")) {
            of_day = true;
            continue;
        }
        if (!take_small_number(&text, &number))
            return -1;
        const char *units = of_day ? "HMS" : "WD", *unit = *text ? strchr(units, *text++) : NULL;
        if (!unit)
            return -1;
        static const int64_t of_times[] = {3600, 60, 1}, of_days[] = {604800, 86400};
        sum += number * (of_day ? of_times : of_days)[unit - units];
    }
    return sum;
}

/* H:MM, D:HH:MM */
static int64_t parse_clock_duration(const char *text)
{
    int64_t part[3] = {0};
    int parts = 0;
    do
        if (parts == 3 || !take_small_number(&text, &part[parts++]))
            return -1;
    while (take_any(&text, ":"));
    if (*text || parts < 2 || part[parts - 1] > 59 || (parts == 3 && part[1] > 23))
        return -1;
    return 60 * part[parts - 1] + 3600 * part[parts - 2] + (parts == 3 ? 86400 * part[0] : 0);
}

int64_t schedule_duration_parse(const char *text)
{
    int64_t sum =
        text[0] == 'P' && text[1] ? parse_ical_duration(text) : parse_clock_duration(text);
    return sum <= (int64_t)DAYS_MAX * 86400 ? sum : -1;
}
