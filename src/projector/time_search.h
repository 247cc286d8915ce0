/* Tells a log from one of the same name that was deleted, created and filled again: its first
 * record is younger than the one that the store has applied first. Kafka is asked for it by
 * ListOffsets (https://kafka.apache.org/protocol#The_Messages_ListOffsets), which searches by time.
 *
 * A broker may not be able to search: Tansu 0.6 names a log's first record for any time, by which
 * each log would be another one at each look. So brokers that say that are asked for a time that no
 * record has. If they name a record for that as well, nothing is asked of them any more, and a
 * recreated topic is known by its end, and by the record applied last, alone. Where they can
 * search, the record applied last is no judge of what they say: a leader that reads on has applied
 * records of the new log by the time it looks.
 *
 * For the projector's thread. */
#ifndef RATINGS_PROJECTOR_TIME_SEARCH_H
#define RATINGS_PROJECTOR_TIME_SEARCH_H

#include "partition.h"
#include "projector_options.h"

typedef struct {
    const ratings_projector_options_t *options;
    apr_interval_time_t timeout;
    bool is_misled; /* brokers name a record for any time, which was logged */
} time_search_t;

/* `options` must outlive it; `timeout` is of each question. */
void time_search_init(time_search_t *search, const ratings_projector_options_t *options,
                      apr_interval_time_t timeout);

/* Sets `younger` of partitions 0..count-1: the first record that is younger than `first` of each,
 * which the store has applied first; -1 if there is none, or none can be searched for. Asks Kafka
 * one question, or two if that says that a log is another one; APR_TIMEUP and others as
 * ratings_stream_offsets_after. `scratch` holds what is needed meanwhile. */
apr_status_t time_search_younger(time_search_t *search, const ratings_fingerprint_t *first,
                                 partition_t *partition, int count, apr_pool_t *scratch,
                                 ratings_result_t *why);

#endif
