/* A progress bar on standard error, while something long is done: where that is a terminal, and
 * nothing elsewhere. One thread. */
#ifndef RATINGS_CTL_PROGRESS_H
#define RATINGS_CTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: nothing is under way. */
typedef struct {
    bool is_shown;
    const char *what; /* is done */
    int64_t done, total;
    int64_t next_at; /* when it may be drawn again, of ratings_monotonic */
} ctl_progress_t;

/* `what` is done `total` times. */
void ctl_progress_begin(ctl_progress_t *progress, const char *what, int64_t total);

/* So many more are done: draws the bar, ten times a second at most. */
void ctl_progress_add(ctl_progress_t *progress, int64_t more);

/* Clears the line. */
void ctl_progress_end(ctl_progress_t *progress);

/* The line for a terminal of `columns` columns, of which it leaves the last one free: "reading the
 * log [=====     ]  50%  5 of 10", without the bar where there is no room. Pure. */
void ctl_progress_line(const ctl_progress_t *progress, int columns, char *line, size_t size);

#endif
