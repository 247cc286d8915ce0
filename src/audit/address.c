#include "address.h"

#include "../core/number.h"

#include <stdint.h>
#include <string.h>

#define REDIS_PORT 6379

static const char form[] = "the store is redis://[user:password@]host[:port][/database] (a '/', "
                           "'@' or '%' in a password is written as %2F, %40 or %25)";

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) % 16 : -1;
}

/* Resolves %XX; false when an escape is none, stands for a NUL, or the room is too small. */
static bool unescape(const char *text, size_t len, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = len - i > 2 ? hex_digit(text[i + 1]) : -1;
            int low = len - i > 2 ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0' || used + 1 >= size)
            return false;
        out[used++] = c;
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

static bool parse_user(const char *text, size_t len, audit_address_t *out)
{
    const char *colon = memchr(text, ':', len);
    size_t user = colon ? (size_t)(colon - text) : len;
    out->has_password = colon != NULL;
    return unescape(text, user, out->user, sizeof out->user) &&
           (!colon || unescape(colon + 1, len - user - 1, out->password, sizeof out->password));
}

/* host, host:port or [IPv6 address]:port */
static const char *parse_host(const char *text, size_t len, audit_address_t *out)
{
    const char *end = text + len;
    const char *close = *text == '[' ? memchr(text, ']', len) : NULL;
    const char *host = text + (close != NULL);
    const char *rest = close ? close + 1 : memchr(text, ':', len);
    int64_t port = REDIS_PORT;
    if (!rest)
        rest = end;
    size_t host_len = (size_t)((close ? close : rest) - host);
    if (host_len == 0 || host_len > AUDIT_HOST_MAX || (*text == '[' && !close) ||
        (rest < end && *rest != ':'))
        return form;
    if (rest < end && !ratings_parse_int(rest + 1, (size_t)(end - rest - 1), 1, 65535, &port))
        return "the port of the store is a number from 1 to 65535";
    memcpy(out->host, host, host_len);
    out->host[host_len] = '\0';
    out->port = (int)port;
    return NULL;
}

static const char *parse_database(const char *path, audit_address_t *out)
{
    int64_t number = 0;
    if (path[0] == '/' && path[1] &&
        !ratings_parse_int(path + 1, strlen(path + 1), 0, 65535, &number))
        return "what follows the host of the store must be the number of a database";
    out->database = (int)number;
    return NULL;
}

const char *audit_address_parse(const char *url, audit_address_t *out)
{
    static const char scheme[] = "redis://";
    memset(out, 0, sizeof *out);
    if (strncmp(url, "rediss://", 9) == 0)
        return "rediss:// needs TLS, which this build does not have: use redis://, through a TLS "
               "tunnel if the network is not trusted";
    if (strncmp(url, scheme, sizeof scheme - 1) != 0 || strpbrk(url, "?#"))
        return form;
    const char *authority = url + sizeof scheme - 1;
    size_t len = strcspn(authority, "/");
    const char *at = find_at(authority, len);
    if (at && !parse_user(authority, (size_t)(at - authority), out))
        return "a percent escape in the user or password of the store is not valid, or it is too "
               "long";
    const char *host = at ? at + 1 : authority;
    const char *problem = parse_host(host, len - (size_t)(host - authority), out);
    return problem ? problem : parse_database(authority + len, out);
}
