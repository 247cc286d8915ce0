/* The rating that a POST carries: its media type and its body (RFC 9110, 8.3; docs/api.md). */
#ifndef RATINGS_HTTP_REQUEST_H
#define RATINGS_HTTP_REQUEST_H

#include "../config/config.h"
#include "../core/rating.h"

#include <httpd.h>

#include <stdbool.h>

/* Reads the rating of a request, in the thread that has it: waits for the client, each time no
 * longer than httpd's Timeout. `limit`: the longest body that is taken, bytes (RatingsBodyLimit).
 *
 * False: the request carries none, and its response was sent: a problem, or httpd's own. `*result`
 * is then what the handler returns. A media type or an announced length that is not taken is
 * refused before the body is asked for, so that a client with Expect: 100-continue need not send
 * it. */
bool ratings_request_rating(request_rec *r, apr_off_t limit, ratings_rating_t *rating, int *result);

/* Reads the form of a page (page_form.h), if the request carries one, before all else of it is
 * looked at: so what is refused goes to the page, too. False: the body cannot be read; as above. */
bool ratings_request_page_form(request_rec *r, const ratings_config_t *config, int *result);

#endif
