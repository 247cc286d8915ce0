/* Routing: in which partition of the log a talk's events are, for ever. By how many partitions
 * talks are routed is in the log itself; the projector reads it, and tells the children. */
#ifndef RATINGS_SERVICE_ROUTING_H
#define RATINGS_SERVICE_ROUTING_H

#include "use_cases.h"

/* The partition of a talk, or -1, with reason and part in the call's failure, while no projector
 * has told how talks are routed: the log has not been reached since httpd was started. A child that
 * is new waits for that, no longer than the timeout of the store since it was started. Request
 * threads only. */
int ratings_routing_partition(ratings_call_t *call, const char *talk_id);

/* Waits for what a projector tells this host, as above. False: it is not known. */
bool ratings_routing_await(const ratings_call_t *call,
                           bool (*is_known)(const ratings_shm_t *shared));

/* Asks Kafka, for `timeout` microseconds at most, whether it takes events of all partitions by
 * which talks are routed: ratings_stream_check. Any thread. */
apr_status_t ratings_routing_check(ratings_child_t *child, int64_t timeout, ratings_result_t *why);

#endif
