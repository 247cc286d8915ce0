#include "redis_url.h"

#include "number.h"
#include "redact.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDIS_PORT 6379
#define SCHEME "redis://"

static const char malformed[] =
    "it takes redis://[[user]:password@]host[:port][/database] (a '/', '@', '%', '?' or '#' in a "
    "password is written as %2F, %40, %25, %3F or %23)";

/* The byte that %XX encodes; -1 when it is no escape, or that of a NUL. */
static int escaped_byte(const char *text, size_t len)
{
    int high = len > 2 ? ratings_hex_digit(text[1]) : -1;
    int low = len > 2 ? ratings_hex_digit(text[2]) : -1;

    return high < 0 || low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

/* False when an escape is malformed, or the buffer is too small. */
static bool unescape(const char *text, size_t len, char *out, size_t size)
{
    size_t used = 0;

    while (len > 0) {
        size_t taken = *text == '%' ? 3 : 1;
        int c = taken == 3 ? escaped_byte(text, len) : (unsigned char)*text;
        if (c < 0 || used + 1 >= size)
            return false;
        out[used++] = (char)c;
        text += taken;
        len -= taken;
    }
    out[used] = '\0';
    return true;
}

/* The last one: a password that was not escaped may hold others. */
static const char *find_at(const char *authority, size_t len)
{
    for (size_t i = len; i > 0; i--)
        if (authority[i - 1] == '@')
            return authority + i - 1;
    return NULL;
}

/* A word without a colon is a password to redis-cli, and a user to redis-py: it is neither
 * here, so that nobody logs in as somebody else, or not at all. */
static const char *parse_user(const char *text, size_t len, ratings_redis_url_t *out)
{
    const char *colon = memchr(text, ':', len);
    size_t user = colon ? (size_t)(colon - text) : 0;

    if (!colon)
        return "what stands before the '@' must have a colon: redis://:password@host or "
               "redis://user:password@host, as clients do not agree on what a single word is";
    out->has_password = true;
    if (unescape(text, user, out->user, sizeof out->user) &&
        unescape(colon + 1, len - user - 1, out->password, sizeof out->password))
        return NULL;
    return "a percent escape in the user or password is not valid, or one of them is too long";
}

/* `text` begins at the colon, if there is a port; one without digits is the usual one (RFC 3986).
 */
static const char *parse_port(const char *text, size_t len, ratings_redis_url_t *out)
{
    int64_t port = REDIS_PORT;

    if (len > 0 && *text != ':')
        return malformed;
    if (len > 1 && !ratings_parse_int(text + 1, len - 1, 1, 65535, &port))
        return "the port is a number from 1 to 65535";
    out->port = (int)port;
    return NULL;
}

/* host, host:port or [IPv6 address]:port */
static const char *parse_host(const char *text, size_t len, ratings_redis_url_t *out)
{
    const char *end = text + len;
    const char *close = *text == '[' ? memchr(text, ']', len) : NULL;
    const char *host = text + (close != NULL);
    const char *rest = close ? close + 1 : memchr(text, ':', len);
    size_t host_len;

    if (!rest)
        rest = end;
    host_len = (size_t)((close ? close : rest) - host);
    if (host_len == 0 || host_len > RATINGS_REDIS_HOST_MAX || (*text == '[' && !close))
        return malformed;
    memcpy(out->host, host, host_len);
    out->host[host_len] = '\0';
    return parse_port(rest, (size_t)(end - rest), out);
}

static const char *parse_database(const char *path, ratings_redis_url_t *out)
{
    int64_t number = 0;

    if (path[0] == '/' && path[1] &&
        !ratings_parse_int(path + 1, strlen(path + 1), 0, 65535, &number))
        return "what follows the host must be the number of a database";
    out->database = (int)number;
    return NULL;
}

const char *ratings_redis_url_parse(const char *url, ratings_redis_url_t *out)
{
    const char *authority, *at, *host, *problem = NULL;
    size_t len;

    memset(out, 0, sizeof *out);
    if (strncmp(url, "rediss://", 9) == 0)
        return "rediss:// needs TLS, which this build does not have: use redis://, through a TLS "
               "tunnel if the network is not trusted";
    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0 || strpbrk(url, "?#"))
        return malformed;
    authority = url + strlen(SCHEME);
    len = strcspn(authority, "/");
    at = find_at(authority, len);
    if (at)
        problem = parse_user(authority, (size_t)(at - authority), out);
    if (problem)
        return problem;
    host = at ? at + 1 : authority;
    problem = parse_host(host, len - (size_t)(host - authority), out);
    return problem ? problem : parse_database(authority + len, out);
}

/* The parts between which the parser finds the password, as they were written. */
char *ratings_redis_url_redact(const char *url)
{
    ratings_redis_url_t parsed;
    const char *authority = url + strlen(SCHEME), *at;
    size_t size = strlen(url) + sizeof ":***@";
    char *shown;

    if (ratings_redis_url_parse(url, &parsed) != NULL)
        return strdup(ratings_redact(url));
    if (!parsed.has_password)
        return strdup(url);
    shown = malloc(size);
    at = find_at(authority, strcspn(authority, "/"));
    if (shown)
        (void)snprintf(shown, size, SCHEME "%.*s:***%s", (int)strcspn(authority, ":"), authority,
                       at);
    return shown;
}
