/* The endpoints: what a <Location> may be made to answer, and the way of a request to its function.
 *
 * The endpoint is that of the <Location> by which httpd authorises the request, after mod_rewrite
 * has done with its URL, and whichever way the request came: from a client, by an internal redirect
 * or as a subrequest. It stands before files, SetHandler and ProxyPass, whatever the order of
 * LoadModule. */
#ifndef RATINGS_HTTP_ENDPOINT_H
#define RATINGS_HTTP_ENDPOINT_H

#include "../config/config.h"

#include <httpd.h>

/* Answers a request for one method. Returns what a handler of httpd returns. */
typedef int ratings_method_fn(request_rec *r, const ratings_config_t *config, int variant);

typedef struct ratings_endpoint_t {
    const char *name;
    ratings_method_fn *get;  /* HEAD as well */
    ratings_method_fn *post; /* NULL: not allowed */
    const char *variants[3]; /* names of the variants, the first is the default; NULL ends them */
} ratings_endpoint_t;

/* The endpoint `name` (and `variant`, or NULL) for RatingsEndpoint; "none" sets NULL. Returns NULL,
 * or what is allowed (static). A location whose path ends in "readyz" is ready by default. */
const char *ratings_endpoint_find(const char *name, const char *variant, const char *path,
                                  const ratings_endpoint_t **endpoint, int *found_variant);

/* Hooks. ratings_translate_name keeps mod_proxy away, so it runs before each of its hooks that
 * translate; the others see what the last section has said (r->per_dir_config). */
int ratings_translate_name(request_rec *r);
int ratings_map_to_storage(request_rec *r);
int ratings_type_checker(request_rec *r);
int ratings_fixups(request_rec *r);
int ratings_handler(request_rec *r);

#endif
