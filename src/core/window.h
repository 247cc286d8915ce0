/* A talk's window: the time in which it may be rated, [opens_at, closes_at). Organisers set it by
 * the clock on the wall; so its points in time are those of ratings_wall_clock, in microseconds
 * since 1970, UTC. Pure functions, any thread. */
#ifndef RATINGS_CORE_WINDOW_H
#define RATINGS_CORE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define RATINGS_ALWAYS INT64_MIN /* before all times: a window that has always been open */
#define RATINGS_NEVER INT64_MAX  /* after all times: a window that never closes */

typedef struct {
    int64_t opens_at, closes_at;
} ratings_window_t;

#define RATINGS_WINDOW_UNBOUNDED ((ratings_window_t){RATINGS_ALWAYS, RATINGS_NEVER})

typedef enum {
    RATINGS_WINDOW_OPEN,
    RATINGS_WINDOW_TO_COME, /* it opens at opens_at */
    RATINGS_WINDOW_CLOSED   /* for good; also when it never opens */
} ratings_window_phase_e;

ratings_window_phase_e ratings_window_phase(const ratings_window_t *window, int64_t now);

/* Whole seconds until the window opens, rounded up, so that a client that waits for so long finds
 * it open. Of a window that is to come. */
int64_t ratings_window_seconds_left(const ratings_window_t *window, int64_t now);

/* Reads a point in time as PostgreSQL's extract(epoch from ...) prints it: seconds with a fraction
 * or without, or Infinity and -Infinity, which are RATINGS_NEVER and RATINGS_ALWAYS, as are times
 * beyond what 64 bits can hold. False, with `*time` untouched: it is none. */
bool ratings_time_from_epoch(const char *text, int64_t *time);

/* Writes a point in time by RFC 3339, in UTC: "2026-11-29T12:00:00Z", with six digits of a fraction
 * if there is one. False, with `text` untouched: it is RATINGS_ALWAYS, RATINGS_NEVER or outside the
 * years 1 to 9999, which RFC 3339 cannot write. */
#define RATINGS_TIME_TEXT_SIZE sizeof "9999-12-31T23:59:59.999999Z"
bool ratings_time_print(int64_t time, char text[RATINGS_TIME_TEXT_SIZE]);

#endif
