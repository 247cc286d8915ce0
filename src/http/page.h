/* The page of a talk (RatingsPage): what mod_include needs to fill it in. */
#ifndef RATINGS_HTTP_PAGE_H
#define RATINGS_HTTP_PAGE_H

#include <httpd.h>

/* A hook of httpd, once a request is authorised and before mod_negotiation gives it the URL of a
 * variant: of a GET of a talk's page it sets the variables RATINGS_... of docs/directives.md in its
 * environment, and has browsers and caches keep no copy. Waits for backends no longer than
 * RatingsDeadline. DECLINED; or 404: there is no such talk. */
int ratings_page_fill(request_rec *r);

#endif
