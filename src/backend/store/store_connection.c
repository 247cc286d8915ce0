/* Connections to Redis: opened when needed, kept while they are good, never shared by two calls. */
#include "store_connection.h"

#include "../../core/redis_url.h"
#include "store_refusal.h"

#include <apr_strings.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct slot_t {
    store_link_t *link;  /* NULL: not connected; whose slot it is uses it without the lock */
    int64_t opened_at;   /* when connecting began, of ratings_monotonic */
    struct slot_t *next; /* in the list of free slots */
} slot_t;

struct ratings_store_t {
    ratings_resolver_t host;
    store_login_t login;
    apr_interval_time_t timeout;
    slot_t *slots;
    int count;
    _Atomic int64_t *retired_at; /* connections opened before are not to be used again */
    _Atomic int64_t own_retired_at;
    int stop;             /* readable once interrupted */
    pthread_mutex_t lock; /* of what follows; never held across I/O */
    pthread_cond_t freed;
    slot_t *free; /* the one used last comes first: it is most likely to be well */
    bool interrupted;
};

/* ---- life ---- */

const char *ratings_store_url_problem(const char *url)
{
    ratings_redis_url_t parsed;
    return ratings_redis_url_parse(url, &parsed);
}

static store_login_t login_of(const ratings_redis_url_t *url, apr_pool_t *pool)
{
    store_login_t login = {.database = url->database};
    if (url->user[0])
        login.user = apr_pstrdup(pool, url->user);
    if (url->has_password)
        login.password = apr_pstrdup(pool, url->password);
    return login;
}

static void fill(ratings_store_t *store, const ratings_store_options_t *options,
                 const ratings_redis_url_t *url, apr_pool_t *pool)
{
    ratings_resolver_init(&store->host, apr_pstrdup(pool, url->host), url->port);
    store->login = login_of(url, pool);
    store->timeout = options->timeout;
    store->retired_at = options->retired_at ? options->retired_at : &store->own_retired_at;
    store->count = options->connections_max;
    store->slots = apr_pcalloc(pool, (size_t)store->count * sizeof *store->slots);
    for (int i = 0; i < store->count; i++) {
        store->slots[i].next = store->free;
        store->free = &store->slots[i];
    }
    ratings_lock_init(&store->lock, &store->freed);
}

apr_status_t ratings_store_create(ratings_store_t **out, const ratings_store_options_t *options,
                                  apr_pool_t *pool, ratings_result_t *why)
{
    ratings_redis_url_t url;
    const char *problem = ratings_redis_url_parse(options->url, &url);
    if (problem)
        return ratings_result_set(why, APR_EINVAL, "%s", problem);
    int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop < 0)
        return ratings_result_set(why, RATINGS_NOT_ASKED, "eventfd: %s", strerror(errno));
    *out = apr_pcalloc(pool, sizeof **out);
    (*out)->stop = stop;
    fill(*out, options, &url, pool);
    return ratings_result_ok(why);
}

int64_t store_deadline(const ratings_store_t *store)
{
    return ratings_monotonic() + store->timeout;
}

void ratings_store_interrupt(ratings_store_t *store)
{
    pthread_mutex_lock(&store->lock);
    store->interrupted = true;
    (void)eventfd_write(store->stop, 1);
    pthread_cond_broadcast(&store->freed);
    pthread_mutex_unlock(&store->lock);
}

void ratings_store_destroy(ratings_store_t *store)
{
    for (int i = 0; i < store->count; i++)
        store_link_close(store->slots[i].link);
    ratings_resolver_destroy(&store->host);
    (void)close(store->stop);
    ratings_lock_destroy(&store->lock, &store->freed);
}

/* ---- checking out ---- */

/* With the lock held. */
static apr_status_t wait_for_free(ratings_store_t *store, int64_t deadline, ratings_result_t *why)
{
    bool in_time = true;
    while (!store->free && !store->interrupted && in_time)
        in_time = ratings_wait_until(&store->freed, &store->lock, deadline);
    if (store->interrupted)
        return ratings_deadline_cancelled(why);
    return store->free ? APR_SUCCESS
                       : ratings_result_set(why, RATINGS_NOT_ASKED,
                                            "no connection came free in time: all %d were in use",
                                            store->count);
}

static slot_t *check_out(ratings_store_t *store, int64_t deadline, ratings_result_t *why)
{
    slot_t *slot = NULL;
    pthread_mutex_lock(&store->lock);
    if (wait_for_free(store, deadline, why) == APR_SUCCESS) {
        slot = store->free;
        store->free = slot->next;
    }
    pthread_mutex_unlock(&store->lock);
    return slot;
}

static void check_in(ratings_store_t *store, slot_t *slot)
{
    pthread_mutex_lock(&store->lock);
    slot->next = store->free;
    store->free = slot;
    pthread_cond_signal(&store->freed);
    pthread_mutex_unlock(&store->lock);
}

/* ---- retiring ---- */

void ratings_store_retire(ratings_store_t *store, int64_t before)
{
    int64_t now = atomic_load(store->retired_at);
    while (before > now && !atomic_compare_exchange_weak(store->retired_at, &now, before))
        ;
}

static void hang_up(slot_t *slot)
{
    store_link_close(slot->link);
    slot->link = NULL;
}

/* A connection that is not to be used again: retired, or closed by the server, or one over which
 * something came that nobody asked for. */
static void hang_up_unless_good(const ratings_store_t *store, slot_t *slot)
{
    if (slot->link &&
        (slot->opened_at < atomic_load(store->retired_at) || !store_link_is_quiet(slot->link)))
        hang_up(slot);
}

/* ---- calls ---- */

typedef struct {
    const store_command_t *commands;
    int count;
    redisReply **replies;
    ratings_deadline_t limit;
} call_t;

/* `*again`: another connection may do what this one could not. */
static apr_status_t attempt(ratings_store_t *store, slot_t *slot, const call_t *call, bool *again,
                            ratings_result_t *why)
{
    store_link_next_e next;
    *again = false;
    if (!slot->link) {
        slot->opened_at = ratings_monotonic();
        slot->link = store_link_open(&store->host, &store->login, &call->limit, why);
    }
    if (!slot->link)
        return why->status;
    apr_status_t status = store_link_exchange(slot->link, call->commands, call->count,
                                              call->replies, &call->limit, &next, why);
    *again = next >= STORE_LINK_REPLACE;
    if (next == STORE_LINK_RETIRE)
        ratings_store_retire(store, ratings_monotonic());
    if (next != STORE_LINK_KEEP)
        hang_up(slot);
    return status;
}

/* Once more over another connection, if the first had been idle and another may do better. An
 * answer that is too large may be another client's, which this connection brought by mistake: it is
 * the store's own only if a new connection brings it again. */
static apr_status_t perform(ratings_store_t *store, const call_t *call, ratings_result_t *why)
{
    slot_t *slot = check_out(store, call->limit.expires_at, why);
    bool again;
    if (!slot)
        return why->status;
    bool was_idle = slot->link != NULL;
    hang_up_unless_good(store, slot);
    apr_status_t status = attempt(store, slot, call, &again, why);
    if (was_idle && again) {
        if (status == APR_SUCCESS)
            store_free_replies(call->replies, call->count);
        status = attempt(store, slot, call, &again, why);
    }
    if (status == APR_EINVAL)
        status = attempt(store, slot, call, &again, why);
    check_in(store, slot);
    return status;
}

apr_status_t store_pipeline(ratings_store_t *store, const store_command_t *commands, int count,
                            redisReply **replies, int64_t deadline, ratings_result_t *why)
{
    const call_t call = {commands, count, replies,
                         ratings_deadline_make(deadline, store->timeout, store->stop)};
    apr_status_t status = ratings_deadline_check(&call.limit, "no time was left to ask Redis", why);
    if (status == APR_SUCCESS)
        status = perform(store, &call, why);
    if (status != APR_SUCCESS && status != RATINGS_NOT_ASKED && !why->fault)
        why->fault = RATINGS_STORE_UNREACHABLE;
    return status;
}

apr_status_t store_command(ratings_store_t *store, redisReply **reply, int64_t deadline,
                           ratings_result_t *why, const char *word, ...)
{
    const char *argv[16];
    size_t argvlen[16];
    store_command_t command = {.argv = argv, .argvlen = argvlen};
    va_list words;
    va_start(words, word);
    for (const char *w = word; w && command.argc < 16; w = va_arg(words, const char *)) {
        argv[command.argc] = w;
        argvlen[command.argc++] = strlen(w);
    }
    va_end(words);
    apr_status_t status = store_pipeline(store, &command, 1, reply, deadline, why);
    if (status == APR_SUCCESS && (*reply)->type == REDIS_REPLY_ERROR) {
        status = store_error_reply(*reply, why);
        freeReplyObject(*reply);
        *reply = NULL;
    }
    return status;
}
