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
    atomic_int references; /* of the resolver, of each caller, of the thread */
    atomic_bool finished;  /* and what follows does not change any more */
    int finished_fd;       /* readable once finished */
    int error;             /* of getaddrinfo; EAI_MEMORY also when no thread could be made */
    struct addrinfo *addresses;
    char port[8];
    char name[];
};

/* ---- one look-up ---- */

void ratings_resolution_unref(ratings_resolution_t *resolution)
{
    if (atomic_fetch_sub(&resolution->references, 1) > 1)
        return;
    if (resolution->addresses)
        freeaddrinfo(resolution->addresses);
    if (resolution->finished_fd >= 0)
        (void)close(resolution->finished_fd);
    free(resolution);
}

static void call_getaddrinfo(ratings_resolution_t *resolution, int flags)
{
    const struct addrinfo hints = {.ai_flags = flags | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    resolution->error =
        getaddrinfo(resolution->name, resolution->port, &hints, &resolution->addresses);
}

static void finish_resolution(ratings_resolution_t *resolution)
{
    atomic_store(&resolution->finished, true);
    (void)eventfd_write(resolution->finished_fd, 1);
}

static void *run_resolution(void *data)
{
    ratings_resolution_t *resolution = data;
    call_getaddrinfo(resolution, AI_ADDRCONFIG);
    finish_resolution(resolution);
    ratings_resolution_unref(resolution);
    return NULL;
}

static void begin_resolution(ratings_resolution_t *resolution)
{
    call_getaddrinfo(resolution, AI_NUMERICHOST);
    if (resolution->error == 0) {
        finish_resolution(resolution);
        return;
    }
    atomic_fetch_add(&resolution->references, 1);
    if (ratings_thread_start(run_resolution, resolution) != 0) {
        resolution->error = EAI_MEMORY;
        finish_resolution(resolution);
        atomic_fetch_sub(&resolution->references, 1); /* the thread's: there are others */
    }
}

static ratings_resolution_t *create_resolution(const ratings_resolver_t *resolver)
{
    size_t size = strlen(resolver->name) + 1;
    ratings_resolution_t *resolution = calloc(1, sizeof *resolution + size);
    if (!resolution)
        return NULL;
    memcpy(resolution->name, resolver->name, size);
    memcpy(resolution->port, resolver->port, sizeof resolution->port);
    atomic_init(&resolution->references, 1);
    resolution->finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (resolution->finished_fd < 0) {
        ratings_resolution_unref(resolution);
        return NULL;
    }
    begin_resolution(resolution);
    return resolution;
}

const struct addrinfo *ratings_resolution_addresses(const ratings_resolution_t *resolution)
{
    return resolution->addresses;
}

/* ---- the resolver of a host ---- */

void ratings_resolver_init(ratings_resolver_t *resolver, const char *name, int port)
{
    resolver->name = name;
    (void)snprintf(resolver->port, sizeof resolver->port, "%d", port);
    resolver->latest = NULL;
    pthread_mutex_init(&resolver->lock, NULL);
}

void ratings_resolver_destroy(ratings_resolver_t *resolver)
{
    if (resolver->latest)
        ratings_resolution_unref(resolver->latest);
    pthread_mutex_destroy(&resolver->lock);
}

/* The look-up that runs, or a new one: what was found before may have changed since. */
static ratings_resolution_t *join_resolution(ratings_resolver_t *resolver)
{
    pthread_mutex_lock(&resolver->lock);
    if (!resolver->latest || atomic_load(&resolver->latest->finished)) {
        if (resolver->latest)
            ratings_resolution_unref(resolver->latest);
        resolver->latest = create_resolution(resolver);
    }
    ratings_resolution_t *resolution = resolver->latest;
    if (resolution)
        atomic_fetch_add(&resolution->references, 1);
    pthread_mutex_unlock(&resolver->lock);
    return resolution;
}

static apr_status_t await_resolution(const ratings_resolution_t *resolution,
                                     const ratings_deadline_t *deadline, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    while (status == APR_SUCCESS && !atomic_load(&resolution->finished))
        status = ratings_deadline_poll(resolution->finished_fd, POLLIN, deadline,
                                       "the name of the host was not looked up in time", why);
    if (status == APR_SUCCESS && resolution->error)
        return ratings_result_set(
            why, resolution->error == EAI_MEMORY ? RATINGS_NOT_ASKED : APR_ECONNREFUSED,
            "looking up %s: %s", resolution->name, gai_strerror(resolution->error));
    return status;
}

apr_status_t ratings_resolver_resolve(ratings_resolver_t *resolver,
                                      const ratings_deadline_t *deadline,
                                      ratings_resolution_t **resolution, ratings_result_t *why)
{
    *resolution = join_resolution(resolver);
    if (!*resolution)
        return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory or descriptors");
    apr_status_t status = await_resolution(*resolution, deadline, why);
    if (status != APR_SUCCESS)
        ratings_resolution_unref(*resolution);
    return status;
}
