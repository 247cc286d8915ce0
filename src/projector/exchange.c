#include "exchange.h"

#include "../core/assertion.h"
#include "../core/clock.h"

/* Talks, votes, events with a key, and bars, of the batches that are sent together: those of one
 * read go at once. */
#define EXCHANGE_MAX 1000

void exchange_init(exchange_t *exchange, ratings_store_t *store)
{
    *exchange = (exchange_t){.store = store};
}

bool exchange_add(exchange_t *exchange, batch_t *batch)
{
    RATINGS_ASSERT(!exchange->is_under_way);
    bool fits = exchange->count == 0 || (exchange->count < RATINGS_APPLY_MAX &&
                                         exchange->size + batch_size(batch) <= EXCHANGE_MAX);
    if (!fits)
        return false;
    exchange->batches[exchange->count++] = batch;
    exchange->size += batch_size(batch);
    return true;
}

static void *run_exchange(void *data)
{
    exchange_t *exchange = data;
    int64_t since = ratings_monotonic();
    exchange->status = ratings_store_apply(exchange->store, exchange->results, exchange->count,
                                           exchange->ends, &exchange->why);
    exchange->duration = ratings_monotonic() - since;
    return NULL;
}

void exchange_begin(exchange_t *exchange, bool in_background, bool wants_counts)
{
    RATINGS_ASSERT(!exchange->is_under_way);
    for (int i = 0; i < exchange->count; i++)
        exchange->results[i] = batch_finish(exchange->batches[i], wants_counts);
    exchange->begun_at = ratings_monotonic();
    exchange->is_under_way = true;
    exchange->has_thread =
        in_background && pthread_create(&exchange->thread, NULL, run_exchange, exchange) == 0;
    if (!exchange->has_thread)
        (void)run_exchange(exchange);
}

void exchange_end(exchange_t *exchange)
{
    RATINGS_ASSERT(exchange->is_under_way);
    if (exchange->has_thread)
        pthread_join(exchange->thread, NULL);
    exchange->is_under_way = exchange->has_thread = false;
}
