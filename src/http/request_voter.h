/* Who votes by a request (RatingsVoter): the browser that a cookie tells, or whom an expression of
 * httpd names. In the thread that has the request. */
#ifndef RATINGS_HTTP_REQUEST_VOTER_H
#define RATINGS_HTTP_REQUEST_VOTER_H

#include "../config/config.h"
#include "../core/voter.h"
#include "../service/use_cases.h"

#include <httpd.h>

#include <stdbool.h>

/* Finds the voter, if the request has one: without RatingsVoter none has, so that
 * RatingsVoterRequired refuses all rather than let all vote who were to be kept out.
 *
 * A browser without a cookie of this server gets one with the reply to a POST, whatever its status,
 * and is the voter of that POST, unless RatingsVoterRequired refuses it: then nothing has counted
 * before the browser has shown that it keeps the cookie. No other method hands out a cookie,
 * but for a page (below).
 *
 * False: the request needs a voter and has none (401); it has one, and this server's secret is not
 * that of the electorate that votes, or which one does is not known yet (503); or who it is could
 * not be found out. The response was sent, or is httpd's own, and `*result` is what the handler
 * returns. */
bool ratings_request_voter(request_rec *r, const ratings_server_t *server, ratings_voter_t *voter,
                           bool *has_voter, int *result);

/* Whether the server's secret is that of the electorate that votes; replies nothing. `call`: of a
 * use case, by whose deadline it ends. Of a page, before what follows: the cookie of another
 * electorate's secret is not replaced. */
bool ratings_request_admits_voters(const request_rec *r, ratings_call_t *call);

/* Finds the voter that a request has already shown, and replies nothing. False: it has none, or
 * that could not be found out. */
bool ratings_request_known_voter(request_rec *r, ratings_voter_t *voter);

/* Gives the browser that asks for a page a cookie with the response to `r`, if `endpoint`, where
 * the page sends ratings, knows voters by one: the browser then has it before anything counts, and
 * a first rating whose answer is lost is the same voter's when it is sent again. For a request that
 * has shown no voter; without random bytes it gets none, and the POST says so. */
void ratings_request_offer_cookie(request_rec *r, const request_rec *endpoint);

#endif
