/* What is wrong with a store, and what to do, for people. */
#include "store_fault.h"

#include <string.h>
#include <strings.h>

/* In one piece: clang-tidy takes two in a table for a forgotten comma. */
#define FULL "the store is out of memory: ratings are recorded and not counted until it has more"

static const char *const texts[] = {
    [RATINGS_STORE_UNREACHABLE] = "it cannot be reached",
    [RATINGS_STORE_REPLICA] = "the store is a read-only replica: name its primary",
    [RATINGS_STORE_ORPHAN] = "the store is a replica that has lost its primary: name one",
    [RATINGS_STORE_LOADING] = "the store is still loading its data: wait",
    [RATINGS_STORE_LOGIN] =
        "the store refuses the login: correct user and password of RatingsStore",
    [RATINGS_STORE_CLUSTER] =
        "the store is a node of a Redis Cluster: name a Redis with cluster-enabled no",
    [RATINGS_STORE_EVICTS] = "the store evicts keys: set maxmemory-policy to noeviction",
    [RATINGS_STORE_FULL] = FULL,
    [RATINGS_STORE_NOT_SAVING] =
        "the store takes no writes, as it cannot save them: see its own log",
    [RATINGS_STORE_LACKS_REPLICAS] =
        "the store takes no writes, as it has too few replicas (min-replicas-to-write)",
    [RATINGS_STORE_BUSY] = "the store runs a script of somebody else: wait, or end it",
    [RATINGS_STORE_CROWDED] = "the store takes no more connections: raise its maxclients",
    [RATINGS_STORE_LACKS_COMMANDS] =
        "the store does not know a command: name a Redis, and no proxy that lacks commands",
    [RATINGS_STORE_HANGS_UP] =
        "the store hangs up when it is asked: name a Redis, by rediss:// if it wants TLS",
    [RATINGS_STORE_UNTRUSTED] =
        "the store's certificate is refused: correct it, RatingsStoreTLSCA or RatingsStoreTLSName",
    [RATINGS_STORE_WITHOUT_TLS] =
        "what answers speaks no TLS: name the port on which Redis does, or write redis://",
    [RATINGS_STORE_REFUSES_CLIENT] =
        "the store wants a client's certificate, or another: correct RatingsStoreTLSCertificate",
    [RATINGS_STORE_DENIED] =
        "it refuses a command or a key to the service's user: see the error log",
    [RATINGS_STORE_NOT_REDIS] = "what answers is no Redis: correct RatingsStore",
    [STORE_FAULT_KEY_DENIED] = "it refuses a key to the service's user: see the error log",
};

#define TEXTS (int)(sizeof texts / sizeof texts[0])

#define DENIED(command)                                                                            \
    {                                                                                              \
        command, "it refuses the command " command " to the service's user: see the error log"     \
    }

/* The commands that the service uses, as docs/security.md lists them; their faults follow those of
 * `texts`. */
static const struct {
    const char *name, *text;
} commands[] = {DENIED("EVAL"),          DENIED("TYPE"),   DENIED("HMGET"), DENIED("HGETALL"),
                DENIED("HLEN"),          DENIED("HSET"),   DENIED("HDEL"),  DENIED("ZCARD"),
                DENIED("ZRANGEBYSCORE"), DENIED("ZADD"),   DENIED("ZREM"),  DENIED("UNLINK"),
                DENIED("SCAN"),          DENIED("GET"),    DENIED("SET"),   DENIED("PTTL"),
                DENIED("INFO"),          DENIED("SELECT"), DENIED("ECHO")};

#define COMMANDS (int)(sizeof commands / sizeof commands[0])

int store_fault_command_denied(const char *name, size_t length)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strlen(commands[i].name) == length && strncasecmp(commands[i].name, name, length) == 0)
            return TEXTS + i;
    return 0;
}

const char *ratings_store_fault_text(int fault)
{
    if (fault < 0 || fault >= TEXTS + COMMANDS)
        return NULL;
    return fault < TEXTS ? texts[fault] : commands[fault - TEXTS].text;
}
