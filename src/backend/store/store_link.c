/* hiredis writes, reads and parses; connecting and all waiting is done here, since its own
 * deadlines are for each wait alone, and none can be interrupted. Only what hiredis 0.14 and 1.x
 * both have is used. */
#include "store_link.h"

#include "store_refusal.h"

#include <apr_general.h>

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LATE_CONNECT "timed out connecting"
#define LATE_ANSWER "timed out waiting for an answer"
#define NOT_ASKED_FOR "Redis answers what it was not asked for"

struct store_link_t {
    redisContext *context;
    uint64_t serial;                    /* of the exchange; the first is drawn by lot */
    size_t bytes_left, elements_left;   /* that answers to the exchange may still have */
    bool is_excess;                     /* an answer is larger than it may be */
    bool is_logging_in;                 /* the exchange holds the password */
    redisReplyObjectFunctions building; /* how replies are built: as hiredis does, within bounds */
    const redisReplyObjectFunctions *unbounded;
};

/* ---- building replies ---- */

#define NESTED_MAX 2 /* arrays in one another */

#if HIREDIS_MAJOR >= 1
typedef size_t element_count_t;
#else
typedef int element_count_t;
#endif

static int depth_of(const redisReadTask *task)
{
    int depth = 1;
    while ((task = task->parent) != NULL)
        depth++;
    return depth;
}

/* hiredis takes the memory for as many elements as an answer announces, before any has come. */
static void *build_array(const redisReadTask *task, element_count_t elements)
{
    store_link_t *link = task->privdata;
    uint64_t count = (uint64_t)elements; /* one below zero is beyond all bounds */
    link->is_excess = count > link->elements_left || depth_of(task) > NESTED_MAX;
    if (link->is_excess)
        return NULL;
    link->elements_left -= (size_t)count;
    return link->unbounded->createArray(task, elements);
}

static void bound_replies(store_link_t *link)
{
    redisReader *reader = link->context->reader;
    link->unbounded = reader->fn;
    link->building = *reader->fn;
    link->building.createArray = build_array;
    reader->fn = &link->building;
    reader->privdata = link;
}

#define ELEMENT_MIN 3 /* bytes that any element has, at least: "+\r\n" */
#define ECHO_MAX 256  /* bytes that the answer to ECHO may have */

/* What is to come is bounded by what is asked for. */
static void expect(store_link_t *link, const store_command_t *commands, int count)
{
    link->is_excess = false;
    link->bytes_left = ECHO_MAX;
    for (int i = 0; i < count; i++)
        link->bytes_left += commands[i].answer_max ? commands[i].answer_max : STORE_ANSWER_MAX;
    link->elements_left = link->bytes_left / ELEMENT_MIN;
}

/* ---- connecting ---- */

/* Of this process or this host, before anything was sent. EADDRNOTAVAIL means that this host has no
 * free port; with IPv6 it may also have no address, and then the store cannot be reached. */
static bool is_of_this_host(int error, int family)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
           (error == EADDRNOTAVAIL && family == AF_INET);
}

static apr_status_t unreachable(int error, const struct addrinfo *address, ratings_result_t *why)
{
    bool is_ours = is_of_this_host(error, address->ai_family);
    return ratings_result_set(why, is_ours ? RATINGS_NOT_ASKED : APR_ECONNREFUSED, "connecting: %s",
                              strerror(error));
}

static apr_status_t end_of_connect(int fd, const struct addrinfo *address,
                                   const ratings_deadline_t *limit, ratings_result_t *why)
{
    int error = 0;
    socklen_t len = sizeof error;
    apr_status_t status = ratings_deadline_poll(fd, POLLOUT, limit, LATE_CONNECT, why);
    if (status != APR_SUCCESS)
        return status;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    return error ? unreachable(error, address, why) : APR_SUCCESS;
}

static apr_status_t connect_to(const struct addrinfo *address, const ratings_deadline_t *limit,
                               int *fd, ratings_result_t *why)
{
    int one = 1;
    apr_status_t status = APR_SUCCESS;
    *fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return unreachable(errno, address, why);
    (void)setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(*fd, address->ai_addr, address->ai_addrlen) != 0)
        status = errno == EINPROGRESS ? end_of_connect(*fd, address, limit, why)
                                      : unreachable(errno, address, why);
    if (status != APR_SUCCESS)
        (void)close(*fd);
    return status;
}

/* Each address may take its share of the time: one that swallows what it is sent must not keep the
 * others from being tried. */
static ratings_deadline_t share(const ratings_deadline_t *limit, const struct addrinfo *addresses)
{
    int count = 0;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next)
        count++;
    int64_t left = limit->expires_at - ratings_monotonic();
    return ratings_deadline_make(limit->expires_at, left / count, limit->cancel_fd);
}

/* `why` names the last address that was asked, or the first one if this host could ask none. */
static apr_status_t connect_to_any(const struct addrinfo *addresses,
                                   const ratings_deadline_t *limit, int *fd, ratings_result_t *why)
{
    ratings_result_t one;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next) {
        ratings_deadline_t part = share(limit, a);
        apr_status_t status = connect_to(a, &part, fd, &one);
        if (status == APR_SUCCESS)
            return ratings_result_ok(why);
        if (ratings_deadline_is_cancelled(limit))
            return ratings_deadline_cancelled(why);
        if (a == addresses || status != RATINGS_NOT_ASKED)
            *why = one;
    }
    return why->status;
}

/* A connection over the socket, which is its own from then on. */
static store_link_t *wrap(int fd, ratings_result_t *why)
{
    store_link_t *link = calloc(1, sizeof *link);
    redisContext *context = link ? redisConnectFd(fd) : NULL;
    if (!context) {
        (void)close(fd);
        free(link);
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
        return NULL;
    }
    context->flags &= ~REDIS_BLOCK; /* "try again" is no error */
    (void)redisEnableKeepAlive(context);
    link->context = context;
    (void)apr_generate_random_bytes((unsigned char *)&link->serial, sizeof link->serial);
    bound_replies(link);
    return link;
}

void store_link_close(store_link_t *link)
{
    if (link)
        redisFree(link->context);
    free(link);
}

static store_link_t *dial(ratings_resolver_t *host, const ratings_deadline_t *limit,
                          ratings_result_t *why)
{
    ratings_resolution_t *lookup;
    int fd = -1;
    if (ratings_resolver_resolve(host, limit, &lookup, why) != APR_SUCCESS)
        return NULL;
    apr_status_t status = connect_to_any(ratings_resolution_addresses(lookup), limit, &fd, why);
    ratings_resolution_unref(lookup);
    return status == APR_SUCCESS ? wrap(fd, why) : NULL;
}

/* ---- commands and replies ---- */

static bool is_lost(const store_link_t *link)
{
    return link->context->err == REDIS_ERR_EOF || link->context->err == REDIS_ERR_IO;
}

static apr_status_t broken(const store_link_t *link, ratings_result_t *why)
{
    const redisContext *context = link->context;
    if (link->is_excess)
        return ratings_result_set(why, APR_EINVAL, "Redis answers more than it was asked for");
    bool is_foreign = context->err == REDIS_ERR_PROTOCOL;
    ratings_result_set(why, context->err == REDIS_ERR_OOM ? RATINGS_NOT_ASKED : APR_EGENERAL,
                       "%s: %s", is_foreign ? "not a Redis answer" : "waiting for an answer",
                       context->errstr);
    if (is_foreign)
        store_blame(why, RATINGS_STORE_NOT_REDIS);
    return why->status;
}

#define SERIAL_TEXT 32

/* The number of an exchange as text. */
static void serial_text(const store_link_t *link, char text[SERIAL_TEXT])
{
    (void)snprintf(text, SERIAL_TEXT, "mod_ratings:%016" PRIx64, link->serial);
}

static int append(store_link_t *link, const store_command_t *commands, int count)
{
    char serial[SERIAL_TEXT];
    const char *echo[] = {"ECHO", serial};
    int result = REDIS_OK;
    for (int i = 0; i < count && result == REDIS_OK; i++)
        result = redisAppendCommandArgv(link->context, commands[i].argc, commands[i].argv,
                                        commands[i].argvlen);
    link->serial++;
    serial_text(link, serial);
    return result == REDIS_OK ? redisAppendCommandArgv(link->context, 2, echo, NULL) : result;
}

static apr_status_t send_commands(store_link_t *link, const store_command_t *commands, int count,
                                  const ratings_deadline_t *limit, ratings_result_t *why)
{
    if (append(link, commands, count) != REDIS_OK)
        return broken(link, why);
    for (int done = 0;;) {
        if (redisBufferWrite(link->context, &done) != REDIS_OK)
            return broken(link, why);
        if (done)
            return APR_SUCCESS;
        apr_status_t status =
            ratings_deadline_poll(link->context->fd, POLLOUT, limit, LATE_ANSWER, why);
        if (status != APR_SUCCESS)
            return status;
    }
}

/* What has come, and no more of it than may. */
static bool read_some(store_link_t *link)
{
    const redisReader *reader = link->context->reader;
    size_t before = reader->len;
    if (redisBufferRead(link->context) != REDIS_OK)
        return false;
    size_t came = reader->len - before;
    link->is_excess = came > link->bytes_left;
    link->bytes_left -= link->is_excess ? 0 : came;
    return !link->is_excess;
}

/* `*heard`: something came. */
static apr_status_t receive(store_link_t *link, const ratings_deadline_t *limit, redisReply **reply,
                            bool *heard, ratings_result_t *why)
{
    void *built = NULL;
    for (;;) {
        if (redisGetReplyFromReader(link->context, &built) != REDIS_OK)
            return broken(link, why);
        *reply = built;
        if (built)
            return APR_SUCCESS;
        apr_status_t status =
            ratings_deadline_poll(link->context->fd, POLLIN, limit, LATE_ANSWER, why);
        if (status != APR_SUCCESS)
            return status;
        if (!read_some(link))
            return broken(link, why);
        *heard = true;
    }
}

void store_free_replies(redisReply **replies, int count)
{
    for (int i = 0; i < count; i++) {
        freeReplyObject(replies[i]);
        replies[i] = NULL;
    }
}

/* ---- an exchange ---- */

/* What came of one: `count` replies are wanted, and the echo. */
typedef struct {
    redisReply **replies, *echo;
    int count, received;
    bool heard; /* something came */
} exchange_t;

static apr_status_t receive_all(store_link_t *link, exchange_t *exchange,
                                const ratings_deadline_t *limit, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    while (status == APR_SUCCESS && exchange->received < exchange->count) {
        status =
            receive(link, limit, &exchange->replies[exchange->received], &exchange->heard, why);
        exchange->received += status == APR_SUCCESS;
    }
    return status == APR_SUCCESS ? receive(link, limit, &exchange->echo, &exchange->heard, why)
                                 : status;
}

static bool is_echo(const store_link_t *link, const redisReply *reply)
{
    char serial[SERIAL_TEXT];
    serial_text(link, serial);
    return reply && reply->type == REDIS_REPLY_STRING && strcmp(reply->str, serial) == 0;
}

/* The first refusal of all that came: where one was met, the others follow from it. */
static const redisReply *refusal_of(const exchange_t *exchange)
{
    const redisReply *refusal = NULL;
    for (int i = 0; i < exchange->received && !refusal; i++)
        refusal = store_refusal_in(exchange->replies[i]);
    return refusal || !exchange->echo ? refusal : store_refusal_in(exchange->echo);
}

/* Each answer to an exchange that holds the password may be the one to AUTH: a reply that nobody
 * asked for moves it into the place of the echo. */
static void tell_refusal(const store_link_t *link, const redisReply *refusal, ratings_result_t *why)
{
    if (link->is_logging_in)
        store_login_reply(refusal, why);
    else
        store_error_reply(refusal, why);
}

/* Not in order: `why` is why, so far. A server that refuses and closes (it has too many clients,
 * say) is told by what it said. */
static store_link_next_e fail(const store_link_t *link, const exchange_t *exchange,
                              ratings_result_t *why)
{
    const redisReply *refusal = refusal_of(exchange);
    bool is_shifted = exchange->echo != NULL;
    if (refusal && (is_shifted || is_lost(link))) {
        tell_refusal(link, refusal, why);
        return store_refusal_is_of_server(refusal) ? STORE_LINK_RETIRE : STORE_LINK_CLOSE;
    }
    if (is_shifted)
        ratings_result_set(why, APR_EGENERAL, NOT_ASKED_FOR);
    else if (exchange->heard || !is_lost(link))
        return STORE_LINK_CLOSE;
    else
        store_blame(why, RATINGS_STORE_HANGS_UP);
    return STORE_LINK_REPLACE;
}

static bool is_drained(const store_link_t *link)
{
    return link->context->reader->pos == link->context->reader->len;
}

static store_link_next_e succeed(const store_link_t *link, const exchange_t *exchange)
{
    const redisReply *refusal = refusal_of(exchange);
    if (refusal && store_refusal_is_of_server(refusal))
        return STORE_LINK_RETIRE;
    return is_drained(link) ? STORE_LINK_KEEP : STORE_LINK_CLOSE;
}

apr_status_t store_link_exchange(store_link_t *link, const store_command_t *commands, int count,
                                 redisReply **replies, const ratings_deadline_t *limit,
                                 store_link_next_e *next, ratings_result_t *why)
{
    exchange_t exchange = {.replies = replies, .count = count};
    expect(link, commands, count);
    apr_status_t status = send_commands(link, commands, count, limit, why);
    if (status == APR_SUCCESS)
        status = receive_all(link, &exchange, limit, why);
    bool is_good = status == APR_SUCCESS && is_echo(link, exchange.echo);
    *next = is_good ? succeed(link, &exchange) : fail(link, &exchange, why);
    freeReplyObject(exchange.echo);
    if (is_good)
        return ratings_result_ok(why);
    store_free_replies(replies, exchange.received);
    return why->status;
}

bool store_link_is_quiet(const store_link_t *link)
{
    char byte;
    return is_drained(link) && recv(link->context->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* ---- logging in ---- */

/* An exchange while the connection is opened. A connection that breaks here was none, and too large
 * an answer is none of the store's data. Bytes left over end it too: they may be the refusal of
 * AUTH, which may repeat the password, and the next exchange would read them. */
static apr_status_t exchange_first(store_link_t *link, const store_command_t *command, int count,
                                   redisReply **reply, const ratings_deadline_t *limit,
                                   ratings_result_t *why)
{
    store_link_next_e next;
    apr_status_t status = store_link_exchange(link, command, count, reply, limit, &next, why);
    if (status == APR_EINVAL || (status == APR_SUCCESS && next == STORE_LINK_CLOSE))
        return ratings_result_set(why, APR_EGENERAL, NOT_ASKED_FOR);
    return status != APR_SUCCESS && is_lost(link) ? why->status = APR_ECONNREFUSED : status;
}

static apr_status_t greet(store_link_t *link, int argc, const char **argv,
                          const ratings_deadline_t *limit, ratings_result_t *why)
{
    size_t argvlen[3];
    const store_command_t command = {.argc = argc, .argv = argv, .argvlen = argvlen};
    redisReply *reply = NULL;
    for (int i = 0; i < argc; i++)
        argvlen[i] = strlen(argv[i]);
    apr_status_t status = exchange_first(link, &command, 1, &reply, limit, why);
    if (status == APR_SUCCESS && reply && reply->type == REDIS_REPLY_ERROR)
        tell_refusal(link, reply, why);
    freeReplyObject(reply);
    return why->status;
}

static apr_status_t authenticate(store_link_t *link, const store_login_t *login,
                                 const ratings_deadline_t *limit, ratings_result_t *why)
{
    const char *with_user[] = {"AUTH", login->user, login->password};
    const char *without[] = {"AUTH", login->password};
    if (!login->password)
        return APR_SUCCESS;
    link->is_logging_in = true;
    apr_status_t status =
        login->user ? greet(link, 3, with_user, limit, why) : greet(link, 2, without, limit, why);
    link->is_logging_in = false;
    return status;
}

static apr_status_t select_database(store_link_t *link, const store_login_t *login,
                                    const ratings_deadline_t *limit, ratings_result_t *why)
{
    char number[16];
    const char *words[] = {"SELECT", number};
    if (login->database == 0)
        return APR_SUCCESS;
    (void)snprintf(number, sizeof number, "%d", login->database);
    return greet(link, 2, words, limit, why);
}

/* ECHO alone, so that one that is denied is known before a script is run. */
static apr_status_t try_echo(store_link_t *link, const ratings_deadline_t *limit,
                             ratings_result_t *why)
{
    redisReply *none = NULL;
    return exchange_first(link, NULL, 0, &none, limit, why);
}

store_link_t *store_link_open(ratings_resolver_t *host, const store_login_t *login,
                              const ratings_deadline_t *limit, ratings_result_t *why)
{
    store_link_t *link = dial(host, limit, why);
    if (!link)
        return NULL;
    if (authenticate(link, login, limit, why) == APR_SUCCESS &&
        select_database(link, login, limit, why) == APR_SUCCESS &&
        try_echo(link, limit, why) == APR_SUCCESS)
        return link;
    store_link_close(link);
    return NULL;
}
