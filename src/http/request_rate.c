#include "request_rate.h"

#include "../core/clock.h"
#include "../service/service.h"
#include "reply.h"

#include <apr_strings.h>

/* Whole seconds, rounded up: whoever waits for so long is admitted. */
static int reply_too_many(request_rec *r, int64_t wait_us)
{
    apr_table_setn(r->headers_out, "Retry-After",
                   apr_psprintf(r->pool, "%" APR_INT64_T_FMT,
                                (wait_us + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC));
    return ratings_reply_problem(r, HTTP_TOO_MANY_REQUESTS,
                                 "You have sent many ratings in a short time. Please wait.");
}

bool ratings_request_within_rate(request_rec *r, const ratings_server_t *server,
                                 const ratings_voter_t *voter, int *result)
{
    const ratings_location_t *location = ratings_location_of_request(r);
    if (!ratings_location_has_rate(location))
        return true;
    int64_t wait = ratings_voter_rates_admit(server->service->rates, &location->voter_rate, voter,
                                             ratings_monotonic());
    if (wait > 0)
        *result = reply_too_many(r, wait);
    return wait == 0;
}
