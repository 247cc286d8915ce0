/* Responses: JSON, problem documents (RFC 9457), and representations that a client may validate
 * (RFC 9110, 13).
 *
 * Each ratings_reply_* sends the response to `r`, in the thread that has it, and returns what the
 * handler returns: OK, or HTTP_INTERNAL_SERVER_ERROR where nothing was sent, so that httpd answers.
 * To the form of a page (page_form.h) the response is that page. */
#ifndef RATINGS_HTTP_REPLY_H
#define RATINGS_HTTP_REPLY_H

#include "../shm/entity.h" /* ratings_etag_of */

#include <httpd.h>

#include <jansson.h>
#include <stddef.h>

/* application/json that no cache may keep (no-store). `json` lives as long as the request; NULL
 * (memory ran out) is a 500. */
int ratings_reply_json(request_rec *r, int status, const char *json);

/* The same for a 200 whose text lives as long as the child: httpd may write it after the request.
 */
int ratings_reply_constant(request_rec *r, const char *json);

/* A 200 of another media type, its parameters included, that no cache may keep: `length` bytes that
 * live as long as the request; `text` NULL (memory ran out) is a 500. */
int ratings_reply_text(request_rec *r, const char *type, const char *text, size_t length);

/* Whatever is replied to the request afterwards is for its sender alone, and says so to caches
 * (private, no-store). */
void ratings_reply_privately(request_rec *r);

/* A status without a body. */
int ratings_reply_empty(request_rec *r, int status);

/* What a 200 carries, if it may be kept and validated. All of it lives as long as the request. */
typedef struct {
    const char *type; /* media type */
    const char *body;
    size_t length;        /* of the body, bytes */
    const char *etag;     /* strong, with its quotes: ratings_etag_of */
    const char *mismatch; /* what a 412 says: If-Match names another representation */
} ratings_representation_t;

/* 200, or 304 by If-None-Match, or 412 by If-Match; Cache-Control: no-cache. */
int ratings_reply_representation(request_rec *r, const ratings_representation_t *representation);

/* application/problem+json: type, title, status, detail, message (= detail), and the request's id
 * as instance. `detail` says nothing of hosts, paths or libraries. */
int ratings_reply_problem(request_rec *r, int status, const char *detail);

/* The same with more members, those of `more` (an object), which come last. Takes over the
 * reference to `more`; NULL (memory ran out) is a 500. */
int ratings_reply_problem_with(request_rec *r, int status, const char *detail, json_t *more);

/* A 503 of the same form, with Retry-After. */
int ratings_reply_unavailable(request_rec *r, const char *detail);

/* The id of the request, which its lines in the error log carry too (%L). Never NULL; lives as long
 * as the request. */
const char *ratings_request_id(request_rec *r);

#endif
