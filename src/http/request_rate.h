/* How often the voter of a request may write (RatingsVoterRate). In the thread that has the
 * request. */
#ifndef RATINGS_HTTP_REQUEST_RATE_H
#define RATINGS_HTTP_REQUEST_RATE_H

#include "../config/config.h"
#include "../core/voter.h"

#include <httpd.h>

#include <stdbool.h>

/* Counts the request of the voter, whatever becomes of it, if the location has a rate.
 *
 * False: the voter has to wait. The response was sent (429, with Retry-After), and `*result` is
 * what the handler returns. */
bool ratings_request_within_rate(request_rec *r, const ratings_server_t *server,
                                 const ratings_voter_t *voter, int *result);

#endif
