/* hiredis formats, reads and parses, where there is TLS it does not read (store_wire.h); all
 * waiting is done here, since its own timeouts are for each wait alone, and none can be
 * interrupted. Only what hiredis 0.14 and 1.x both have is used. */
#include "store_link.h"

#include "store_refusal.h"
#include "store_wire.h"

#include <apr_general.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LATE_ANSWER "timed out waiting for an answer"

struct store_link_t {
    store_wire_t wire;
    redisContext *context;              /* the wire's */
    uint64_t serial;                    /* of the exchange; the first is drawn by lot */
    size_t bytes_left, elements_left;   /* that answers to the exchange may still have */
    bool is_excess;                     /* an answer is larger than it may be */
    bool is_secret;                     /* a command of the exchange holds the password */
    bool lacks_echo;                    /* exchanges end without ECHO */
    bool has_answered;                  /* something came, ever */
    redisReplyObjectFunctions building; /* how replies are built: as hiredis does, within bounds */
    const redisReplyObjectFunctions *unbounded;
};

/* ---- building replies, within bounds ---- */

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
static void bound_exchange(store_link_t *link, const store_command_t *commands, int count)
{
    link->is_excess = link->is_secret = false;
    link->bytes_left = ECHO_MAX;
    for (int i = 0; i < count; i++) {
        link->bytes_left += commands[i].answer_max ? commands[i].answer_max : STORE_ANSWER_MAX;
        link->is_secret |= commands[i].is_secret;
    }
    link->elements_left = link->bytes_left / ELEMENT_MIN;
}

/* ---- a connection ---- */

store_link_t *store_link_over(store_channel_t channel, ratings_result_t *why)
{
    store_link_t *link = calloc(1, sizeof *link);
    if (!link || !store_wire_init(&link->wire, channel)) {
        store_channel_close(channel);
        free(link);
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
        return NULL;
    }
    link->context = link->wire.context;
    (void)apr_generate_random_bytes((unsigned char *)&link->serial, sizeof link->serial);
    bound_replies(link);
    return link;
}

void store_link_close(store_link_t *link)
{
    if (link)
        store_wire_destroy(&link->wire);
    free(link);
}

void store_link_knows_no_echo(store_link_t *link)
{
    link->lacks_echo = true;
}

/* ---- sending and receiving ---- */

bool store_link_is_lost(const store_link_t *link)
{
    return link->context->err == REDIS_ERR_EOF || link->context->err == REDIS_ERR_IO;
}

static apr_status_t broken_link(const store_link_t *link, ratings_result_t *why)
{
    const redisContext *context = link->context;
    if (link->is_excess)
        return ratings_result_set(why, RATINGS_REBUILD_NEEDED,
                                  "Redis answers more than it was asked for");
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
static void print_serial(const store_link_t *link, char text[SERIAL_TEXT])
{
    (void)snprintf(text, SERIAL_TEXT, "mod_ratings:%016" PRIx64, link->serial);
}

static int append_commands(store_link_t *link, const store_command_t *commands, int count)
{
    char serial[SERIAL_TEXT];
    const char *echo[] = {"ECHO", serial};
    int result = REDIS_OK;
    for (int i = 0; i < count && result == REDIS_OK; i++)
        result =
            store_wire_append(&link->wire, commands[i].argc, commands[i].argv, commands[i].argvlen);
    link->serial++;
    print_serial(link, serial);
    return result == REDIS_OK && !link->lacks_echo ? store_wire_append(&link->wire, 2, echo, NULL)
                                                   : result;
}

static apr_status_t send_commands(store_link_t *link, const store_command_t *commands, int count,
                                  const ratings_deadline_t *deadline, ratings_result_t *why)
{
    if (append_commands(link, commands, count) != REDIS_OK)
        return broken_link(link, why);
    for (int done = 0;;) {
        short events;
        if (store_wire_write(&link->wire, &done, &events) != REDIS_OK)
            return broken_link(link, why);
        if (done)
            return APR_SUCCESS;
        apr_status_t status =
            ratings_deadline_poll(link->context->fd, events, deadline, LATE_ANSWER, why);
        if (status != APR_SUCCESS)
            return status;
    }
}

/* What has come, and no more of it than may. `*events` is what to wait for next; `*heard`:
 * something came. */
static bool read_some(store_link_t *link, short *events, bool *heard)
{
    const redisReader *reader = link->context->reader;
    size_t before = reader->len;
    if (store_wire_read(&link->wire, events) != REDIS_OK)
        return false;
    size_t came = reader->len - before;
    *heard |= came > 0;
    link->has_answered |= came > 0;
    link->is_excess = came > link->bytes_left;
    link->bytes_left -= link->is_excess ? 0 : came;
    return !link->is_excess;
}

static apr_status_t wait_for_bytes(const store_link_t *link, short events,
                                   const ratings_deadline_t *deadline, ratings_result_t *why)
{
    return store_wire_has_pending(&link->wire)
               ? APR_SUCCESS
               : ratings_deadline_poll(link->context->fd, events, deadline, LATE_ANSWER, why);
}

/* `*heard`: something came. */
static apr_status_t receive_reply(store_link_t *link, const ratings_deadline_t *deadline,
                                  redisReply **reply, bool *heard, ratings_result_t *why)
{
    void *built = NULL;
    for (short events = POLLIN;;) {
        if (redisGetReplyFromReader(link->context, &built) != REDIS_OK)
            return broken_link(link, why);
        *reply = built;
        if (built)
            return APR_SUCCESS;
        apr_status_t status = wait_for_bytes(link, events, deadline, why);
        if (status != APR_SUCCESS)
            return status;
        if (!read_some(link, &events, heard))
            return broken_link(link, why);
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

static apr_status_t receive_replies(store_link_t *link, exchange_t *exchange,
                                    const ratings_deadline_t *deadline, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    while (status == APR_SUCCESS && exchange->received < exchange->count) {
        status = receive_reply(link, deadline, &exchange->replies[exchange->received],
                               &exchange->heard, why);
        exchange->received += status == APR_SUCCESS;
    }
    return status == APR_SUCCESS && !link->lacks_echo
               ? receive_reply(link, deadline, &exchange->echo, &exchange->heard, why)
               : status;
}

static bool is_echo(const store_link_t *link, const redisReply *reply)
{
    char serial[SERIAL_TEXT];
    print_serial(link, serial);
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
static void report_refusal(const store_link_t *link, const redisReply *refusal,
                           ratings_result_t *why)
{
    if (link->is_secret)
        store_login_reply(refusal, why);
    else
        store_error_reply(refusal, why);
}

/* By TLS 1.3 a server says only after the handshake, if at all, that it refuses the client's
 * certificate. One that closes as TLS wants it (a proxy without a server, say) refuses none. */
static int fault_of_hanging_up(const store_link_t *link)
{
    if (link->wire.fault)
        return link->wire.fault;
    bool may_refuse = link->wire.tls && !link->has_answered && link->context->err != REDIS_ERR_EOF;
    return may_refuse ? RATINGS_STORE_REFUSES_CLIENT : RATINGS_STORE_HANGS_UP;
}

/* Not in order: `why` has the reason so far. Of a server that refuses and closes (it has too many
 * clients, say), its refusal is the reason. */
static store_link_next_e end_in_failure(const store_link_t *link, const exchange_t *exchange,
                                        ratings_result_t *why)
{
    const redisReply *refusal = refusal_of(exchange);
    bool is_shifted = exchange->echo != NULL;
    if (refusal && (is_shifted || store_link_is_lost(link))) {
        report_refusal(link, refusal, why);
        return store_refusal_is_of_server(refusal) ? STORE_LINK_RETIRE : STORE_LINK_CLOSE;
    }
    if (is_shifted)
        ratings_result_set(why, APR_EGENERAL, STORE_NOT_ASKED_FOR);
    else if (exchange->heard || !store_link_is_lost(link))
        return STORE_LINK_CLOSE;
    else
        store_blame(why, fault_of_hanging_up(link));
    return STORE_LINK_REPLACE;
}

static bool is_drained(const store_link_t *link)
{
    return link->context->reader->pos == link->context->reader->len;
}

static store_link_next_e end_in_success(const store_link_t *link, const exchange_t *exchange)
{
    const redisReply *refusal = refusal_of(exchange);
    if (refusal && store_refusal_is_of_server(refusal))
        return STORE_LINK_RETIRE;
    return is_drained(link) ? STORE_LINK_KEEP : STORE_LINK_CLOSE;
}

apr_status_t store_link_exchange(store_link_t *link, const store_command_t *commands, int count,
                                 redisReply **replies, const ratings_deadline_t *deadline,
                                 store_link_next_e *next, ratings_result_t *why)
{
    exchange_t exchange = {.replies = replies, .count = count};
    bound_exchange(link, commands, count);
    apr_status_t status = send_commands(link, commands, count, deadline, why);
    if (status == APR_SUCCESS)
        status = receive_replies(link, &exchange, deadline, why);
    bool is_good = status == APR_SUCCESS && (link->lacks_echo || is_echo(link, exchange.echo));
    *next = is_good ? end_in_success(link, &exchange) : end_in_failure(link, &exchange, why);
    freeReplyObject(exchange.echo);
    if (is_good)
        return ratings_result_ok(why);
    store_free_replies(replies, exchange.received);
    return why->status;
}

bool store_link_is_quiet(const store_link_t *link)
{
    char byte;
    return is_drained(link) && !store_wire_has_pending(&link->wire) &&
           recv(link->context->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}
