/* An asynchronous resolver: the addresses of a host, looked up within a deadline. getaddrinfo has
 * none and cannot be interrupted, so that a thread of its own calls it, and the caller waits for
 * that no longer than its deadline. One look-up of a host runs at a time, and all callers share it,
 * so that a name server that hangs holds one thread.
 *
 * Not c-ares: it asks name servers itself, past nsswitch.conf, so that names of /etc/hosts by other
 * rules, of mDNS, LDAP or systemd-resolved would resolve everywhere on the host but here. Not
 * getaddrinfo_a: gai_cancel does not end a request that has begun, and its threads are the whole
 * process's.
 *
 * Any thread. The resolver is the caller's memory; a look-up is counted, and freed by its last
 * user. */
#ifndef RATINGS_COMMON_RESOLVER_H
#define RATINGS_COMMON_RESOLVER_H

#include "deadline.h"
#include "result.h"

#include <netdb.h>

typedef struct ratings_resolution_t ratings_resolution_t;

/* The resolver of one host, written as a name or a number. */
typedef struct {
    const char *name;
    char port[8];
    pthread_mutex_t lock;         /* of `latest`; held for no call that may block */
    ratings_resolution_t *latest; /* the look-up that runs, or ran last; NULL before the first */
} ratings_resolver_t;

/* `name` must live as long as `resolver`. */
void ratings_resolver_init(ratings_resolver_t *resolver, const char *name, int port);

/* No call may be under way. A look-up that still runs frees itself. */
void ratings_resolver_destroy(ratings_resolver_t *resolver);

/* On APR_SUCCESS `*resolution` has at least one address until it is unreferenced. A host that is
 * written as a number takes no thread. APR_ECONNREFUSED: there is no such name. APR_TIMEUP: the
 * deadline has passed. RATINGS_NOT_ASKED: no thread, memory or descriptor could be had, or the call
 * was cancelled. */
apr_status_t ratings_resolver_resolve(ratings_resolver_t *resolver,
                                      const ratings_deadline_t *deadline,
                                      ratings_resolution_t **resolution, ratings_result_t *why);
const struct addrinfo *ratings_resolution_addresses(const ratings_resolution_t *resolution);
void ratings_resolution_unref(ratings_resolution_t *resolution);

#endif
