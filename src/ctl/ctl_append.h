/* Appends records to the log, with librdkafka's idempotent producer: a record that Kafka has
 * acknowledged is on all replicas that are in sync, and it is there once. Not so of one that was
 * not acknowledged: it may be there. So whoever appends must be able to do it all again.
 *
 * One thread. Every wait ends when nothing has come for the timeout. A function that returns bool
 * returns false, and the reason, when not all that was given is known to be in the log. */
#ifndef RATINGS_CTL_APPEND_H
#define RATINGS_CTL_APPEND_H

#include "audit_stream.h"

#include <stddef.h>
#include <stdint.h>

typedef struct ctl_append_t ctl_append_t;

/* Of a topic that is there, with so many partitions. NULL, and a reason, when librdkafka refuses a
 * property. The options must live as long. */
ctl_append_t *ctl_append_open(const audit_stream_options_t *options, int partitions,
                              audit_failure_t *why);
void ctl_append_close(ctl_append_t *append); /* NULL is allowed */

/* Begins to append a record: `type` is its CloudEvents type, `value` of `len` bytes is malloc()ed
 * and becomes the appender's; NULL: memory ran out. */
bool ctl_append_record(ctl_append_t *append, int partition, const char *key, const char *type,
                       char *value, size_t len, audit_failure_t *why);

/* Waits until all of them are in the log. */
bool ctl_append_wait(ctl_append_t *append, audit_failure_t *why);

/* How many are. */
size_t ctl_append_count(const ctl_append_t *append);

/* Of each partition the offset that the log reaches to at least, as far as Kafka has said where a
 * record is. Of the appender. */
const int64_t *ctl_append_ends(const ctl_append_t *append);

#endif
