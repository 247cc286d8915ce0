#include "page.h"

#include "../config/config.h"
#include "../core/clock.h"
#include "../module.h"
#include "notes.h"
#include "reply.h"
#include "request_voter.h"
#include "use_case_reply.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- variables ---- */

static void set_text(request_rec *r, const char *name, const char *text)
{
    if (text)
        apr_table_set(r->subprocess_env, name, text);
}

/* Also as NAME_TEXT, "2026-11-28 09:00 UTC", for people whose browser runs no script: of the
 * conference's time zone httpd knows the name alone. */
static void set_time(request_rec *r, const char *name, int64_t time)
{
    char text[RATINGS_TIME_TEXT_SIZE];
    if (!ratings_time_print(time, text))
        return;
    apr_table_set(r->subprocess_env, name, text);
    set_text(r, apr_pstrcat(r->pool, name, "_TEXT", NULL),
             apr_psprintf(r->pool, "%.10s %.5s UTC", text, text + strlen("2026-11-28T")));
}

static void set_number(request_rec *r, const char *name, int64_t number)
{
    apr_table_setn(r->subprocess_env, name, apr_psprintf(r->pool, "%" APR_INT64_T_FMT, number));
}

static void set_speakers(request_rec *r, const ratings_talk_t *talk)
{
    char *names = ratings_talk_speakers_text(talk);
    set_text(r, "RATINGS_SPEAKERS", names);
    free(names);
}

static void set_talk(request_rec *r, const ratings_talk_t *talk, int64_t now)
{
    static const char *const states[] = {[RATINGS_WINDOW_OPEN] = "open",
                                         [RATINGS_WINDOW_TO_COME] = "early",
                                         [RATINGS_WINDOW_CLOSED] = "closed"};
    set_text(r, "RATINGS_TITLE", talk->title);
    set_speakers(r, talk);
    set_text(r, "RATINGS_ROOM", talk->room);
    set_text(r, "RATINGS_TRACK", talk->track);
    set_text(r, "RATINGS_LANGUAGE", talk->language);
    set_time(r, "RATINGS_STARTS", talk->starts_at);
    set_time(r, "RATINGS_ENDS", talk->ends_at);
    set_time(r, "RATINGS_OPENS", talk->window.opens_at);
    set_time(r, "RATINGS_CLOSES", talk->window.closes_at);
    set_text(r, "RATINGS_STATE", states[ratings_window_phase(&talk->window, now)]);
}

static void set_hidden(request_rec *r, const ratings_hidden_t *hidden)
{
    set_text(r, "RATINGS_HIDDEN", "1");
    set_number(r, "RATINGS_TOTAL", hidden->total_count);
    set_time(r, "RATINGS_UNTIL", hidden->until);
}

static void set_results(request_rec *r, const ratings_talk_results_t *results)
{
    if (results->hidden.is_hidden) {
        set_hidden(r, &results->hidden);
        return;
    }
    for (int value = RATINGS_VALUE_MIN; value <= RATINGS_VALUE_MAX; value++)
        set_number(r, apr_psprintf(r->pool, "RATINGS_COUNT_%d", value),
                   results->histogram.count[value - RATINGS_VALUE_MIN]);
    if (!results->has_statistics)
        return;
    set_number(r, "RATINGS_TOTAL", results->statistics.total_count);
    if (results->statistics.total_count > 0)
        set_text(r, "RATINGS_AVERAGE", apr_psprintf(r->pool, "%.2f", results->statistics.avg));
}

/* ---- the talk and its ratings ---- */

static void log_lack(request_rec *r, const ratings_call_t *call)
{
    int level = ratings_failure_log_level(call, RATINGS_FAILURE_UNAVAILABLE, APLOG_ERR);
    ap_log_rerror(APLOG_MARK, level, 0, r, "RT0503: request %s answered with a page without %s: %s",
                  ratings_request_id(r), call->failure.part, call->failure.why.detail);
}

static void show_listing(request_rec *r, const ratings_listing_t *listing, int64_t now)
{
    if (listing->page.count == 0) {
        set_text(r, "RATINGS_STATE", "unavailable");
        return;
    }
    set_talk(r, listing->page.talks[0], now);
    set_text(r, "RATINGS_ZONE", listing->zone);
    if (listing->results)
        set_results(r, listing->results);
}

/* A page that lacks the ratings, or all but a form, is more use than none. */
static ratings_outcome_e show_talk(request_rec *r, ratings_call_t *call, const char *talk_id)
{
    const ratings_hide_rules_t rules = ratings_location_hide_rules(
        ratings_location_of_request(r), ratings_config_of_server(r->server));
    ratings_listing_t *listing = apr_palloc(r->pool, sizeof *listing);
    ratings_outcome_e outcome = ratings_list_talk(call, talk_id, true, &rules, listing);
    if (outcome == RATINGS_OUTCOME_NO_TALK)
        return outcome;
    if (outcome != RATINGS_OUTCOME_DONE)
        log_lack(r, call);
    set_text(r, "RATINGS_TALK", talk_id);
    show_listing(r, listing, call->came_at);
    return outcome;
}

/* ---- the voter's own rating ---- */

/* `endpoint`: a request for the ratings. */
static void show_own(request_rec *r, ratings_call_t *call, request_rec *endpoint,
                     const char *talk_id)
{
    ratings_voter_t voter;
    int value;
    if (!ratings_location_has_voters(ratings_location_of_request(endpoint)))
        return;
    set_text(r, "RATINGS_VOTERS", "1");
    if (endpoint->status != HTTP_OK || !ratings_request_admits_voters(endpoint, call))
        return;
    if (!ratings_request_known_voter(endpoint, &voter))
        ratings_request_offer_cookie(r, endpoint);
    else if (ratings_read_own(call, talk_id, &voter, &value) == RATINGS_OUTCOME_DONE &&
             value != RATINGS_VALUE_NONE)
        set_number(r, "RATINGS_MINE", value);
}

/* By a subrequest, so that who votes is found out as where the form is sent: by the directives, the
 * login and the access of that location. */
static void show_voter(request_rec *r, ratings_call_t *call, const char *talk_id)
{
    const char *path = ratings_config_of_server(r->server)->ratings_path;
    if (!path)
        return;
    request_rec *endpoint = ap_sub_req_method_uri("GET", path, r, NULL);
    show_own(r, call, endpoint, talk_id);
    ap_destroy_sub_req(endpoint);
}

/* ---- the hook ---- */

/* The talk whose page the request is for, as httpd has decoded its path; NULL: it is for none. */
static const char *talk_of_page(const request_rec *r)
{
    const char *page = ratings_config_of_server(r->server)->page;
    size_t length = page ? strlen(page) : 0;
    if (!page || r->main || r->proxyreq != PROXYREQ_NONE || r->method_number != M_GET || !r->uri ||
        strncmp(r->uri, page, length) != 0 || !r->uri[length])
        return NULL;
    return r->uri + length;
}

int ratings_page_fill(request_rec *r)
{
    const char *talk_id = talk_of_page(r);
    if (!talk_id)
        return DECLINED;
    ratings_call_t call = ratings_use_case_call(r, ratings_server_of(r->server));
    ratings_outcome_e outcome = show_talk(r, &call, talk_id);
    if (outcome != RATINGS_OUTCOME_NO_TALK)
        show_voter(r, &call, talk_id);
    ratings_note_call(r, &call, outcome); /* with the time that the voter's own rating took */
    if (outcome == RATINGS_OUTCOME_NO_TALK)
        return HTTP_NOT_FOUND;
    apr_table_setn(r->headers_out, "Cache-Control", "private, no-cache");
    return DECLINED;
}
