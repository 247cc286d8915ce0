/* Calls to Redis over pooled connections, none of which two calls share. */
#include "store_connection.h"

#include "../../core/container_of.h"
#include "../common/pool.h"
#include "store_place.h"
#include "store_refusal.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

struct ratings_store_t {
    ratings_refobj_t object; /* its lock is never held across I/O */
    ratings_pool_t connections;
    store_place_t place;
    store_login_t login;
    apr_interval_time_t timeout;
};

typedef struct {
    ratings_pooled_t pooled;
    store_link_t *link;
    bool wants_texts; /* of scripts: it refuses digests */
} store_connection_t;

/* ---- what the pool calls ---- */

static ratings_pooled_t *open_store_connection(ratings_pool_t *pool,
                                               const ratings_deadline_t *deadline,
                                               ratings_result_t *why)
{
    ratings_store_t *store = RATINGS_CONTAINER_OF(pool, ratings_store_t, connections);
    int64_t begun = ratings_monotonic();
    bool has_moved;
    store_link_t *link = store_place_open(&store->place, &store->login, deadline, &has_moved, why);
    store_connection_t *connection = link ? calloc(1, sizeof *connection) : NULL;
    if (has_moved)
        ratings_store_retire(store, begun);
    if (connection) {
        connection->link = link;
        return &connection->pooled;
    }
    if (link)
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    store_link_close(link);
    return NULL;
}

static void close_store_connection(ratings_pooled_t *pooled)
{
    store_connection_t *connection = RATINGS_CONTAINER_OF(pooled, store_connection_t, pooled);
    store_link_close(connection->link);
    free(connection);
}

/* Neither closed by the server nor one over which something came that nobody asked for. */
static bool is_store_connection_usable(ratings_pooled_t *pooled)
{
    return store_link_is_quiet(RATINGS_CONTAINER_OF(pooled, store_connection_t, pooled)->link);
}

static const ratings_pool_ops_t store_pool_ops = {
    .open = open_store_connection,
    .close = close_store_connection,
    .is_usable = is_store_connection_usable,
};

/* ---- life ---- */

const char *ratings_store_url_problem(const char *url)
{
    ratings_redis_url_t parsed;
    return ratings_redis_url_parse(url, &parsed);
}

const char *ratings_store_ca_problem(const char *ca)
{
    return ca[0] == '/' || strcmp(ca, "system") == 0
               ? NULL
               : "it takes the absolute path of a file or directory, or system";
}

const char *ratings_store_file_problem(const char *path)
{
    return path[0] == '/' || strcmp(path, "none") == 0
               ? NULL
               : "it takes the absolute path of a file, or none";
}

/* To OpenSSL a name that begins with a dot is every name below it. */
const char *ratings_store_name_problem(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && name[0] != '.' && length <= RATINGS_REDIS_HOST_MAX
               ? NULL
               : "it takes a name or an address of at most 255 bytes, or host";
}

bool ratings_store_url_has_tls(const char *url)
{
    ratings_redis_url_t parsed;
    return !ratings_redis_url_parse(url, &parsed) && parsed.has_tls;
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

static void release_store(ratings_refobj_t *object)
{
    store_place_destroy(&RATINGS_CONTAINER_OF(object, ratings_store_t, object)->place);
}

static void fill_store(ratings_store_t *store, const ratings_store_options_t *options,
                       const ratings_redis_url_t *url)
{
    apr_pool_t *pool = store->object.pool;
    store_place_init(&store->place, url, url->has_tls ? options->tls : NULL, pool);
    store->login = login_of(url, pool);
    store->timeout = options->timeout;
    ratings_pool_init(&store->connections, &store->object, &store_pool_ops,
                      options->connections_max, options->retired_at);
    store->connections.usage = options->usage;
}

apr_status_t ratings_store_create(ratings_store_t **out, const ratings_store_options_t *options,
                                  ratings_result_t *why)
{
    ratings_redis_url_t url;
    const char *problem = ratings_redis_url_parse(options->url, &url);
    if (problem)
        return ratings_result_set(why, APR_EINVAL, "%s", problem);
    if (url.has_tls && !options->tls)
        return ratings_result_set(why, APR_EINVAL, "TLS is not set up");
    *out =
        ratings_refobj_create(sizeof **out, offsetof(ratings_store_t, object), release_store, why);
    if (!*out)
        return why->status;
    fill_store(*out, options, &url);
    return ratings_result_ok(why);
}

int64_t store_deadline(const ratings_store_t *store)
{
    return ratings_monotonic() + store->timeout;
}

void ratings_store_cancel(ratings_store_t *store)
{
    ratings_refobj_cancel(&store->object);
}

void ratings_store_destroy(ratings_store_t *store)
{
    if (!ratings_refobj_shutdown(&store->object))
        return;
    ratings_pool_close_idle(&store->connections);
    ratings_refobj_unref(&store->object);
}

void ratings_store_retire(ratings_store_t *store, int64_t before)
{
    ratings_pool_retire(&store->connections, before);
}

/* ---- calls ---- */

typedef struct {
    store_command_t *commands;
    int count;
    redisReply **replies;
    ratings_deadline_t deadline;
} store_call_t;

/* ---- scripts ---- */

static void send_text(store_command_t *command)
{
    command->argv[0] = "EVAL";
    command->argvlen[0] = strlen("EVAL");
    command->argv[1] = command->script;
    command->argvlen[1] = strlen(command->script);
    command->script = NULL;
}

/* Once more, with their texts, those whose digests were refused: each ran not at all. */
static apr_status_t repeat_with_texts(store_connection_t *connection, const store_call_t *call,
                                      store_link_next_e *next, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < call->count && status == APR_SUCCESS && *next == STORE_LINK_KEEP; i++) {
        bool always = false;
        if (!call->commands[i].script || call->replies[i]->type != REDIS_REPLY_ERROR ||
            !store_refusal_is_of_digest(call->replies[i], &always))
            continue;
        connection->wants_texts |= always;
        store_free_replies(&call->replies[i], 1);
        send_text(&call->commands[i]);
        status = store_link_exchange(connection->link, &call->commands[i], 1, &call->replies[i],
                                     &call->deadline, next, why);
    }
    if (status != APR_SUCCESS)
        store_free_replies(call->replies, call->count);
    return status;
}

static apr_status_t exchange_scripts(store_connection_t *connection, const store_call_t *call,
                                     store_link_next_e *next, ratings_result_t *why)
{
    for (int i = 0; i < call->count && connection->wants_texts; i++)
        if (call->commands[i].script)
            send_text(&call->commands[i]);
    apr_status_t status = store_link_exchange(connection->link, call->commands, call->count,
                                              call->replies, &call->deadline, next, why);
    return status == APR_SUCCESS ? repeat_with_texts(connection, call, next, why) : status;
}

/* ---- over a connection of the pool ---- */

/* `*next`: what is to be done with the connection. */
static apr_status_t exchange_over(ratings_store_t *store, ratings_pooled_t *pooled,
                                  const store_call_t *call, store_link_next_e *next,
                                  ratings_result_t *why)
{
    apr_status_t status =
        exchange_scripts(RATINGS_CONTAINER_OF(pooled, store_connection_t, pooled), call, next, why);
    if (*next == STORE_LINK_RETIRE)
        ratings_store_retire(store, ratings_monotonic());
    return status;
}

/* The same over a new connection; `*pooled` is NULL if none could be opened. */
static apr_status_t exchange_anew(ratings_store_t *store, ratings_pooled_t **pooled,
                                  const store_call_t *call, store_link_next_e *next,
                                  ratings_result_t *why)
{
    if (ratings_pool_replace(&store->connections, &call->deadline, pooled, why) != APR_SUCCESS)
        return why->status;
    return exchange_over(store, *pooled, call, next, why);
}

/* Once more over another connection, if the first had been idle and another may do better. An
 * answer that is too large may be another client's, which this connection brought by mistake: it is
 * the store's own only if a new connection brings it again. */
static apr_status_t exchange_with_retry(ratings_store_t *store, ratings_pooled_t **pooled,
                                        const store_call_t *call, store_link_next_e *next,
                                        ratings_result_t *why)
{
    bool was_idle = (*pooled)->was_idle;
    apr_status_t status = exchange_over(store, *pooled, call, next, why);
    if (was_idle && *next >= STORE_LINK_REPLACE) {
        if (status == APR_SUCCESS)
            store_free_replies(call->replies, call->count);
        status = exchange_anew(store, pooled, call, next, why);
    }
    if (status == RATINGS_REBUILD_NEEDED && *pooled)
        status = exchange_anew(store, pooled, call, next, why);
    return status;
}

static apr_status_t perform_call(ratings_store_t *store, const store_call_t *call,
                                 ratings_result_t *why)
{
    ratings_pooled_t *pooled;
    store_link_next_e next;
    if (ratings_pool_acquire(&store->connections, &call->deadline, &pooled, why) != APR_SUCCESS)
        return why->status;
    apr_status_t status = exchange_with_retry(store, &pooled, call, &next, why);
    if (pooled && next == STORE_LINK_KEEP)
        ratings_pool_release(&store->connections, pooled);
    else if (pooled)
        ratings_pool_discard(&store->connections, pooled);
    return status;
}

apr_status_t store_pipeline(ratings_store_t *store, store_command_t *commands, int count,
                            redisReply **replies, int64_t deadline, ratings_result_t *why)
{
    const store_call_t call = {
        commands, count, replies,
        ratings_deadline_make(deadline, store->timeout, store->object.cancel_fd)};
    apr_status_t status =
        ratings_deadline_check(&call.deadline, "no time was left to ask Redis", why);
    if (status == APR_SUCCESS)
        status = perform_call(store, &call, why);
    if (status != APR_SUCCESS && status != RATINGS_NOT_ASKED && !why->fault)
        why->fault = RATINGS_STORE_UNREACHABLE;
    return status;
}
