/* Ratings-Position: where a rating is in the log, on the answer to the request that has recorded
 * it; and on a later GET, which then counts it on whichever host (docs/api.md). In the thread that
 * has the request. */
#ifndef RATINGS_HTTP_POSITION_HEADER_H
#define RATINGS_HTTP_POSITION_HEADER_H

#include "../core/position.h"

#include <httpd.h>

/* NULL, or what is wrong with the request's header (a sentence for the client). `*position` is none
 * if there is no header. */
const char *ratings_position_of_request(const request_rec *r, ratings_position_t *position);

/* Adds the header to the response that is still to be sent, unless the position is none, or the
 * response is the page of a form, which a browser without scripts does not look into. */
void ratings_reply_at_position(request_rec *r, const ratings_position_t *position);

#endif
