#include "redis_url.h"

#include "number.h"
#include "redact.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDIS_PORT 6379
#define SENTINEL_PORT 26379

static const char malformed[] =
    "it takes redis[s]://[[user]:password@]host[:port][/database], "
    "unix://[[user]:password@]/path[?db=database] or "
    "redis[s]+sentinel://[[user]:password@]host[:port][,host[:port]...]/master[/database] (a '/', "
    "'@', '%', '?' or '#' in a password is written as %2F, %40, %25, %3F or %23)";

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

/* `text` begins at the colon, if there is a port; one without digits is `usual` (RFC 3986). */
static const char *parse_port(const char *text, size_t len, int usual, ratings_redis_host_t *out)
{
    int64_t port = usual;

    if (len > 0 && *text != ':')
        return malformed;
    if (len > 1 && !ratings_parse_int(text + 1, len - 1, 1, 65535, &port))
        return "the port is a number from 1 to 65535";
    out->port = (int)port;
    return NULL;
}

/* host, host:port or [IPv6 address]:port */
static const char *parse_host(const char *text, size_t len, int usual, ratings_redis_host_t *out)
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
    memcpy(out->name, host, host_len);
    out->name[host_len] = '\0';
    return parse_port(rest, (size_t)(end - rest), usual, out);
}

static const char *parse_number_of_database(const char *text, ratings_redis_url_t *out)
{
    int64_t number;

    if (!ratings_parse_int(text, strlen(text), 0, 65535, &number))
        return "a database is a number, after the last slash or after ?db= of a Unix socket";
    out->database = (int)number;
    return NULL;
}

/* ---- what comes after the login: `text` is that, of which `len` bytes are before the path ---- */

static const char *parse_server(const char *text, size_t len, ratings_redis_url_t *out)
{
    const char *problem = parse_host(text, len, REDIS_PORT, &out->host[0]), *path = text + len;

    out->hosts = 1;
    return problem || strlen(path) < 2 ? problem : parse_number_of_database(path + 1, out);
}

/* An '@' in it may be the end of a password with an unescaped slash. */
static const char *parse_socket(const char *text, size_t len, ratings_redis_url_t *out)
{
    size_t path_len = strcspn(text, "?");
    const char *query = text + path_len;

    if (len > 0 || path_len < 2)
        return "a Unix socket is written unix:///path or unix://[user]:password@/path, without a "
               "host";
    if (strpbrk(text, "@#") || !unescape(text, path_len, out->socket, sizeof out->socket))
        return "the path of a Unix socket has at most 107 bytes, and '@', '%', '?' and '#' in it "
               "are written as %40, %25, %3F and %23";
    if (*query && strncmp(query, "?db=", 4) != 0)
        return "what follows the path of a Unix socket must be ?db= and the number of a database";
    return *query ? parse_number_of_database(query + 4, out) : NULL;
}

/* Hosts between commas. */
static const char *parse_sentinel_hosts(const char *text, size_t len, ratings_redis_url_t *out)
{
    const char *problem = NULL, *end = text + len;

    while (!problem) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        size_t host_len = (size_t)((comma ? comma : end) - text);
        if (out->hosts == RATINGS_REDIS_SENTINELS_MAX)
            return "there are more than nine sentinels";
        problem = host_len == 0 ? malformed
                                : parse_host(text, host_len, SENTINEL_PORT, &out->host[out->hosts]);
        out->hosts++;
        if (!comma)
            break;
        text = comma + 1;
    }
    return problem;
}

/* The characters that Sentinel takes in the name of a master. */
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"

static const char *parse_sentinels(const char *text, size_t len, ratings_redis_url_t *out)
{
    const char *problem = parse_sentinel_hosts(text, len, out);
    const char *master = text + len + (text[len] == '/');
    size_t name = strspn(master, NAME_CHARACTERS);

    if (problem)
        return problem;
    if (name == 0 || name > RATINGS_REDIS_HOST_MAX || (master[name] && master[name] != '/'))
        return "what follows the sentinels must be the name under which they monitor the master, "
               "of letters, digits, '.', '-' and '_': redis+sentinel://host,host/master/database";
    memcpy(out->master, master, name);
    out->master[name] = '\0';
    return master[name] && master[name + 1] ? parse_number_of_database(master + name + 1, out)
                                            : NULL;
}

/* ---- all of it ---- */

typedef struct {
    const char *scheme;
    bool has_tls;
    const char *(*parse)(const char *text, size_t len, ratings_redis_url_t *out);
} kind_t;

static const kind_t kinds[] = {
    {"redis://", false, parse_server},
    {"rediss://", true, parse_server},
    {"unix://", false, parse_socket},
    {"redis+sentinel://", false, parse_sentinels},
    {"rediss+sentinel://", true, parse_sentinels},
};

static const kind_t *kind_of(const char *url)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(url, kinds[i].scheme, strlen(kinds[i].scheme)) == 0)
            return &kinds[i];
    return NULL;
}

const char *ratings_redis_url_parse(const char *url, ratings_redis_url_t *out)
{
    const kind_t *kind = kind_of(url);
    const char *authority = url + (kind ? strlen(kind->scheme) : 0), *at, *problem = NULL;
    size_t len = strcspn(authority, "/"), login;

    memset(out, 0, sizeof *out);
    if (!kind || strcspn(authority, "?#") < len)
        return malformed;
    out->has_tls = kind->has_tls;
    at = find_at(authority, len);
    login = at ? (size_t)(at + 1 - authority) : 0;
    if (at)
        problem = parse_user(authority, login - 1, out);
    return problem ? problem : kind->parse(authority + login, len - login, out);
}

/* The parts between which the parser finds the password, as they were written. */
char *ratings_redis_url_redact(const char *url)
{
    ratings_redis_url_t parsed;
    const kind_t *kind = kind_of(url);
    size_t size = strlen(url) + sizeof ":***@";
    const char *authority;
    char *shown;

    if (!kind || ratings_redis_url_parse(url, &parsed) != NULL)
        return strdup(ratings_redact(url));
    if (!parsed.has_password)
        return strdup(url);
    shown = malloc(size);
    authority = url + strlen(kind->scheme);
    if (shown)
        (void)snprintf(shown, size, "%s%.*s:***%s", kind->scheme, (int)strcspn(authority, ":"),
                       authority, find_at(authority, strcspn(authority, "/")));
    return shown;
}

/* ---- what a sentinel tells ---- */

bool ratings_redis_host_read(const char *name, size_t name_len, const char *port, size_t port_len,
                             ratings_redis_host_t *host)
{
    int64_t number;
    if (name_len == 0 || name_len > RATINGS_REDIS_HOST_MAX || strlen(name) != name_len ||
        !ratings_parse_int(port, port_len, 1, 65535, &number))
        return false;
    memcpy(host->name, name, name_len + 1);
    host->port = (int)number;
    return true;
}
