/* The read model in Redis, read and mended with hiredis. One thread, one connection, which is made
 * when it is needed. Every wait (for the connection, for an answer) ends by the timeout. */
#ifndef RATINGS_AUDIT_STORE_H
#define RATINGS_AUDIT_STORE_H

#include "fold.h"
#include "why.h"

typedef struct audit_store_t audit_store_t;

/* Does not connect. `url` must live as long as the store, and be valid. NULL: memory ran out. */
audit_store_t *audit_store_new(const char *url, int timeout_ms);
void audit_store_free(audit_store_t *store); /* NULL is allowed */

/* Closes the connection, for a time in which it would be idle. */
void audit_store_rest(audit_store_t *store);

#define AUDIT_MARK_MAX 71 /* three decimal numbers and two colons fit */

/* What ratings:log says. Texts are "" where it says nothing, and cut where it holds something far
 * too long. */
typedef struct {
    bool present;
    char topic[256], generation[256], claim[256];
    int64_t routed; /* partitions by which talks are routed; -1: absent or no number */
    bool beyond;    /* it has a position for a partition more than was asked for */
    int partitions;
    int64_t *position; /* 0 where absent */
    char (*mark)[AUDIT_MARK_MAX + 1], (*first)[AUDIT_MARK_MAX + 1], (*time)[AUDIT_MARK_MAX + 1];
} audit_log_t;

bool audit_log_init(audit_log_t *log, int partitions);
void audit_log_free(audit_log_t *log);

/* Reads the log's state and `count` talks, into their `found`, in one atomic step. */
bool audit_store_read(audit_store_t *store, audit_log_t *log, audit_talk_t *const *talks,
                      size_t count, audit_why_t *why);

/* Adds each talk that has a key to the fold; `*keys` tells how many there are. */
bool audit_store_scan(audit_store_t *store, audit_fold_t *fold, audit_why_t *why);

/* Ends of a conditional write. */
typedef enum {
    AUDIT_STORE_DONE,
    AUDIT_STORE_MOVED,  /* the store does not stand where it was thought to */
    AUDIT_STORE_REBUILT /* it is, or was, being rebuilt */
} audit_store_end_e;

/* Where the store must stand: of which generation, and at which position in `count` partitions. */
typedef struct {
    const char *generation;
    const int *partitions;
    const int64_t *positions;
    int count;
} audit_stand_t;

/* Gives a talk these counts (its key goes when they are all 0) if the store stands there. */
bool audit_store_mend(audit_store_t *store, const audit_stand_t *stand, const audit_talk_t *talk,
                      const ratings_histogram_t *counts, audit_store_end_e *end, audit_why_t *why);

/* Deletes ratings:log, whatever it is. `*deleted` tells whether it was there. */
bool audit_store_forget(audit_store_t *store, bool *deleted, audit_why_t *why);

#endif
