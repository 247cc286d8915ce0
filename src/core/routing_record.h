/* The record in the log that says by how many partitions talks are routed, so that a talk stays in
 * one partition for ever, also when the store is lost or the topic gets more partitions. It is in
 * partition 0, before the first event; in a log that is older than these records, after events that
 * were routed so. The first one in the log counts; later ones, of hosts that started at the same
 * time or that repeat it, are ignored.
 *
 * Its key is RATINGS_ROUTING_KEY, its value {"version":1,"partitions":4}. It is no event: the
 * value of an event has a talkId, which a talk of that name has as well. Pure functions, any
 * thread. */
#ifndef RATINGS_CORE_ROUTING_RECORD_H
#define RATINGS_CORE_ROUTING_RECORD_H

#include <stddef.h>

#define RATINGS_ROUTING_KEY "ratings:routing"
#define RATINGS_ROUTING_VERSION 1
#define RATINGS_ROUTING_TYPE "ratings.routing.settled.v1" /* CloudEvents type (ce_type) */
#define RATINGS_ROUTING_VALUE_MAX 256 /* bytes; a longer value is not one of ours */

/* The JSON value, malloc()ed, owned by the caller; its length in `*len`. NULL when memory ran out.
 */
char *ratings_routing_encode(int partitions, size_t *len);

/* How many partitions the record says, 1 to `most`; 0 when it is no such record: another key, a
 * value that is too long or not our JSON, an unknown version, a number out of range. Members that
 * are not known are ignored. NULL with length 0 is allowed. */
int ratings_routing_decode(const void *key, size_t key_len, const void *value, size_t value_len,
                           int most);

#endif
