/* The functions of the endpoints: endpoint.c has the table of which endpoint has which, and the
 * files endpoint_*.c have them. docs/api.md lists the statuses of each.
 *
 * Each replies to one request, `r`, in the thread that has it: it sends the response by
 * ratings_reply_*, and waits for backends no longer than RatingsDeadline. `server` is the record of
 * r->server; its service is never NULL, since a server that has an endpoint and no service does not
 * start. Returns what httpd expects of a handler: OK once a response was sent, whatever its status;
 * or a status for httpd to answer by itself, where nothing was sent. */
#ifndef RATINGS_HTTP_HANDLERS_H
#define RATINGS_HTTP_HANDLERS_H

#include "../config/config.h"

#include <httpd.h>

typedef int ratings_endpoint_fn(request_rec *r, const ratings_server_t *server);

ratings_endpoint_fn ratings_get_ratings;    /* a talk's histogram and statistics */
ratings_endpoint_fn ratings_post_ratings;   /* submits a rating */
ratings_endpoint_fn ratings_delete_ratings; /* withdraws the voter's rating */
ratings_endpoint_fn ratings_get_mine;       /* the voter's own rating of a talk */
ratings_endpoint_fn ratings_get_talks;      /* a page of the talks */
ratings_endpoint_fn ratings_get_talk;       /* the talk that the path below the location names */
ratings_endpoint_fn ratings_get_metadata;   /* what the service is connected to, and its version */
ratings_endpoint_fn ratings_get_live;       /* 200 as long as httpd answers */
ratings_endpoint_fn ratings_get_metrics;    /* what the host counts, in the format of Accept */
ratings_endpoint_fn ratings_get_ready;      /* 200 or 503, with the state of each backend */

#endif
