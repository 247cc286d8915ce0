/* Answers: JSON, problems (RFC 9457), entity tags. Each sends the response and returns what the
 * handler is to return. */
#ifndef RATINGS_HTTP_REPLY_H
#define RATINGS_HTTP_REPLY_H

#include "../service/cache.h"

#include <httpd.h>

/* `json` lives as long as the request; NULL (memory ran out) gives a 500. */
int ratings_reply_json(request_rec *r, int status, const char *json);

/* The same for a 200 whose text was made before and lives as long as the child: httpd may write
 * it after the request. */
int ratings_reply_constant(request_rec *r, const char *json);

/* Makes an entity of `json`, which is malloc()ed and freed here. False when memory ran out (`json`
 * is NULL), or when it is too long. */
bool ratings_entity_make(ratings_entity_t *entity, char *json);

/* A 200 that may be validated: strong ETag, If-None-Match and If-Match (RFC 9110, 13),
 * Cache-Control: no-cache. `entity` lives as long as the request. */
int ratings_reply_entity(request_rec *r, const ratings_entity_t *entity);

/* application/problem+json: type, title, status, detail, message (= detail), and the request's id
 * as instance. `detail` says nothing of hosts, paths or libraries. */
int ratings_reply_problem(request_rec *r, int status, const char *detail);

/* The same with Retry-After. */
int ratings_reply_unavailable(request_rec *r, const char *detail);

/* The id of the request, which its lines in the error log carry too (%L). */
const char *ratings_request_id(request_rec *r);

#endif
