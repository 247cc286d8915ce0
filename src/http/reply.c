#include "reply.h"

#include <apr_sha1.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define RETRY_AFTER_S "1"
#define ETAG_BYTES 12 /* of the digest: as good as unique, and short */

const char *ratings_request_id(request_rec *r)
{
    if (!r->log_id)
        (void)ap_run_generate_log_id(r->connection, r, &r->log_id);
    return r->log_id ? r->log_id : "-";
}

/* ---- bodies ---- */

static int send_body(request_rec *r, int status, const char *type, char *json)
{
    if (!json)
        return HTTP_INTERNAL_SERVER_ERROR;
    size_t length = strlen(json);
    r->status = status;
    ap_set_content_type(r, type);
    ap_set_content_length(r, (apr_off_t)length);
    if (!r->header_only)
        (void)ap_rwrite(json, (int)length, r);
    free(json);
    return OK;
}

int ratings_reply_json(request_rec *r, int status, char *json)
{
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    return send_body(r, status, "application/json", json);
}

/* ---- problems ---- */

static char *problem_text(request_rec *r, int status, const char *detail)
{
    const char *title = ap_get_status_line(status) + sizeof "404";
    json_t *problem = json_pack("{s:s,s:s,s:i,s:s,s:s,s:s}", "type", "about:blank", "title", title,
                                "status", status, "detail", detail, "instance",
                                apr_pstrcat(r->pool, "urn:request:", ratings_request_id(r), NULL),
                                "message", detail);
    char *text = problem ? json_dumps(problem, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    json_decref(problem);
    return text;
}

int ratings_reply_problem(request_rec *r, int status, const char *detail)
{
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    return send_body(r, status, "application/problem+json", problem_text(r, status, detail));
}

int ratings_reply_unavailable(request_rec *r, const char *detail)
{
    apr_table_setn(r->headers_out, "Retry-After", RETRY_AFTER_S);
    return ratings_reply_problem(r, HTTP_SERVICE_UNAVAILABLE, detail);
}

/* ---- entities ---- */

static const char *etag_of(apr_pool_t *pool, const char *body)
{
    apr_sha1_ctx_t context;
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    char hex[2 * ETAG_BYTES + 1];
    apr_sha1_init(&context);
    apr_sha1_update(&context, body, (unsigned)strlen(body));
    apr_sha1_final(digest, &context);
    ap_bin2hex(digest, ETAG_BYTES, hex);
    return apr_pstrcat(pool, "\"", hex, "\"", NULL);
}

typedef int find_etag_fn(apr_pool_t *pool, const char *line, const char *tag);

/* Whether a header names the tag, also as a compressing filter has sent it ("abc" -> "abc-gzip").
 */
static int names_tag(request_rec *r, const char *line, const char *tag, find_etag_fn *find)
{
    static const char *const suffixes[] = {"", "-gzip", "-br"};
    if (strcmp(line, "*") == 0)
        return 1;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        const char *sent =
            apr_psprintf(r->pool, "%.*s%s\"", (int)strlen(tag) - 1, tag, suffixes[i]);
        if (find(r->pool, line, sent))
            return 1;
    }
    return 0;
}

/* RFC 9110, 13.2.2: If-Match comes before If-None-Match. */
static int condition(request_rec *r, const char *tag)
{
    const char *match = apr_table_get(r->headers_in, "If-Match");
    const char *none = apr_table_get(r->headers_in, "If-None-Match");
    if (match && !names_tag(r, match, tag, ap_find_etag_strong))
        return HTTP_PRECONDITION_FAILED;
    if (none && names_tag(r, none, tag, ap_find_etag_weak))
        return HTTP_NOT_MODIFIED;
    return OK;
}

int ratings_reply_entity(request_rec *r, char *json)
{
    if (!json)
        return HTTP_INTERNAL_SERVER_ERROR;
    const char *tag = etag_of(r->pool, json);
    int status = condition(r, tag);
    if (status == HTTP_PRECONDITION_FAILED) {
        free(json);
        return ratings_reply_problem(r, status, "The ratings are not what If-Match names.");
    }
    apr_table_setn(r->headers_out, "ETag", tag);
    apr_table_setn(r->headers_out, "Cache-Control", "no-cache");
    if (status == HTTP_NOT_MODIFIED) {
        free(json);
        r->status = status;
        return OK;
    }
    return send_body(r, HTTP_OK, "application/json", json);
}
