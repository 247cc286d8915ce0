/* An exchange with the store: finished batches of different partitions, sent together, and what
 * became of them. In the background it has a thread of its own, which ends with it: the projector
 * folds what comes next while Redis applies these, and nothing has to be woken or locked.
 *
 * Not by writing the commands now and reading the replies later: then all that a call of the store
 * does by itself (another connection in place of a dead one, deadline, cancellation) would have to
 * go on in a second call. Until exchange_end, the batches belong to the exchange.
 *
 * For the projector's thread. */
#ifndef RATINGS_PROJECTOR_EXCHANGE_H
#define RATINGS_PROJECTOR_EXCHANGE_H

#include "batch.h"

#include <pthread.h>

typedef struct {
    ratings_store_t *store;
    batch_t *batches[RATINGS_APPLY_MAX];
    const ratings_batch_t *results[RATINGS_APPLY_MAX]; /* of batch_finish, since exchange_begin */
    int count, size;                                   /* of all, see batch_size */
    int64_t begun_at;                                  /* of ratings_monotonic */
    bool is_under_way, has_thread;
    pthread_t thread;
    ratings_cas_e ends[RATINGS_APPLY_MAX]; /* once it has ended; see ratings_store_apply */
    apr_status_t status;
    ratings_result_t why;
    int64_t duration; /* of the store's part, microseconds */
} exchange_t;

/* An empty one. */
void exchange_init(exchange_t *exchange, ratings_store_t *store);

/* Adds a batch, if it fits: small ones go together, large ones one by one, so that Redis answers
 * others between two exchanges. False: it does not. */
bool exchange_add(exchange_t *exchange, batch_t *batch);

/* Sends the batches, and asks for their talks' counts (batch_finish). In the background, if a
 * thread is to be had, or else it has ended when this returns. */
void exchange_begin(exchange_t *exchange, bool in_background, bool wants_counts);

/* Waits until it has ended: no longer than the store's timeout. */
void exchange_end(exchange_t *exchange);

#endif
