/* What comes in: the media type and the body of a POST. */
#ifndef RATINGS_HTTP_REQUEST_H
#define RATINGS_HTTP_REQUEST_H

#include "../core/rating.h"

#include <httpd.h>

/* Reads the rating that the request carries, no more than `limit` bytes of body.
 * RATINGS_REQUEST_OK, or what the handler is to return: a problem was sent, or httpd's own answer
 * was. */
#define RATINGS_REQUEST_OK (-4711)
int ratings_request_rating(request_rec *r, apr_off_t limit, ratings_rating_t *rating);

#endif
