/* The delivery report of an event, and its receiver. */
#ifndef RATINGS_STREAM_DELIVERY_H
#define RATINGS_STREAM_DELIVERY_H

#include "../common/log_record.h"
#include "../common/result.h"

#include <stdint.h>

typedef struct {
    /* APR_SUCCESS: durable. APR_ECONNREFUSED: not recorded; RATINGS_NOT_ASKED: neither, for a
     * reason of this process. APR_TIMEUP: it may or may not be */
    ratings_result_t result;
    int code; /* of a failure, librdkafka's (ratings_stream_error_text); 0: it has none */
    int partition;
    int64_t offset; /* if durable; -1: Kafka does not tell, as of a duplicate of its own retry */
    /* An event's, if its offset is known: as the log has it, during the call; else NULL */
    const ratings_record_t *record;
} ratings_delivery_t;

/* The receiver of a delivery report: a member of a struct of its own (../../core/container_of.h),
 * which lives until `delivered` is called. That happens once for each event that the stream took,
 * on a thread of the stream's, or on that of ratings_stream_destroy: it must not block. */
typedef struct ratings_receiver_t ratings_receiver_t;
struct ratings_receiver_t {
    void (*delivered)(ratings_receiver_t *receiver, const ratings_delivery_t *delivery);
};

#endif
