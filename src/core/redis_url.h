/* Where a Redis is. Pure functions, any thread.
 *
 *   redis://[[user]:password@]host[:port][/database]
 *   unix://[[user]:password@]/path[?db=database]
 *   redis+sentinel://[[user]:password@]host[:port][,host[:port]...]/master[/database]
 *   rediss://..., rediss+sentinel://..., as the first and the third: by TLS, sentinels as well
 *
 * The second is a Unix socket, as redis-py and go-redis write it
 * (https://redis.readthedocs.io/en/stable/connections.html#redis.Redis.from_url); redis-cli and
 * hiredis have no URL for one. The hosts of the third are sentinels, which know where the Redis is
 * that they monitor under the name of `master`; user, password and database are that Redis's. */
#ifndef RATINGS_CORE_REDIS_URL_H
#define RATINGS_CORE_REDIS_URL_H

#include <stdbool.h>
#include <stddef.h>

#define RATINGS_REDIS_HOST_MAX 255    /* bytes, not counting the terminator; so are the next */
#define RATINGS_REDIS_SECRET_MAX 1023 /* of a user or password, after %XX is resolved */
#define RATINGS_REDIS_SOCKET_MAX 107  /* what sockaddr_un has room for */
#define RATINGS_REDIS_SENTINELS_MAX 9

typedef struct {
    char name[RATINGS_REDIS_HOST_MAX + 1]; /* an address of IPv6 without its brackets */
    int port;
} ratings_redis_host_t;

typedef struct {
    ratings_redis_host_t host[RATINGS_REDIS_SENTINELS_MAX];
    int hosts;                                 /* sentinels, if there is a master; else 1, Redis */
    char master[RATINGS_REDIS_HOST_MAX + 1];   /* "" : none */
    char socket[RATINGS_REDIS_SOCKET_MAX + 1]; /* the path; "" : hosts instead */
    char user[RATINGS_REDIS_SECRET_MAX + 1];   /* "" : none */
    char password[RATINGS_REDIS_SECRET_MAX + 1];
    bool has_password;
    bool has_tls;
    int database;
} ratings_redis_url_t;

/* Fills `*out` and returns NULL; or returns what is wrong (static, without anything of the URL) and
 * leaves `*out` undefined. */
const char *ratings_redis_url_parse(const char *url, ratings_redis_url_t *out);

/* A host and a port as a sentinel tells them, of so many bytes, each with a terminator after them.
 * False: it is none, and `*host` undefined. */
bool ratings_redis_host_read(const char *name, size_t name_len, const char *port, size_t port_len,
                             ratings_redis_host_t *host);

/* The URL with its password as ***; the rest is as it was written. Of one that cannot be parsed, no
 * more than the scheme. malloc()ed, owned by the caller; NULL when memory ran out. */
char *ratings_redis_url_redact(const char *url);

#endif
