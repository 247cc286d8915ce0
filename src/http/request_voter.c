#include "request_voter.h"

#include "../core/voter_cookie.h"
#include "../module.h"
#include "../service/admission.h"
#include "../shm/metrics.h"
#include "notes.h"
#include "reply.h"
#include "request_tls.h"
#include "use_case_reply.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>

#define COOKIE_MAX_AGE_S "31536000" /* a year */

/* An identity is a text; "" : the request has none; NULL: it could not be found out, and `*why`
 * says why. */

/* ---- by an expression ---- */

static const char *evaluate_identity(request_rec *r, const ratings_location_t *location,
                                     const char **why)
{
    const char *problem = NULL;
    const char *identity = ap_expr_str_exec(r, location->voter_expression, &problem);
    if (problem)
        *why = problem;
    return problem ? NULL : identity;
}

/* ---- by a cookie ---- */

/* Over TLS browsers take the prefix as a promise: no page of another host, and none without TLS,
 * has set it. So one without the prefix is not looked for there. */
static const char *cookie_name(request_rec *r)
{
    return ratings_request_has_tls(r) ? "__Host-ratings-voter" : "ratings-voter";
}

static void set_cookie(request_rec *r, const char *value)
{
    apr_table_addn(r->headers_out, "Set-Cookie",
                   apr_pstrcat(r->pool, cookie_name(r), "=", value,
                               "; Path=/; Max-Age=" COOKIE_MAX_AGE_S "; HttpOnly; SameSite=Lax",
                               ratings_request_has_tls(r) ? "; Secure" : NULL, NULL));
}

static const char *hand_out_identity(request_rec *r, const ratings_secret_t *secret,
                                     const char **why)
{
    char value[RATINGS_COOKIE_VALUE + 1];
    char *identity = apr_palloc(r->pool, RATINGS_COOKIE_IDENTITY + 1);
    if (ratings_voter_cookie_new(secret, identity, value)) {
        set_cookie(r, value);
        return identity;
    }
    *why = "the system gave no random bytes, or memory ran out";
    return NULL;
}

static const char *identity_of_cookie(request_rec *r, const ratings_server_t *server,
                                      bool is_required, const char **why)
{
    char *identity = apr_palloc(r->pool, RATINGS_COOKIE_IDENTITY + 1);
    if (ratings_voter_cookie_find(server->secret, apr_table_get(r->headers_in, "Cookie"),
                                  cookie_name(r), identity))
        return identity;
    if (r->method_number != M_POST)
        return "";
    const char *drawn = hand_out_identity(r, server->secret, why);
    return drawn && is_required ? "" : drawn;
}

/* ---- either ---- */

static const char *identity_of(request_rec *r, const ratings_server_t *server,
                               const ratings_location_t *location, const char **why)
{
    switch (location->voter_source) {
    case RATINGS_VOTER_SOURCE_COOKIE:
        return identity_of_cookie(r, server, location->voter_required == 1, why);
    case RATINGS_VOTER_SOURCE_EXPRESSION:
        return evaluate_identity(r, location, why);
    case RATINGS_VOTER_SOURCE_UNSET:
    case RATINGS_VOTER_SOURCE_OFF:
        break;
    }
    return "";
}

/* RFC 9110, 11.6.1: a 401 has a challenge. That of the location's login, if it has one. */
static int refuse_nobody(request_rec *r, const ratings_location_t *location)
{
    static const char challenge[] = "WWW-Authenticate";
    if (ap_auth_type(r))
        ap_note_auth_failure(r);
    if (!apr_table_get(r->err_headers_out, challenge))
        apr_table_setn(r->err_headers_out, challenge, "RatingsVoter");
    return ratings_reply_problem(
        r, HTTP_UNAUTHORIZED,
        location->voter_source == RATINGS_VOTER_SOURCE_COOKIE
            ? "This takes the cookie of a voter. A POST without one is answered with one: send it "
              "again with that."
            : "This takes a voter, and the request names none.");
}

static int report_failure(request_rec *r, const ratings_server_t *server, const char *why)
{
    int level = ratings_claim_log_level(server->service->child, RATINGS_FAILURE_VOTER, APLOG_ERR);
    ap_log_rerror(APLOG_MARK, level, 0, r,
                  "RT0502: request %s answered with 500: its voter cannot be found out: %s",
                  ratings_request_id(r), why);
    return HTTP_INTERNAL_SERVER_ERROR;
}

static bool admit_voters(request_rec *r, const ratings_server_t *server, int *result)
{
    ratings_call_t call = ratings_use_case_call(r, server);
    ratings_outcome_e outcome = ratings_admit_voters(&call, &server->electorate);
    if (outcome == RATINGS_OUTCOME_OTHER_VOTERS)
        ratings_metrics_voter_refused(server->service->metrics);
    if (outcome == RATINGS_OUTCOME_DONE)
        return true;
    ratings_note_call(r, &call, outcome);
    *result = ratings_use_case_refuse(r, &call, outcome);
    return false;
}

/* Before a cookie is looked at: under the secret of another electorate all would be foreign, and be
 * replaced. Whom an expression does not name is no voter, and may go on. */
bool ratings_request_voter(request_rec *r, const ratings_server_t *server, ratings_voter_t *voter,
                           bool *has_voter, int *result)
{
    const ratings_location_t *location = ratings_location_of_request(r);
    bool is_required = location->voter_required == 1;
    bool is_by_cookie = location->voter_source == RATINGS_VOTER_SOURCE_COOKIE;
    const char *why = "memory ran out";
    *has_voter = false;
    if (is_by_cookie && !admit_voters(r, server, result))
        return false;
    const char *identity = identity_of(r, server, location, &why);
    if (identity && !identity[0]) {
        *result = is_required ? refuse_nobody(r, location) : OK;
        return !is_required;
    }
    if (!is_by_cookie && !admit_voters(r, server, result))
        return false;
    *has_voter =
        identity && ratings_secret_voter(server->secret, server->config.topic, identity, voter);
    if (!*has_voter)
        *result = report_failure(r, server, why);
    return *has_voter;
}

bool ratings_request_admits_voters(const request_rec *r, ratings_call_t *call)
{
    return ratings_admit_voters(call, &ratings_server_of(r->server)->electorate) ==
           RATINGS_OUTCOME_DONE;
}

/* Not a POST: no cookie is handed out. */
bool ratings_request_known_voter(request_rec *r, ratings_voter_t *voter)
{
    const ratings_server_t *server = ratings_server_of(r->server);
    const char *why;
    const char *identity = identity_of(r, server, ratings_location_of_request(r), &why);
    return identity && identity[0] &&
           ratings_secret_voter(server->secret, server->config.topic, identity, voter);
}

void ratings_request_offer_cookie(request_rec *r, const request_rec *endpoint)
{
    const char *why;
    if (ratings_location_of_request(endpoint)->voter_source == RATINGS_VOTER_SOURCE_COOKIE)
        (void)hand_out_identity(r, ratings_server_of(r->server)->secret, &why);
}
