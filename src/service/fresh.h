/* Private to service: reads of the store that count all that this host has shown before. */
#ifndef RATINGS_SERVICE_FRESH_H
#define RATINGS_SERVICE_FRESH_H

#include "use_cases.h"

typedef struct ratings_fresh_t ratings_fresh_t;
struct ratings_fresh_t {
    /* One read; APR_EAGAIN: the store is not of the log that this host knows, or does not count all
     * that this host knows to be applied. Ends by `until`. */
    apr_status_t (*read_once)(ratings_call_t *call, ratings_fresh_t *read);
    int64_t until; /* of ratings_monotonic */
};

/* Reads until it is fresh, by the time of the store (RatingsStoreTimeout) at the latest; a failure
 * is in call->failure.why. */
apr_status_t ratings_fresh_read(ratings_call_t *call, ratings_fresh_t *read);

#endif
