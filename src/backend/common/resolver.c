#include "resolver.h"

#include "thread.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct ratings_resolution_t {
    atomic_int
        references;       /* the host, those who wait, the thread: the last one to leave frees it */
    atomic_bool finished; /* and what follows does not change any more */
    int end;              /* readable once finished */
    int error;            /* of getaddrinfo; EAI_MEMORY also when no thread could be made */
    struct addrinfo *addresses;
    char port[8];
    char name[];
};

/* ---- one look-up ---- */

void ratings_resolution_unref(ratings_resolution_t *lookup)
{
    if (atomic_fetch_sub(&lookup->references, 1) > 1)
        return;
    if (lookup->addresses)
        freeaddrinfo(lookup->addresses);
    if (lookup->end >= 0)
        (void)close(lookup->end);
    free(lookup);
}

static void resolve(ratings_resolution_t *lookup, int flags)
{
    const struct addrinfo hints = {.ai_flags = flags | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    lookup->error = getaddrinfo(lookup->name, lookup->port, &hints, &lookup->addresses);
}

static void finish(ratings_resolution_t *lookup)
{
    atomic_store(&lookup->finished, true);
    (void)eventfd_write(lookup->end, 1);
}

static void *run(void *data)
{
    ratings_resolution_t *lookup = data;
    resolve(lookup, AI_ADDRCONFIG);
    finish(lookup);
    ratings_resolution_unref(lookup);
    return NULL;
}

static void begin(ratings_resolution_t *lookup)
{
    resolve(lookup, AI_NUMERICHOST);
    if (lookup->error == 0) {
        finish(lookup);
        return;
    }
    atomic_fetch_add(&lookup->references, 1);
    if (ratings_thread_start(run, lookup) != 0) {
        lookup->error = EAI_MEMORY;
        finish(lookup);
        atomic_fetch_sub(&lookup->references, 1); /* the thread's: others are left */
    }
}

static ratings_resolution_t *create(const ratings_resolver_t *host)
{
    size_t size = strlen(host->name) + 1;
    ratings_resolution_t *lookup = calloc(1, sizeof *lookup + size);
    if (!lookup)
        return NULL;
    memcpy(lookup->name, host->name, size);
    memcpy(lookup->port, host->port, sizeof lookup->port);
    atomic_init(&lookup->references, 1);
    lookup->end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->end < 0) {
        ratings_resolution_unref(lookup);
        return NULL;
    }
    begin(lookup);
    return lookup;
}

const struct addrinfo *ratings_resolution_addresses(const ratings_resolution_t *lookup)
{
    return lookup->addresses;
}

/* ---- a host ---- */

void ratings_resolver_init(ratings_resolver_t *host, const char *name, int port)
{
    host->name = name;
    (void)snprintf(host->port, sizeof host->port, "%d", port);
    host->latest = NULL;
    pthread_mutex_init(&host->lock, NULL);
}

void ratings_resolver_destroy(ratings_resolver_t *host)
{
    if (host->latest)
        ratings_resolution_unref(host->latest);
    pthread_mutex_destroy(&host->lock);
}

/* The look-up that is under way, or a new one: what was found before may have changed since. */
static ratings_resolution_t *join(ratings_resolver_t *host)
{
    pthread_mutex_lock(&host->lock);
    if (!host->latest || atomic_load(&host->latest->finished)) {
        if (host->latest)
            ratings_resolution_unref(host->latest);
        host->latest = create(host);
    }
    ratings_resolution_t *lookup = host->latest;
    if (lookup)
        atomic_fetch_add(&lookup->references, 1);
    pthread_mutex_unlock(&host->lock);
    return lookup;
}

static apr_status_t await(const ratings_resolution_t *lookup, const ratings_deadline_t *deadline,
                          ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    while (status == APR_SUCCESS && !atomic_load(&lookup->finished))
        status = ratings_deadline_poll(lookup->end, POLLIN, deadline,
                                       "the name of the host was not looked up in time", why);
    if (status == APR_SUCCESS && lookup->error)
        return ratings_result_set(
            why, lookup->error == EAI_MEMORY ? RATINGS_NOT_ASKED : APR_ECONNREFUSED,
            "looking up %s: %s", lookup->name, gai_strerror(lookup->error));
    return status;
}

apr_status_t ratings_resolver_resolve(ratings_resolver_t *host, const ratings_deadline_t *deadline,
                                      ratings_resolution_t **lookup, ratings_result_t *why)
{
    *lookup = join(host);
    if (!*lookup)
        return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory or descriptors");
    apr_status_t status = await(*lookup, deadline, why);
    if (status != APR_SUCCESS)
        ratings_resolution_unref(*lookup);
    return status;
}
