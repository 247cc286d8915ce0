/* libpq's own parser reads the administrator's string, and one way of quoting writes it again, so
 * that URIs, escapes and words need no code of ours. */
#include "talks_conninfo.h"

#include "talks.h"

#include <apr_strings.h>
#include <libpq-fe.h>

#include <string.h>

typedef struct {
    const char *keyword, *value;
} word_t;

PQconninfoOption *talks_conninfo_parse(const char *connection)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(connection, &message);
    /* not passed on: it quotes the string, which may hold a password in an unlucky place */
    PQfreemem(message);
    return options;
}

const char *talks_conninfo_value(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val;
    return NULL;
}

/* ---- several hosts ---- */

/* By name, or else by address: where both are given, there are as many of these. */
static const char *list_of_hosts(const PQconninfoOption *options)
{
    const char *names = talks_conninfo_value(options, "host");
    return names ? names : talks_conninfo_value(options, "hostaddr");
}

/* The element at `index` of a list with commas, in `pool`. A port alone is that of all hosts. */
static const char *element_of(const char *list, int index, apr_pool_t *pool)
{
    const char *at = list ? list : "";
    if (!strchr(at, ','))
        index = 0;
    for (; index > 0 && *at; index--) {
        at += strcspn(at, ",");
        at += *at == ',';
    }
    return apr_pstrmemdup(pool, at, strcspn(at, ","));
}

int talks_conninfo_hosts(const PQconninfoOption *options)
{
    const char *list = list_of_hosts(options);
    int count = 1;
    for (const char *at = list ? list : ""; *at; at++)
        count += *at == ',';
    return count;
}

const char *talks_conninfo_host(apr_pool_t *pool, const PQconninfoOption *options, int index)
{
    return element_of(list_of_hosts(options), index, pool);
}

/* Of a word that is given twice, libpq takes the last. */
const char *talks_conninfo_of_host(apr_pool_t *pool, const char *conninfo,
                                   const PQconninfoOption *options, int index)
{
    static const char *const words[] = {"host", "hostaddr", "port"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char *list = talks_conninfo_value(options, words[i]);
        if (list)
            conninfo = apr_pstrcat(pool, conninfo, " ", words[i], "=",
                                   talks_quote(pool, element_of(list, index, pool)), NULL);
    }
    return conninfo;
}

/* ---- what is wrong ---- */

bool talks_is_uri(const char *connection)
{
    return strncmp(connection, "postgres://", 11) == 0 ||
           strncmp(connection, "postgresql://", 13) == 0;
}

/* A '/' or '@' in a password that was not escaped leaves a part of it in the host, port or name of
 * the database, which libpq would quote when it fails to connect. */
static int is_misread(const PQconninfoOption *options)
{
    const char *host = talks_conninfo_value(options, "host");
    const char *port = talks_conninfo_value(options, "port");
    const char *database = talks_conninfo_value(options, "dbname");
    return (host && strchr(host, '@')) || (database && strchr(database, '@')) ||
           (port && port[strspn(port, "0123456789,")] != '\0');
}

const char *ratings_talks_connection_problem(const char *connection)
{
    PQconninfoOption *options = talks_conninfo_parse(connection);
    const char *database, *problem = NULL;
    if (!options)
        return "libpq cannot read it: it takes postgres://user:password@host:port/database or "
               "words like host=... dbname=...";
    if (talks_is_uri(connection) && is_misread(options))
        problem = "that is not a valid postgres:// URI (a '/', '@' or '%' in a password is "
                  "written as %2F, %40 or %25)";
    database = talks_conninfo_value(options, "dbname");
    if (database && strstr(database, "://"))
        problem = "dbname holds a URI: it takes a URI, or words, and not one within the other";
    PQconninfoFree(options);
    return problem;
}

/* ---- what libpq is given ---- */

/* in words, a value is quoted by '' and takes \ before ' and \ */
const char *talks_quote(apr_pool_t *pool, const char *value)
{
    char *quoted = apr_palloc(pool, 2 * strlen(value) + 3), *end = quoted;
    *end++ = '\'';
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            *end++ = '\\';
        *end++ = *value;
    }
    *end++ = '\'';
    *end = '\0';
    return quoted;
}

/* libpq takes less than 2 s for 2 s. A connection is opened by a thread of its own, so this bounds
 * that thread and not the call. */
static apr_time_t connect_seconds(apr_interval_time_t timeout)
{
    apr_time_t seconds = (timeout + APR_USEC_PER_SEC - 1) / APR_USEC_PER_SEC;
    return seconds < 2 ? 2 : seconds;
}

static const char *number_text(apr_pool_t *pool, apr_time_t n)
{
    return apr_psprintf(pool, "%" APR_TIME_T_FMT, n);
}

/* No "options", though a statement_timeout would suit: poolers (PgBouncer, RDS Proxy) refuse a
 * connection that brings them, and SET would be left to whoever is given the session next. */
#define DEFAULTS 7

static void set_defaults(apr_pool_t *pool, apr_interval_time_t timeout, word_t defaults[DEFAULTS])
{
    apr_time_t ms = apr_time_as_msec(timeout) > 0 ? apr_time_as_msec(timeout) : 1;
    const word_t words[DEFAULTS] = {
        {"connect_timeout", number_text(pool, connect_seconds(timeout))},
        {"tcp_user_timeout", number_text(pool, ms)},
        {"keepalives_idle", "30"},
        {"keepalives_interval", "10"},
        {"keepalives_count", "3"},
        {"client_encoding", "UTF8"},
        {"fallback_application_name", "mod_ratings"},
    };
    memcpy(defaults, words, sizeof words);
}

static const char *default_of(const word_t defaults[DEFAULTS], const char *keyword)
{
    for (int i = 0; i < DEFAULTS; i++)
        if (strcmp(defaults[i].keyword, keyword) == 0)
            return defaults[i].value;
    return NULL;
}

const char *talks_conninfo(apr_pool_t *pool, const char *connection, apr_interval_time_t timeout)
{
    PQconninfoOption *options = talks_conninfo_parse(connection);
    const char *conninfo = "";
    word_t defaults[DEFAULTS];
    if (!options)
        return NULL;
    set_defaults(pool, timeout, defaults);
    for (const PQconninfoOption *option = options; option->keyword; option++) {
        const char *value = option->val ? option->val : default_of(defaults, option->keyword);
        if (value)
            conninfo = apr_pstrcat(pool, conninfo, *conninfo ? " " : "", option->keyword, "=",
                                   talks_quote(pool, value), NULL);
    }
    PQconninfoFree(options);
    return conninfo;
}
