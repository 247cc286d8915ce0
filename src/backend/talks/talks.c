/* The pool of connections. A call that finds none idle has one opened by a thread made for that,
 * and waits for it no longer than its own deadline: libpq's connecting can be bounded in whole
 * seconds only, and not be interrupted. A connection that comes too late for the call that wanted
 * it serves the next one. */
#include "talks.h"

#include "../common/refobj.h"
#include "../common/thread.h"
#include "talks_connection.h"
#include "talks_conninfo.h"

#include <apr_strings.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ratings_talks_t {
    ratings_refobj_t life; /* its lock is never held across I/O */
    const apr_dbd_driver_t *driver;
    const char *conninfo;
    const char *const *secrets; /* not to be told */
    int connections_max;
    apr_interval_time_t timeout;

    /* with the lock held */
    talks_connection_t **idle; /* a stack: the one used last is most likely to be well */
    int idle_count;
    int waiting;    /* calls that need one and find none idle */
    int opening;    /* connections that a thread is opening */
    int open;       /* those, and the idle, and those in use */
    int cancelling; /* given up, and counted no longer: the server is asked to end their queries */
    apr_uint64_t tries;  /* openings begun so far, each known by its number */
    apr_uint64_t failed; /* the latest of them that failed, and why */
    ratings_result_t failure;
};

/* One call: what it may wait for. */
typedef struct {
    ratings_deadline_t limit;
    apr_uint64_t since; /* an opening that fails counts for this call if its number is higher */
    bool opens;         /* an opening was begun for it */
} call_t;

/* ---- life ---- */

static void fill(ratings_talks_t *talks, const ratings_talks_options_t *options)
{
    talks->conninfo = talks_conninfo(talks->life.home, options->connection, options->timeout);
    talks->secrets = talks_secrets(talks->life.home, options->connection);
    talks->connections_max = options->connections_max;
    talks->timeout = options->timeout;
    talks->idle =
        apr_pcalloc(talks->life.home, (size_t)options->connections_max * sizeof *talks->idle);
}

apr_status_t ratings_talks_load(apr_pool_t *pool, ratings_result_t *why)
{
    return talks_driver(pool, why) ? ratings_result_ok(why) : why->status;
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
    *out = ratings_refobj_create(sizeof **out, NULL, why);
    if (!*out)
        return why->status;
    (*out)->driver = driver;
    fill(*out, options);
    return ratings_result_ok(why);
}

/* ---- connections come and go ---- */

/* With the lock held, and room made for it in `open`. */
static void put_idle(ratings_talks_t *talks, talks_connection_t *connection)
{
    talks->idle[talks->idle_count++] = connection;
    pthread_cond_signal(&talks->life.changed);
}

/* With the lock held. All are woken: who waits may now have a connection opened, or give up. */
static void give_room(ratings_talks_t *talks)
{
    talks->open--;
    pthread_cond_broadcast(&talks->life.changed);
}

typedef struct {
    ratings_talks_t *talks;
    talks_connection_t *connection;
} given_up_t;

static void end_cancelling(ratings_talks_t *talks)
{
    pthread_mutex_lock(&talks->life.lock);
    talks->cancelling--;
    pthread_mutex_unlock(&talks->life.lock);
    ratings_refobj_unref(&talks->life);
}

static void *cancel_query(void *data)
{
    given_up_t given_up = *(given_up_t *)data;
    free(data);
    talks_connection_cancel(given_up.connection);
    talks_connection_close(given_up.connection);
    end_cancelling(given_up.talks);
    return NULL;
}

/* With the lock held: whether the server is to be asked to end the query of this connection. No
 * more threads do that than there may be connections, since libpq may hold each for long. */
static bool begin_cancelling(ratings_talks_t *talks, const talks_connection_t *connection)
{
    if (talks->life.closing || talks->cancelling >= talks->connections_max ||
        !talks_connection_busy(connection))
        return false;
    talks->cancelling++;
    talks->life.references++;
    return true;
}

static void start_cancelling(ratings_talks_t *talks, talks_connection_t *connection)
{
    given_up_t *given_up = malloc(sizeof *given_up);
    if (given_up)
        *given_up = (given_up_t){talks, connection};
    if (given_up && ratings_thread_start(cancel_query, given_up) == 0)
        return;
    free(given_up);
    talks_connection_close(connection);
    end_cancelling(talks);
}

/* A connection whose query is cancelled makes room at once, as the server may take its time. */
static void give_back(ratings_talks_t *talks, talks_connection_t *connection)
{
    pthread_mutex_lock(&talks->life.lock);
    bool reusable = talks_connection_reusable(connection) && !talks->life.closing;
    bool cancel = begin_cancelling(talks, connection);
    if (reusable)
        put_idle(talks, connection);
    else
        give_room(talks);
    pthread_mutex_unlock(&talks->life.lock);
    if (cancel)
        start_cancelling(talks, connection);
    else if (!reusable)
        talks_connection_close(connection);
}

static void discard(ratings_talks_t *talks, talks_connection_t *connection)
{
    pthread_mutex_lock(&talks->life.lock);
    give_room(talks);
    pthread_mutex_unlock(&talks->life.lock);
    talks_connection_close(connection);
}

/* One connection was found dead: the others that were idle are, as a rule, of the same server. */
static void drop_idle(ratings_talks_t *talks)
{
    talks_connection_t *connection;
    do {
        pthread_mutex_lock(&talks->life.lock);
        connection = talks->idle_count > 0 ? talks->idle[--talks->idle_count] : NULL;
        if (connection)
            give_room(talks);
        pthread_mutex_unlock(&talks->life.lock);
        talks_connection_close(connection);
    } while (connection);
}

/* What is idle is not left to an opener that libpq may hold for long; nothing is put there later.
 */
void ratings_talks_interrupt(ratings_talks_t *talks)
{
    ratings_refobj_interrupt(&talks->life);
}

void ratings_talks_destroy(ratings_talks_t *talks)
{
    if (!ratings_refobj_shutdown(&talks->life))
        return;
    drop_idle(talks);
    ratings_refobj_unref(&talks->life);
}

/* ---- opening ---- */

typedef struct {
    ratings_talks_t *talks;
    apr_uint64_t number;
} opener_t;

/* With the lock held. */
static void note_failure(ratings_talks_t *talks, apr_uint64_t number, const ratings_result_t *why)
{
    if (number > talks->failed) {
        talks->failed = number;
        talks->failure = *why;
    }
    give_room(talks);
}

static void *open_connection(void *data)
{
    opener_t opener = *(opener_t *)data;
    ratings_talks_t *talks = opener.talks;
    ratings_result_t why;
    free(data);
    talks_connection_t *connection =
        talks_connection_open(talks->driver, talks->conninfo, talks->secrets, &why);
    pthread_mutex_lock(&talks->life.lock);
    talks->opening--;
    if (!connection)
        note_failure(talks, opener.number, &why);
    pthread_mutex_unlock(&talks->life.lock);
    if (connection)
        give_back(talks, connection);
    ratings_refobj_unref(&talks->life);
    return NULL;
}

/* With the lock held. */
static void start_opening(ratings_talks_t *talks)
{
    opener_t *opener = malloc(sizeof *opener);
    ratings_result_t why;
    talks->tries++;
    talks->life.references++;
    talks->opening++;
    talks->open++;
    if (opener)
        *opener = (opener_t){talks, talks->tries};
    int error = opener ? ratings_thread_start(open_connection, opener) : ENOMEM;
    if (error == 0)
        return;
    free(opener);
    talks->life.references--;
    talks->opening--;
    (void)ratings_result_set(&why, RATINGS_NOT_ASKED, "no thread to connect with: %s",
                             strerror(error));
    note_failure(talks, talks->tries, &why);
}

/* ---- having one ---- */

/* With the lock held. A server that lets nobody in was asked; while connections are in use, their
 * calls tell of the server, and those that wait for one do not. */
static apr_status_t none_in_time(const ratings_talks_t *talks, const call_t *call,
                                 ratings_result_t *why)
{
    int in_use = talks->open - talks->opening - talks->idle_count;
    bool asked = talks->opening > 0 && (call->opens || in_use == 0);
    return ratings_result_set(why, asked ? APR_TIMEUP : RATINGS_NOT_ASKED,
                              "no connection in time: of %d allowed, %d are in use and %d are "
                              "being opened",
                              talks->connections_max, in_use, talks->opening);
}

/* With the lock held: has an opening failed for this call? One failure is enough: what is left then
 * is to wait for a connection that is in use, if there is any. */
static bool has_failed(const ratings_talks_t *talks, const call_t *call)
{
    return talks->failed > call->since;
}

static bool is_hopeless(const ratings_talks_t *talks, const call_t *call)
{
    return has_failed(talks, call) && talks->open == talks->opening + talks->idle_count;
}

/* With the lock held. As many are being opened as calls wait, if they may be. */
static void open_if_needed(ratings_talks_t *talks, call_t *call)
{
    if (has_failed(talks, call) || talks->opening >= talks->waiting ||
        talks->open >= talks->connections_max)
        return;
    call->since = talks->tries;
    call->opens = true;
    start_opening(talks);
}

/* With the lock held. */
static apr_status_t wait_for_idle(ratings_talks_t *talks, call_t *call, ratings_result_t *why)
{
    bool in_time = true;
    while (in_time && !talks->life.closing && talks->idle_count == 0) {
        open_if_needed(talks, call);
        if (is_hopeless(talks, call)) {
            *why = talks->failure;
            return why->status;
        }
        in_time =
            ratings_wait_until(&talks->life.changed, &talks->life.lock, call->limit.expires_at);
    }
    if (talks->life.closing)
        return ratings_deadline_cancelled(why);
    return talks->idle_count > 0 ? ratings_result_ok(why) : none_in_time(talks, call, why);
}

static talks_connection_t *take(ratings_talks_t *talks, call_t *call, ratings_result_t *why)
{
    talks_connection_t *connection = NULL;
    pthread_mutex_lock(&talks->life.lock);
    talks->waiting++;
    if (wait_for_idle(talks, call, why) == APR_SUCCESS)
        connection = talks->idle[--talks->idle_count];
    talks->waiting--;
    pthread_mutex_unlock(&talks->life.lock);
    return connection;
}

/* One that the server has not closed while it was idle. */
static talks_connection_t *take_quiet(ratings_talks_t *talks, call_t *call, ratings_result_t *why)
{
    talks_connection_t *connection = take(talks, call, why);
    while (connection && !talks_connection_quiet(connection)) {
        discard(talks, connection);
        connection = take(talks, call, why);
    }
    return connection;
}

/* ---- calls ---- */

static call_t enter(ratings_talks_t *talks, int64_t deadline)
{
    call_t call = {ratings_deadline_make(deadline, talks->timeout, talks->life.stop), 0, false};
    pthread_mutex_lock(&talks->life.lock);
    talks->life.references++;
    call.since = talks->tries;
    pthread_mutex_unlock(&talks->life.lock);
    return call;
}

/* `*again`: the connection was dead, so that another one may do. */
static apr_status_t try_find(ratings_talks_t *talks, call_t *call, const char *talk_id,
                             apr_pool_t *pool, bool *again, ratings_result_t *why)
{
    talks_connection_t *connection = take_quiet(talks, call, why);
    *again = false;
    if (!connection)
        return why->status;
    apr_status_t status = talks_connection_find(connection, talk_id, pool, &call->limit, why);
    *again = talks_connection_lost(connection);
    give_back(talks, connection);
    return status;
}

static apr_status_t find(ratings_talks_t *talks, const char *talk_id, int64_t deadline,
                         apr_pool_t *pool, ratings_result_t *why)
{
    call_t call = enter(talks, deadline);
    bool again = false;
    apr_status_t status =
        ratings_deadline_check(&call.limit, "no time was left to ask the server", why);
    if (status == APR_SUCCESS)
        status = try_find(talks, &call, talk_id, pool, &again, why);
    if (again) {
        drop_idle(talks);
        status = try_find(talks, &call, talk_id, pool, &again, why);
    }
    ratings_refobj_unref(&talks->life);
    return status;
}

apr_status_t ratings_talks_exists(ratings_talks_t *talks, const char *talk_id, int64_t deadline,
                                  apr_pool_t *pool, ratings_result_t *why)
{
    (void)deadline;
    apr_pool_t *scratch;
    if (apr_pool_create(&scratch, pool) != APR_SUCCESS)
        return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    apr_status_t status = find(talks, talk_id, deadline, scratch, why);
    apr_pool_destroy(scratch);
    return status;
}

/* Asks for a talk that cannot be, which needs the table and its column all the same. */
apr_status_t ratings_talks_check(ratings_talks_t *talks, int64_t deadline, apr_pool_t *pool,
                                 ratings_result_t *why)
{
    apr_status_t status = ratings_talks_exists(talks, "", deadline, pool, why);
    return status == APR_NOTFOUND ? ratings_result_ok(why) : status;
}
