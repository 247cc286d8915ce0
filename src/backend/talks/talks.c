/* A look-up holds a connection for its query alone. A connection that turns out to be dead is
 * replaced once; one whose query is given up at the deadline is closed, after a thread has asked
 * the server to end that. */
#include "talks.h"

#include "../../core/container_of.h"
#include "../common/thread.h"
#include "talks_connection.h"
#include "talks_conninfo.h"
#include "talks_list.h"
#include "talks_redact.h"

#include <stdlib.h>

struct ratings_talks_t {
    ratings_refobj_t object; /* its lock is never held across I/O */
    ratings_pool_t connections;
    const apr_dbd_driver_t *driver;
    const char *conninfo;
    const char *const *secrets; /* kept out of every text */
    apr_interval_time_t timeout;
    int cancelling; /* with the lock held: queries that threads ask the server to end */
};

/* ---- what the pool calls ---- */

/* In a thread of the pool's: libpq's connecting can be bounded in whole seconds only, and not be
 * interrupted. */
static ratings_pooled_t *open_talks_connection(ratings_pool_t *pool,
                                               const ratings_deadline_t *deadline,
                                               ratings_result_t *why)
{
    const ratings_talks_t *talks = RATINGS_CONTAINER_OF(pool, ratings_talks_t, connections);
    (void)deadline;
    talks_connection_t *connection =
        talks_connection_open(talks->driver, talks->conninfo, talks->secrets, why);
    return connection ? &connection->pooled : NULL;
}

static void close_talks_connection(ratings_pooled_t *pooled)
{
    talks_connection_close(RATINGS_CONTAINER_OF(pooled, talks_connection_t, pooled));
}

static bool is_talks_connection_usable(ratings_pooled_t *pooled)
{
    return talks_connection_is_quiet(RATINGS_CONTAINER_OF(pooled, talks_connection_t, pooled));
}

static const ratings_pool_ops_t talks_pool_ops = {
    .open = open_talks_connection,
    .opens_in_background = true,
    .close = close_talks_connection,
    .is_usable = is_talks_connection_usable,
};

/* ---- create, cancel, destroy ---- */

apr_status_t ratings_talks_load(apr_pool_t *pool, ratings_result_t *why)
{
    return talks_driver(pool, why) ? ratings_result_ok(why) : why->status;
}

static void fill_talks(ratings_talks_t *talks, const ratings_talks_options_t *options)
{
    apr_pool_t *pool = talks->object.pool;
    talks->conninfo = talks_conninfo(pool, options->connection, options->timeout);
    talks->secrets = talks_secrets(pool, options->connection);
    talks->timeout = options->timeout;
    ratings_pool_init(&talks->connections, &talks->object, &talks_pool_ops,
                      options->connections_max, NULL);
    talks->connections.usage = options->usage;
}

apr_status_t ratings_talks_create(ratings_talks_t **out, const ratings_talks_options_t *options,
                                  apr_pool_t *pool, ratings_result_t *why)
{
    const char *problem = ratings_talks_connection_problem(options->connection);
    const apr_dbd_driver_t *driver = problem ? NULL : talks_driver(pool, why);
    if (problem)
        return ratings_result_set(why, APR_EINVAL, "%s", problem);
    if (!driver)
        return why->status;
    *out = ratings_refobj_create(sizeof **out, offsetof(ratings_talks_t, object), NULL, why);
    if (!*out)
        return why->status;
    (*out)->driver = driver;
    fill_talks(*out, options);
    return ratings_result_ok(why);
}

void ratings_talks_cancel(ratings_talks_t *talks)
{
    ratings_refobj_cancel(&talks->object);
}

/* What is idle is not left to a thread of the pool, which libpq may hold for long. */
void ratings_talks_destroy(ratings_talks_t *talks)
{
    if (!ratings_refobj_shutdown(&talks->object))
        return;
    ratings_pool_close_idle(&talks->connections);
    ratings_refobj_unref(&talks->object);
}

/* ---- queries that were given up ---- */

typedef struct {
    ratings_talks_t *talks;
    talks_connection_t *connection;
} abandoned_t;

static void end_cancelling(ratings_talks_t *talks)
{
    pthread_mutex_lock(&talks->object.lock);
    talks->cancelling--;
    pthread_mutex_unlock(&talks->object.lock);
    ratings_refobj_unref(&talks->object);
}

static void *run_query_canceller(void *data)
{
    abandoned_t abandoned = *(abandoned_t *)data;
    free(data);
    talks_connection_cancel(abandoned.connection);
    talks_connection_close(abandoned.connection);
    end_cancelling(abandoned.talks);
    return NULL;
}

/* Whether the server is to be asked to end the query of this connection. No more threads do that
 * than there may be connections, since libpq may hold each for long. */
static bool begin_cancelling(ratings_talks_t *talks, const talks_connection_t *connection)
{
    if (!talks_connection_is_busy(connection))
        return false;
    pthread_mutex_lock(&talks->object.lock);
    bool begins = !talks->object.is_shut_down && talks->cancelling < talks->connections.size;
    if (begins) {
        talks->cancelling++;
        talks->object.references++;
    }
    pthread_mutex_unlock(&talks->object.lock);
    return begins;
}

static void start_query_canceller(ratings_talks_t *talks, talks_connection_t *connection)
{
    abandoned_t *abandoned = malloc(sizeof *abandoned);
    if (abandoned)
        *abandoned = (abandoned_t){talks, connection};
    if (abandoned && ratings_thread_start(run_query_canceller, abandoned) == 0)
        return;
    free(abandoned);
    talks_connection_close(connection);
    end_cancelling(talks);
}

/* A connection whose query is cancelled makes room at once, as the server may take its time. */
static void give_back_connection(ratings_talks_t *talks, talks_connection_t *connection)
{
    if (talks_connection_is_reusable(connection)) {
        ratings_pool_release(&talks->connections, &connection->pooled);
    } else if (begin_cancelling(talks, connection)) {
        ratings_pool_detach(&talks->connections);
        start_query_canceller(talks, connection);
    } else {
        ratings_pool_discard(&talks->connections, &connection->pooled);
    }
}

/* ---- asking ---- */

/* What is asked on a connection, and what for. */
typedef struct ask_t ask_t;
struct ask_t {
    apr_status_t (*on)(talks_connection_t *connection, const ask_t *ask,
                       const ratings_deadline_t *deadline, ratings_result_t *why);
    const char *text; /* a talk's id; or what is searched for; or NULL */
    apr_pool_t *pool; /* for the answer */
    union {
        ratings_window_t *window;
        ratings_talk_list_t *list;
        const char **key;
    };
};

/* `*is_lost`: the connection was dead, so that another one may do. */
static apr_status_t try_to_ask(ratings_talks_t *talks, const ratings_deadline_t *deadline,
                               const ask_t *ask, bool *is_lost, ratings_result_t *why)
{
    ratings_pooled_t *pooled;
    *is_lost = false;
    if (ratings_pool_acquire(&talks->connections, deadline, &pooled, why) != APR_SUCCESS)
        return why->status;
    talks_connection_t *connection = RATINGS_CONTAINER_OF(pooled, talks_connection_t, pooled);
    apr_status_t status = ask->on(connection, ask, deadline, why);
    *is_lost = talks_connection_is_lost(connection);
    give_back_connection(talks, connection);
    return status;
}

/* One connection was found dead: the others that are idle are, as a rule, of the same server. */
static apr_status_t ask_by(ratings_talks_t *talks, const ratings_deadline_t *deadline,
                           const ask_t *ask, ratings_result_t *why)
{
    bool is_lost = false;
    apr_status_t status =
        ratings_deadline_check(deadline, "no time was left to ask the server", why);
    if (status == APR_SUCCESS)
        status = try_to_ask(talks, deadline, ask, &is_lost, why);
    if (is_lost) {
        ratings_pool_close_idle(&talks->connections);
        status = try_to_ask(talks, deadline, ask, &is_lost, why);
    }
    return status;
}

static apr_status_t ask_talks(ratings_talks_t *talks, const ask_t *ask, int64_t expires_at,
                              ratings_result_t *why)
{
    ratings_refobj_ref(&talks->object);
    const ratings_deadline_t deadline =
        ratings_deadline_make(expires_at, talks->timeout, talks->object.cancel_fd);
    apr_status_t status = ask_by(talks, &deadline, ask, why);
    ratings_refobj_unref(&talks->object);
    return status;
}

/* ---- looking a talk up ---- */

static apr_status_t find_on(talks_connection_t *connection, const ask_t *ask,
                            const ratings_deadline_t *deadline, ratings_result_t *why)
{
    return talks_connection_find(connection, ask->text, ask->pool, deadline, ask->window, why);
}

apr_status_t ratings_talks_find(ratings_talks_t *talks, const char *talk_id, int64_t expires_at,
                                apr_pool_t *pool, ratings_window_t *window, ratings_result_t *why)
{
    apr_pool_t *scratch;
    if (apr_pool_create(&scratch, pool) != APR_SUCCESS)
        return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    const ask_t find = {.on = find_on, .text = talk_id, .pool = scratch, .window = window};
    apr_status_t status = ask_talks(talks, &find, expires_at, why);
    apr_pool_destroy(scratch);
    return status;
}

/* Asks for a talk that cannot be, which needs the table and its columns all the same. */
apr_status_t ratings_talks_check(ratings_talks_t *talks, int64_t expires_at, apr_pool_t *pool,
                                 ratings_result_t *why)
{
    ratings_window_t window;
    apr_status_t status = ratings_talks_find(talks, "", expires_at, pool, &window, why);
    return status == APR_NOTFOUND ? ratings_result_ok(why) : status;
}

/* ---- all that is known of talks ---- */

static apr_status_t list_on(talks_connection_t *connection, const ask_t *ask,
                            const ratings_deadline_t *deadline, ratings_result_t *why)
{
    return talks_list_ask(connection, ask->text, ask->pool, deadline, ask->list, why);
}

static apr_status_t key_on(talks_connection_t *connection, const ask_t *ask,
                           const ratings_deadline_t *deadline, ratings_result_t *why)
{
    return talks_list_ask_key(connection, ask->text, ask->pool, deadline, ask->key, why);
}

apr_status_t ratings_talks_list(ratings_talks_t *talks, const char *talk_id, int64_t expires_at,
                                apr_pool_t *pool, ratings_talk_list_t *list, ratings_result_t *why)
{
    const ask_t ask = {.on = list_on, .text = talk_id, .pool = pool, .list = list};
    return ask_talks(talks, &ask, expires_at, why);
}

apr_status_t ratings_talks_key(ratings_talks_t *talks, const char *text, int64_t expires_at,
                               apr_pool_t *pool, const char **key, ratings_result_t *why)
{
    const ask_t ask = {.on = key_on, .text = text, .pool = pool, .key = key};
    return ask_talks(talks, &ask, expires_at, why);
}
