#include "store_place.h"

#include "../../core/crc32.h"
#include "store_dial.h"

#include <apr_strings.h>

#include <string.h>

/* ---- what the URL says ---- */

void store_place_init(store_place_t *place, const ratings_redis_url_t *url,
                      const ratings_tls_context_t *tls, apr_pool_t *pool)
{
    memset(place, 0, sizeof *place);
    place->tls = tls;
    place->socket = url->socket[0] ? apr_pstrdup(pool, url->socket) : NULL;
    place->hosts = apr_pcalloc(pool, (size_t)url->hosts * sizeof *place->hosts);
    place->host_count = url->hosts;
    for (int i = 0; i < url->hosts; i++)
        ratings_resolver_init(&place->hosts[i], apr_pstrdup(pool, url->host[i].name),
                              url->host[i].port);
    if (!url->master[0])
        return;
    place->sentinels.hosts = place->hosts;
    place->sentinels.count = url->hosts;
    place->sentinels.tls = tls;
    place->sentinels.master = apr_pstrdup(pool, url->master);
}

void store_place_destroy(store_place_t *place)
{
    for (int i = 0; i < place->host_count; i++)
        ratings_resolver_destroy(&place->hosts[i]);
}

/* ---- the master that sentinels name ---- */

static store_link_t *open_host(const store_place_t *place, ratings_resolver_t *host,
                               const store_login_t *login, const ratings_deadline_t *deadline,
                               ratings_result_t *why)
{
    store_channel_t channel;
    if (store_channel_open(host, place->tls, deadline, &channel, why) != APR_SUCCESS)
        return NULL;
    return store_login(channel, login, deadline, why);
}

static store_link_t *open_named(const store_place_t *place, const ratings_redis_host_t *master,
                                const store_login_t *login, const ratings_deadline_t *deadline,
                                ratings_result_t *why)
{
    ratings_resolver_t host;
    ratings_resolver_init(&host, master->name, master->port);
    store_link_t *link = open_host(place, &host, login, deadline, why);
    ratings_resolver_destroy(&host);
    if (!link || store_expect_master(link, deadline, why) == APR_SUCCESS)
        return link;
    store_link_close(link);
    return NULL;
}

/* Never 0. */
static uint64_t digest_of(const ratings_redis_host_t *master)
{
    uint64_t name = ratings_crc32(0, master->name, strlen(master->name));
    return name << 32 | (uint64_t)master->port;
}

static store_link_t *open_by_sentinels(store_place_t *place, const store_login_t *login,
                                       const ratings_deadline_t *deadline, bool *has_moved,
                                       ratings_result_t *why)
{
    ratings_redis_host_t master;
    if (store_sentinels_find(&place->sentinels, login, deadline, &master, why) != APR_SUCCESS)
        return NULL;
    store_link_t *link = open_named(place, &master, login, deadline, why);
    if (!link) {
        store_sentinels_doubt(&place->sentinels);
        return NULL;
    }
    uint64_t now = digest_of(&master), before = atomic_exchange(&place->named, now);
    *has_moved = before && before != now;
    return link;
}

/* ---- each kind ---- */

store_link_t *store_place_open(store_place_t *place, const store_login_t *login,
                               const ratings_deadline_t *deadline, bool *has_moved,
                               ratings_result_t *why)
{
    store_channel_t channel = {.tls = NULL};
    *has_moved = false;
    if (place->sentinels.count > 0)
        return open_by_sentinels(place, login, deadline, has_moved, why);
    if (!place->socket)
        return open_host(place, &place->hosts[0], login, deadline, why);
    if (store_dial_socket(place->socket, deadline, &channel.fd, why) != APR_SUCCESS)
        return NULL;
    return store_login(channel, login, deadline, why);
}
