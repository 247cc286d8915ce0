/* Private to the stream: the producer's handle, and the thread that serves its callbacks. It sends
 * what it is given at once, and knows nothing of who gives it. */
#ifndef RATINGS_STREAM_PRODUCER_H
#define RATINGS_STREAM_PRODUCER_H

#include "stream_handle.h"
#include "stream_message.h"

#include <apr_pools.h>

#include <stdbool.h>

typedef struct stream_producer_t stream_producer_t;

/* The receiver of the delivery reports: part of the producer's owner. Called once for each message
 * that was sent, on a thread of librdkafka's or of the producer's: must not block. The message is
 * the owner's again, without what librdkafka has taken of it. */
typedef struct stream_producer_owner_t stream_producer_owner_t;
struct stream_producer_owner_t {
    void (*reported)(stream_producer_owner_t *owner, stream_message_t *message,
                     const ratings_delivery_t *delivery);
};

/* In `pool`, which outlives it. Handle and thread are made by the first call that needs them. A
 * handle that was not acquired for ten seconds is freed, once all that was sent is reported; the
 * next call makes another. */
stream_producer_t *stream_producer_create(const ratings_stream_options_t *options,
                                          stream_producer_owner_t *owner, apr_pool_t *pool);

/* Waits until `timeout` (microseconds) for what was sent to be acknowledged, then gives it up: all
 * of it is reported before this returns. */
void stream_producer_destroy(stream_producer_t *producer, apr_interval_time_t timeout);

/* Sends the message to its partition, without blocking. APR_SUCCESS: it is reported, maybe before
 * this returns. Else it is the caller's as before, and result and code of `*failure` say why: see
 * ratings_stream_append. Any thread. */
apr_status_t stream_producer_send(stream_producer_t *producer, stream_message_t *message,
                                  ratings_delivery_t *failure);

/* The handle, held until it is released; it may be replaced after a fatal error, and when somebody
 * asks for that. NULL if there is none: librdkafka refuses its configuration, or there is no
 * thread. That is RATINGS_NOT_ASKED, told once to the log of the options, and tried again a second
 * later. Any thread. */
rd_kafka_t *stream_producer_acquire(stream_producer_t *producer, ratings_result_t *why);
void stream_producer_release(stream_producer_t *producer);

/* Has the poller make another handle soon. What waits in this one is given up, and reported. Any
 * thread. */
void stream_producer_replace(stream_producer_t *producer);

/* Whether there is a handle; whether it could not be made when it was last tried. Any thread. */
bool stream_producer_is_made(const stream_producer_t *producer);
bool stream_producer_is_refused(const stream_producer_t *producer);

/* How long, in microseconds, librdkafka tries to send a message. */
int64_t stream_producer_message_timeout(const ratings_stream_options_t *options);

/* Whether librdkafka takes the producer's configuration. The handle, whose threads read the options
 * and memory of `pool`, is left to the process: both last as long as it does. */
apr_status_t stream_producer_try(const ratings_stream_options_t *options, apr_pool_t *pool,
                                 ratings_result_t *why);

#endif
