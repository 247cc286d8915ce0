#include "reply.h"

#include "../service/pool_json.h"
#include "page_form.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <util_filter.h>

#include <stdbool.h>
#include <string.h>

#define RETRY_AFTER_S "1"

const char *ratings_request_id(request_rec *r)
{
    if (!r->log_id)
        (void)ap_run_generate_log_id(r->connection, r, &r->log_id);
    return r->log_id ? r->log_id : "-";
}

/* ---- bodies ---- */

/* One brigade with the body and its end, so that httpd sends headers and body by one write. A
 * filter that fails before anything was sent makes it httpd's to answer (default_handler does the
 * same). */
static int send_bucket(request_rec *r, int status, const char *type, apr_bucket *body)
{
    conn_rec *c = r->connection;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, c->bucket_alloc);
    r->status = status;
    ap_set_content_type(r, type);
    ap_set_content_length(r, (apr_off_t)body->length);
    APR_BRIGADE_INSERT_TAIL(brigade, body);
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(c->bucket_alloc));
    apr_status_t sent = ap_pass_brigade(r->output_filters, brigade);
    return sent == APR_SUCCESS || c->aborted || r->status != HTTP_OK ? OK
                                                                     : HTTP_INTERNAL_SERVER_ERROR;
}

static int send_body(request_rec *r, int status, const char *type, const char *json)
{
    if (!json)
        return HTTP_INTERNAL_SERVER_ERROR;
    return send_bucket(
        r, status, type,
        apr_bucket_pool_create(json, strlen(json), r->pool, r->connection->bucket_alloc));
}

/* Its address tells it from one that another module has set. */
static const char private_reply[] = "private, no-store";

void ratings_reply_privately(request_rec *r)
{
    apr_table_setn(r->headers_out, "Cache-Control", private_reply);
}

static void forbid_storing(request_rec *r)
{
    if (apr_table_get(r->headers_out, "Cache-Control") != private_reply)
        apr_table_setn(r->headers_out, "Cache-Control", "no-store");
}

int ratings_reply_json(request_rec *r, int status, const char *json)
{
    if (json && ratings_page_form_reply(r, status))
        return OK;
    forbid_storing(r);
    return send_body(r, status, "application/json", json);
}

int ratings_reply_constant(request_rec *r, const char *json)
{
    forbid_storing(r);
    return send_bucket(r, HTTP_OK, "application/json",
                       apr_bucket_immortal_create(json, strlen(json), r->connection->bucket_alloc));
}

int ratings_reply_text(request_rec *r, const char *type, const char *text, size_t length)
{
    if (!text)
        return HTTP_INTERNAL_SERVER_ERROR;
    forbid_storing(r);
    return send_bucket(r, HTTP_OK, type,
                       apr_bucket_pool_create(text, length, r->pool, r->connection->bucket_alloc));
}

/* A 204 has no length either (RFC 9110, 8.6). */
int ratings_reply_empty(request_rec *r, int status)
{
    if (ratings_page_form_reply(r, status))
        return OK;
    forbid_storing(r);
    r->status = status;
    if (status != HTTP_NO_CONTENT)
        ap_set_content_length(r, 0);
    return OK;
}

/* ---- problems ---- */

/* That of RFC 9110, which httpds of before 2022 do not know of every status. */
static const char *title_of(int status)
{
    switch (status) {
    case HTTP_REQUEST_ENTITY_TOO_LARGE:
        return "Content Too Large";
    case HTTP_UNPROCESSABLE_ENTITY:
        return "Unprocessable Content";
    default:
        return ap_get_status_line(status) + sizeof "404";
    }
}

static json_t *make_problem(request_rec *r, int status, const char *detail)
{
    return json_pack("{s:s,s:s,s:i,s:s,s:s,s:s}", "type", "about:blank", "title", title_of(status),
                     "status", status, "detail", detail, "instance",
                     apr_pstrcat(r->pool, "urn:request:", ratings_request_id(r), NULL), "message",
                     detail);
}

static int send_problem(request_rec *r, int status, json_t *problem)
{
    if (problem && ratings_page_form_reply(r, status)) {
        json_decref(problem);
        return OK;
    }
    forbid_storing(r);
    return send_body(r, status, "application/problem+json", ratings_pool_json(r->pool, problem));
}

int ratings_reply_problem(request_rec *r, int status, const char *detail)
{
    return send_problem(r, status, make_problem(r, status, detail));
}

int ratings_reply_problem_with(request_rec *r, int status, const char *detail, json_t *more)
{
    json_t *problem = make_problem(r, status, detail);
    bool is_whole = problem && more && json_object_update(problem, more) == 0;
    json_decref(more);
    if (!is_whole) {
        json_decref(problem);
        problem = NULL;
    }
    return send_problem(r, status, problem);
}

int ratings_reply_unavailable(request_rec *r, const char *detail)
{
    apr_table_setn(r->headers_out, "Retry-After", RETRY_AFTER_S);
    return ratings_reply_problem(r, HTTP_SERVICE_UNAVAILABLE, detail);
}

/* ---- representations ---- */

typedef int find_etag_fn(apr_pool_t *pool, const char *line, const char *tag);

/* Whether a header names the tag, also as a compressing filter has sent it ("abc" -> "abc-gzip").
 */
static bool names_tag(request_rec *r, const char *line, const char *tag, find_etag_fn *find_etag)
{
    static const char *const suffixes[] = {"", "-gzip", "-br"};
    if (strcmp(line, tag) == 0 || strcmp(line, "*") == 0)
        return true;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        const char *sent =
            apr_psprintf(r->pool, "%.*s%s\"", (int)strlen(tag) - 1, tag, suffixes[i]);
        if (find_etag(r->pool, line, sent))
            return true;
    }
    return false;
}

/* RFC 9110, 13.2.2: If-Match comes before If-None-Match. Not ap_meets_conditions, which answers
 * If-Match with an HTML page and does not know the tags of compressing filters. */
static int status_by_conditions(request_rec *r, const char *tag)
{
    const char *match = apr_table_get(r->headers_in, "If-Match");
    const char *none = apr_table_get(r->headers_in, "If-None-Match");
    if (match && !names_tag(r, match, tag, ap_find_etag_strong))
        return HTTP_PRECONDITION_FAILED;
    if (none && names_tag(r, none, tag, ap_find_etag_weak))
        return HTTP_NOT_MODIFIED;
    return HTTP_OK;
}

int ratings_reply_representation(request_rec *r, const ratings_representation_t *representation)
{
    int status = status_by_conditions(r, representation->etag);
    if (status == HTTP_PRECONDITION_FAILED)
        return ratings_reply_problem(r, status, representation->mismatch);
    apr_table_setn(r->headers_out, "ETag", representation->etag);
    apr_table_setn(r->headers_out, "Cache-Control", "no-cache");
    if (status == HTTP_NOT_MODIFIED) {
        r->status = status;
        return OK;
    }
    return send_bucket(r, HTTP_OK, representation->type,
                       apr_bucket_pool_create(representation->body, representation->length, r->pool,
                                              r->connection->bucket_alloc));
}
