/* The idempotency keys of one partition that still hold. Memory is bounded by twice their number:
 * those that have expired are freed whenever the table has doubled since they were freed last. Not
 * thread-safe. */
#ifndef RATINGS_AUDIT_KEYS_H
#define RATINGS_AUDIT_KEYS_H

#include "../core/idempotency.h"

#include <sys/queue.h>

/* All zero is an empty table. */
typedef struct {
    void *tree; /* of tsearch */
    LIST_HEAD(, audit_key_t) all;
    size_t count;
    size_t sweep_at;
} audit_keys_t;

/* The last use of a key with a talk (identified by its address), a new one (offset -1) when there
 * is none at this time of the log. It is good until the next call. NULL when memory ran out. */
ratings_use_t *audit_keys_use(audit_keys_t *keys, const void *talk, const char *text,
                              int64_t log_time);

/* How many hold at this time of the log. */
size_t audit_keys_live(const audit_keys_t *keys, int64_t log_time);

void audit_keys_free(audit_keys_t *keys);

#endif
