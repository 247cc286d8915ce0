/* Connections to Redis: opened when needed, kept while they are well, never shared by two calls. */
#include "store_connection.h"

#include "../core/number.h"
#include "deadline.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <apr_uri.h>

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REDIS_PORT 6379

typedef struct {
    const char *host, *user, *password;
    int port, database;
} address_t;

typedef struct slot_t {
    redisContext *context; /* NULL: not connected */
    struct slot_t *next;   /* in the list of free slots */
    bool busy;
} slot_t;

struct ratings_store_t {
    address_t address;
    struct timeval timeout;
    pthread_mutex_t lock; /* of what follows; never held across I/O */
    pthread_cond_t freed;
    slot_t *free; /* the one used last comes first: it is most likely to be well */
    slot_t *slots;
    int count;
    bool interrupted;
};

/* ---- address ---- */

static const char *unescape(apr_pool_t *pool, const char *text)
{
    return text ? apr_punescape_url(pool, text, NULL, NULL, 0) : NULL;
}

static const char *parse_database(const char *path, int *database)
{
    int64_t number = 0;
    if (path && path[0] == '/' && path[1] &&
        !ratings_parse_int(path + 1, strlen(path + 1), 0, 65535, &number))
        return "what follows the host must be the number of a database";
    *database = (int)number;
    return NULL;
}

/* Of its text: apr_uri_parse wraps a number that is too large. */
static const char *parse_port(const char *text, int *port)
{
    int64_t number = REDIS_PORT;
    if (text && text[0] && !ratings_parse_int(text, strlen(text), 1, 65535, &number))
        return "the port is a number from 1 to 65535";
    *port = (int)number;
    return NULL;
}

static const char *parse_address(apr_pool_t *pool, const char *url, address_t *address)
{
    apr_uri_t uri;
    if (strncmp(url, "rediss://", 9) == 0)
        return "rediss:// needs TLS, which this build of the module does not have: use redis://, "
               "through a TLS tunnel if the network is not trusted";
    if (strncmp(url, "redis://", 8) != 0)
        return "it takes redis://[user:password@]host[:port][/database]";
    if (apr_uri_parse(pool, url, &uri) != APR_SUCCESS || !uri.hostname || !uri.hostname[0] ||
        uri.query || uri.fragment)
        return "that is not a valid redis:// URL (a '/', '@' or '%' in a password is written as "
               "%2F, %40 or %25)";
    address->host = uri.hostname;
    address->password = unescape(pool, uri.password);
    address->user = uri.user && uri.user[0] ? unescape(pool, uri.user) : NULL;
    if ((uri.password && !address->password) || (address->user == NULL && uri.user && uri.user[0]))
        return "a percent escape in the user or password is not valid";
    const char *problem = parse_port(uri.port_str, &address->port);
    return problem ? problem : parse_database(uri.path, &address->database);
}

const char *ratings_store_url_problem(const char *url)
{
    apr_pool_t *pool;
    address_t address = {0};
    apr_pool_create(&pool, NULL);
    const char *problem = parse_address(pool, url, &address);
    apr_pool_destroy(pool);
    return problem;
}

/* ---- life ---- */

apr_status_t ratings_store_create(ratings_store_t **out, const ratings_store_options_t *options,
                                  apr_pool_t *pool, ratings_result_t *why)
{
    ratings_store_t *store = apr_pcalloc(pool, sizeof *store);
    const char *problem = parse_address(pool, options->url, &store->address);
    if (problem)
        return ratings_result_set(why, APR_EINVAL, "%s", problem);
    store->timeout.tv_sec = (time_t)apr_time_sec(options->timeout);
    store->timeout.tv_usec = (suseconds_t)apr_time_usec(options->timeout);
    store->count = options->connections_max;
    store->slots = apr_pcalloc(pool, (size_t)store->count * sizeof *store->slots);
    for (int i = 0; i < store->count; i++) {
        store->slots[i].next = store->free;
        store->free = &store->slots[i];
    }
    ratings_lock_init(&store->lock, &store->freed);
    *out = store;
    return ratings_result_ok(why);
}

void ratings_store_interrupt(ratings_store_t *store)
{
    pthread_mutex_lock(&store->lock);
    store->interrupted = true;
    for (int i = 0; i < store->count; i++)
        if (store->slots[i].busy && store->slots[i].context)
            shutdown(store->slots[i].context->fd, SHUT_RDWR);
    pthread_cond_broadcast(&store->freed);
    pthread_mutex_unlock(&store->lock);
}

void ratings_store_destroy(ratings_store_t *store)
{
    for (int i = 0; i < store->count; i++)
        if (store->slots[i].context)
            redisFree(store->slots[i].context);
    ratings_lock_destroy(&store->lock, &store->freed);
}

/* ---- checking out ---- */

static slot_t *check_out(ratings_store_t *store)
{
    int64_t deadline =
        ratings_monotonic() + apr_time_make(store->timeout.tv_sec, store->timeout.tv_usec);
    slot_t *slot = NULL;
    bool in_time = true;
    pthread_mutex_lock(&store->lock);
    while (!store->free && !store->interrupted && in_time)
        in_time = ratings_wait_until(&store->freed, &store->lock, deadline);
    if (!store->interrupted && store->free) {
        slot = store->free;
        store->free = slot->next;
        slot->busy = true;
    }
    pthread_mutex_unlock(&store->lock);
    return slot;
}

static void check_in(ratings_store_t *store, slot_t *slot)
{
    pthread_mutex_lock(&store->lock);
    slot->busy = false;
    slot->next = store->free;
    store->free = slot;
    pthread_cond_signal(&store->freed);
    pthread_mutex_unlock(&store->lock);
}

/* Under the lock, as ratings_store_interrupt looks at the context from another thread. */
static void set_context(ratings_store_t *store, slot_t *slot, redisContext *context)
{
    pthread_mutex_lock(&store->lock);
    redisContext *old = slot->context;
    slot->context = context;
    if (context && store->interrupted)
        shutdown(context->fd, SHUT_RDWR);
    pthread_mutex_unlock(&store->lock);
    if (old)
        redisFree(old);
}

/* ---- errors ---- */

/* hiredis tells a timeout only by errno: EAGAIN of a read with SO_RCVTIMEO, ETIMEDOUT of connect */
static apr_status_t context_failure(const redisContext *context, bool connecting,
                                    ratings_result_t *why)
{
    int code = errno;
    const char *doing = connecting ? "connecting" : "waiting for an answer";
    if (context == NULL)
        return ratings_result_set(why, APR_ENOMEM, "out of memory");
    if (context->err == REDIS_ERR_IO &&
        (code == EAGAIN || code == EWOULDBLOCK || code == ETIMEDOUT || code == EINPROGRESS))
        return ratings_result_set(why, APR_TIMEUP, "timed out %s", doing);
    if (context->err == REDIS_ERR_PROTOCOL)
        return ratings_result_set(why, APR_EGENERAL, "not a Redis answer: %s", context->errstr);
    return ratings_result_set(why, connecting ? APR_ECONNREFUSED : APR_EGENERAL, "%s: %s", doing,
                              context->errstr);
}

apr_status_t store_error_reply(const redisReply *reply, ratings_result_t *why)
{
    return ratings_result_set(why, APR_EGENERAL, "Redis refused: %.*s", (int)reply->len,
                              reply->str);
}

/* ---- connecting ---- */

static apr_status_t greet(redisContext *context, int argc, const char **argv, ratings_result_t *why)
{
    redisReply *reply = redisCommandArgv(context, argc, argv, NULL);
    if (!reply)
        return context_failure(context, true, why);
    apr_status_t status =
        reply->type == REDIS_REPLY_ERROR ? store_error_reply(reply, why) : ratings_result_ok(why);
    freeReplyObject(reply);
    return status;
}

static apr_status_t authenticate(const address_t *address, redisContext *context,
                                 ratings_result_t *why)
{
    const char *with_user[] = {"AUTH", address->user, address->password};
    const char *without[] = {"AUTH", address->password};
    if (!address->password)
        return APR_SUCCESS;
    return address->user ? greet(context, 3, with_user, why) : greet(context, 2, without, why);
}

static apr_status_t select_database(const address_t *address, redisContext *context,
                                    ratings_result_t *why)
{
    char number[16];
    const char *words[] = {"SELECT", number};
    if (address->database == 0)
        return APR_SUCCESS;
    (void)snprintf(number, sizeof number, "%d", address->database);
    return greet(context, 2, words, why);
}

/* Timeouts are set before AUTH: a server that does not answer must not hold it. */
static apr_status_t open_connection(ratings_store_t *store, slot_t *slot, ratings_result_t *why)
{
    redisContext *context =
        redisConnectWithTimeout(store->address.host, store->address.port, store->timeout);
    apr_status_t status;
    if (!context || context->err) {
        status = context_failure(context, true, why);
        if (context)
            redisFree(context);
        return status;
    }
    set_context(store, slot, context);
    if (redisSetTimeout(context, store->timeout) != REDIS_OK)
        return context_failure(context, true, why);
    (void)redisEnableKeepAlive(context);
    status = authenticate(&store->address, context, why);
    return status == APR_SUCCESS ? select_database(&store->address, context, why) : status;
}

/* ---- calls ---- */

static void drop_replies(redisReply **replies, int count)
{
    for (int i = 0; i < count; i++) {
        freeReplyObject(replies[i]);
        replies[i] = NULL;
    }
}

static apr_status_t exchange(redisContext *context, const store_command_t *commands, int count,
                             redisReply **replies, ratings_result_t *why)
{
    for (int i = 0; i < count; i++)
        if (redisAppendCommandArgv(context, commands[i].argc, commands[i].argv,
                                   commands[i].argvlen) != REDIS_OK)
            return context_failure(context, false, why);
    for (int i = 0; i < count; i++) {
        void *reply = NULL;
        if (redisGetReply(context, &reply) != REDIS_OK) {
            apr_status_t status = context_failure(context, false, why);
            drop_replies(replies, i);
            return status;
        }
        replies[i] = reply;
    }
    return ratings_result_ok(why);
}

/* Refusals that a server gives as long as it is in a state of its own (a replica, loading, its
 * password changed), while the address may lead to another by now: not to be asked over the same
 * connection. */
static bool is_wrong_server(const redisReply *reply)
{
    static const char *const refusals[] = {"READONLY", "LOADING", "MASTERDOWN", "NOAUTH"};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (reply->type == REDIS_REPLY_ERROR &&
            strncmp(reply->str, refusals[i], strlen(refusals[i])) == 0)
            return true;
    return false;
}

static apr_status_t attempt(ratings_store_t *store, slot_t *slot, const store_command_t *commands,
                            int count, redisReply **replies, ratings_result_t *why)
{
    apr_status_t status = slot->context ? APR_SUCCESS : open_connection(store, slot, why);
    if (status == APR_SUCCESS)
        status = exchange(slot->context, commands, count, replies, why);
    if (status != APR_SUCCESS || is_wrong_server(replies[count - 1]))
        set_context(store, slot, NULL); /* after an error a context is dead */
    return status;
}

apr_status_t store_pipeline(ratings_store_t *store, const store_command_t *commands, int count,
                            redisReply **replies, int64_t deadline, ratings_result_t *why)
{
    (void)deadline;
    slot_t *slot = check_out(store);
    if (!slot)
        return ratings_result_set(why, APR_TIMEUP, "no connection came free in time");
    bool was_idle = slot->context != NULL;
    apr_status_t status = attempt(store, slot, commands, count, replies, why);
    if (was_idle && status == APR_EGENERAL) /* the server was restarted while it was idle */
        status = attempt(store, slot, commands, count, replies, why);
    check_in(store, slot);
    return status;
}

int64_t store_deadline(const ratings_store_t *store)
{
    return ratings_monotonic() + apr_time_make(store->timeout.tv_sec, store->timeout.tv_usec);
}

apr_status_t store_command(ratings_store_t *store, redisReply **reply, int64_t deadline,
                           ratings_result_t *why, const char *word, ...)
{
    const char *argv[16];
    size_t argvlen[16];
    store_command_t command = {0, argv, argvlen};
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
