/* The way of a request to its endpoint: httpd's hooks.
 *
 * The endpoint is that of the <Location> by which httpd authorises the request, after mod_rewrite
 * has done with its URL, and whichever way the request came: from a client, by an internal redirect
 * or as a subrequest. It stands before files, SetHandler and ProxyPass, whatever the order of
 * LoadModule.
 *
 * Each returns what httpd expects of the hook: OK, DECLINED, DONE, or the status that httpd is to
 * answer.
 * Called by the thread that has the request. */
#ifndef RATINGS_HTTP_ENDPOINT_H
#define RATINGS_HTTP_ENDPOINT_H

#include <httpd.h>

/* Keeps mod_proxy away from an endpoint, so it runs before each of mod_proxy's hooks that
 * translate; the hooks below see what the last section has said (r->per_dir_config). */
int ratings_translate_name(request_rec *r);

/* Lets pages of other origins read the answers of an endpoint, if RatingsOrigin names them, and
 * answers their preflights (DONE). */
int ratings_header_parser(request_rec *r);

/* Keep the files below an endpoint's path, and what modules make of them, out of the request. */
int ratings_map_to_storage(request_rec *r);
int ratings_type_checker(request_rec *r);

/* Makes the module the handler of a request for an endpoint. */
int ratings_fixups(request_rec *r);

/* Replies to a request for an endpoint. */
int ratings_handler(request_rec *r);

/* Counts a request for an endpoint, whoever has answered it, where there are metrics. */
int ratings_log_transaction(request_rec *r);

/* What the path of a request names below its location, as httpd has decoded it, without the slash
 * between. In the request's pool. */
const char *ratings_endpoint_item(request_rec *r);

#endif
