/* Private to the store: one connection to Redis, a hiredis context that never blocks by itself. One
 * thread at a time uses it. The protocol is RESP2
 * (https://redis.io/docs/latest/develop/reference/protocol-spec/).
 *
 * RESP has no request ids: a reply is the answer to a command by its order alone. A reply that
 * nobody asked for (of a proxy that lost count, say) would be taken for the answer to the next
 * command, and each answer for that to the command after, for ever. So each exchange ends with an
 * ECHO of a number of its own: if that is not what comes last, the connection is closed. */
#ifndef RATINGS_STORE_LINK_H
#define RATINGS_STORE_LINK_H

#include "store_channel.h"

#include <hiredis/hiredis.h>

#include <stdbool.h>
#include <stddef.h>

/* One command: words with their lengths, as they may hold any byte. */
typedef struct {
    int argc;
    const char **argv;
    size_t *argvlen;
    size_t answer_max;  /* bytes that its answer may have; 0: STORE_ANSWER_MAX */
    bool is_secret;     /* it holds the password: no refusal of the exchange is repeated as it is */
    const char *script; /* EVALSHA: the script's text, for a server that wants it; or NULL */
} store_command_t;

#define STORE_ANSWER_MAX ((size_t)64 * 1024)

typedef struct store_link_t store_link_t;

/* Over a channel, which is the link's from then on, and closed by a failure. NULL and
 * RATINGS_NOT_ASKED when memory ran out. */
store_link_t *store_link_over(store_channel_t channel, ratings_result_t *why);
void store_link_close(store_link_t *link); /* NULL: nothing to do */

/* The peer is a sentinel, which has no ECHO: exchanges end without, so that the link is good for
 * few, one after the other. */
void store_link_knows_no_echo(store_link_t *link);

/* Whether the last exchange has failed because the connection broke. */
bool store_link_is_lost(const store_link_t *link);

/* Whether nothing came since the last exchange, neither bytes nor the end of the connection. */
bool store_link_is_quiet(const store_link_t *link);

/* What is to be done with a connection after an exchange, whether it succeeded or not. */
typedef enum {
    STORE_LINK_KEEP,
    STORE_LINK_CLOSE,
    STORE_LINK_REPLACE, /* close it; another connection may do what this one could not */
    STORE_LINK_RETIRE   /* the same; and those that were opened before lead to the same server */
} store_link_next_e;

/* Sends `count` commands and reads as many replies, which the caller frees; on a failure none is
 * left to free. RATINGS_REBUILD_NEEDED: an answer is larger than it may be. APR_EGENERAL and
 * STORE_NOT_ASKED_FOR: the last answer was not to the ECHO. APR_TIMEUP, RATINGS_NOT_ASKED: of
 * ratings_deadline_poll. */
apr_status_t store_link_exchange(store_link_t *link, const store_command_t *commands, int count,
                                 redisReply **replies, const ratings_deadline_t *deadline,
                                 store_link_next_e *next, ratings_result_t *why);

#define STORE_NOT_ASKED_FOR "Redis answers what it was not asked for"

void store_free_replies(redisReply **replies, int count);

#endif
