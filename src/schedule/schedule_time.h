/* Times and durations as schedules write them. Seconds since 1970; a schedule has none before, but
 * the day of its first talk may begin in 1969. One thread (zones are read from
 * the system's files once, and kept). */
#ifndef RATINGS_SCHEDULE_TIME_H
#define RATINGS_SCHEDULE_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the system knows a zone of that name, like Europe/Berlin or UTC. */
bool schedule_zone_exists(const char *zone);

/* A day and a time of day as a clock on the wall shows them. */
typedef struct {
    int year, month, day, hour, minute, second;
} schedule_clock_t;

/* When that was in the zone. A time that a zone skips in spring is that of the clock before it was
 * set. False: there is no such zone, day, or time. */
bool schedule_clock_in(const schedule_clock_t *clock, const char *zone, int64_t *seconds);

/* What a clock in the zone shows then, and how many seconds it is east of UTC. False: there is no
 * such zone, or no such year. */
bool schedule_clock_at(int64_t seconds, const char *zone, schedule_clock_t *clock, int *east);

/* When it was that hour in the zone, on the date that `date` begins with. False: as
 * schedule_clock_in. */
bool schedule_date_at(const char *date, int hour, const char *zone, int64_t *seconds);

#define SCHEDULE_DATE_SIZE 16

/* The date so many days after one that `date` begins with; not 86400 seconds, of which a day may
 * have more or less. False: `date` begins with none, or there is no such year. */
bool schedule_date_move(const char *date, int days, char out[SCHEDULE_DATE_SIZE]);

/* Reads 2026-05-01T10:00:00+02:00: the seconds may be left out or have a fraction, which does not
 * count; a blank may be in the place of the T; offsets are Z, +02:00, +0200 or +02; dashes and
 * colons may be left out, as iCalendar does (20260501T100000Z). One without an offset is in `zone`.
 * NULL; or what is wrong (static), with `*seconds` untouched. `zone` may be NULL. */
const char *schedule_time_parse(const char *text, const char *zone, int64_t *seconds);

/* Reads H:MM, or D:HH:MM, and iCalendar's PT30M, P1DT2H; the seconds. -1: it is none. */
int64_t schedule_duration_parse(const char *text);

#endif
