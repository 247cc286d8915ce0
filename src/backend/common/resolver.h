/* The addresses of a host, looked up within a deadline: getaddrinfo knows none and cannot be
 * interrupted, so that a thread made for it calls it. One look-up at a time is under way for a
 * host, which all who want it share, so that a name server that hangs holds one thread. Any thread.
 */
#ifndef RATINGS_COMMON_RESOLVER_H
#define RATINGS_COMMON_RESOLVER_H

#include "deadline.h"
#include "result.h"

#include <netdb.h>

typedef struct ratings_resolution_t ratings_resolution_t;

/* One host, by name or by number. */
typedef struct {
    const char *name;
    char port[8];
    pthread_mutex_t lock;
    ratings_resolution_t *latest; /* NULL before the first */
} ratings_resolver_t;

/* `name` must live as long as `host`. */
void ratings_resolver_init(ratings_resolver_t *host, const char *name, int port);
void ratings_resolver_destroy(ratings_resolver_t *host); /* a look-up under way goes by itself */

/* On APR_SUCCESS there is at least one address, until the look-up is left. A host that is written
 * as a number takes no thread. APR_ECONNREFUSED: there is no such name. RATINGS_NOT_ASKED: no
 * thread, memory or descriptor could be had. */
apr_status_t ratings_resolver_resolve(ratings_resolver_t *host, const ratings_deadline_t *deadline,
                                      ratings_resolution_t **lookup, ratings_result_t *why);
const struct addrinfo *ratings_resolution_addresses(const ratings_resolution_t *lookup);
void ratings_resolution_unref(ratings_resolution_t *lookup);

#endif
