#include "request.h"

#include "../core/media_type.h"
#include "page_form.h"
#include "reply.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include <stdbool.h>
#include <string.h>

typedef const char *parse_rating_fn(const char *body, size_t len, ratings_rating_t *out);

/* ---- media type ---- */

static const struct {
    const char *type;
    parse_rating_fn *parse;
} media_types[] = {
    {"application/json", ratings_rating_from_json},
    {"application/x-www-form-urlencoded", ratings_rating_from_form},
};

static parse_rating_fn *parser_of(const request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    const char *coding = apr_table_get(r->headers_in, "Content-Encoding");
    if (!type || !ratings_media_type_is_utf8(type) ||
        (coding && strcasecmp(coding, "identity") != 0))
        return NULL;
    for (size_t i = 0; i < sizeof media_types / sizeof media_types[0]; i++)
        if (ratings_media_type_is(type, media_types[i].type))
            return media_types[i].parse;
    return NULL;
}

/* ---- body ---- */

static int refuse_too_long(request_rec *r)
{
    r->connection->keepalive = AP_CONN_CLOSE; /* what is left of the body is not read */
    return ratings_reply_problem(r, HTTP_REQUEST_ENTITY_TOO_LARGE, "The body is too long.");
}

static bool announced_too_long(const request_rec *r, apr_off_t limit)
{
    const char *header = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t length = 0;
    return header && (apr_strtoff(&length, header, NULL, 10) != APR_SUCCESS || length > limit);
}

/* AP_FILTER_ERROR: a filter has sent the answer. */
static int refuse_unread(request_rec *r, apr_status_t status)
{
    if (status == AP_FILTER_ERROR)
        return AP_FILTER_ERROR;
    r->connection->keepalive = AP_CONN_CLOSE;
    if (APR_STATUS_IS_TIMEUP(status))
        return ratings_reply_problem(r, HTTP_REQUEST_TIME_OUT, "The body did not come in time.");
    if (APR_STATUS_IS_ENOSPC(status)) /* LimitRequestBody */
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    return ratings_reply_problem(r, HTTP_BAD_REQUEST, "The body was cut short or broken.");
}

typedef struct {
    char *bytes;
    apr_size_t length, room;
    bool complete; /* its end was read */
    bool overflow; /* it is longer than the room */
} body_t;

static apr_status_t append_buckets(apr_bucket_brigade *brigade, body_t *body)
{
    for (apr_bucket *b = APR_BRIGADE_FIRST(brigade);
         b != APR_BRIGADE_SENTINEL(brigade) && !body->complete; b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t length;
        body->complete = APR_BUCKET_IS_EOS(b);
        if (APR_BUCKET_IS_METADATA(b))
            continue;
        apr_status_t status = apr_bucket_read(b, &data, &length, APR_BLOCK_READ);
        if (status != APR_SUCCESS)
            return status;
        if (length > body->room - body->length) {
            body->overflow = true;
            return APR_SUCCESS;
        }
        memcpy(body->bytes + body->length, data, length);
        body->length += length;
    }
    return APR_SUCCESS;
}

/* Ends: each iteration takes at least one byte of a bounded number, or fails by httpd's own
 * Timeout. */
static apr_status_t read_body(request_rec *r, body_t *body)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_status_t status = APR_SUCCESS;
    while (status == APR_SUCCESS && !body->complete && !body->overflow) {
        status = ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ,
                                (apr_off_t)(body->room - body->length) + 1);
        if (status == APR_SUCCESS)
            status = append_buckets(brigade, body);
        apr_brigade_cleanup(brigade);
    }
    return status;
}

/* OK, with the whole body, or the result of the handler. */
static int receive_rating_body(request_rec *r, apr_off_t limit, body_t *body)
{
    if (announced_too_long(r, limit))
        return refuse_too_long(r);
    *body = (body_t){.bytes = apr_palloc(r->pool, (apr_size_t)limit), .room = (apr_size_t)limit};
    apr_status_t status = read_body(r, body);
    if (status != APR_SUCCESS)
        return refuse_unread(r, status);
    return body->overflow ? refuse_too_long(r) : OK;
}

bool ratings_request_page_form(request_rec *r, const ratings_config_t *config, int *result)
{
    body_t body = {.complete = false};
    if (!config->page || parser_of(r) != ratings_rating_from_form || !ratings_page_form_is_sent(r))
        return true;
    *result = receive_rating_body(r, config->body_limit, &body);
    if (body.complete)
        ratings_page_form_take(r, config, body.bytes, body.length);
    return body.complete;
}

static const char *parse_page_form(const request_rec *r, const ratings_page_form_t *form,
                                   ratings_rating_t *rating)
{
    return ratings_location_has_voters(ratings_location_of_request(r))
               ? ratings_rating_from_page_form(form->body, form->length, rating)
               : ratings_rating_from_form(form->body, form->length, rating);
}

static bool receive_rating(request_rec *r, apr_off_t limit, ratings_rating_t *rating,
                           const char **problem, int *result)
{
    const ratings_page_form_t *form = ratings_page_form_of(r);
    parse_rating_fn *parse_rating = parser_of(r);
    body_t body = {.complete = false};
    if (form) {
        *problem = parse_page_form(r, form, rating);
        return true;
    }
    if (!parse_rating) {
        *result = ratings_reply_problem(
            r, HTTP_UNSUPPORTED_MEDIA_TYPE,
            "A rating is sent as application/json or application/x-www-form-urlencoded, in UTF-8 "
            "and without a content coding.");
        return false;
    }
    *result = receive_rating_body(r, limit, &body);
    if (body.complete)
        *problem = parse_rating(body.bytes, body.length, rating);
    return body.complete;
}

bool ratings_request_rating(request_rec *r, apr_off_t limit, ratings_rating_t *rating, int *result)
{
    const char *problem = NULL;
    if (!receive_rating(r, limit, rating, &problem, result))
        return false;
    if (problem)
        *result = ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    return problem == NULL;
}
