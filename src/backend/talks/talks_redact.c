/* A connection string is redacted by what libpq has read in it: its own parser says what is a
 * password. Nothing is searched for in the text. */
#include "talks_redact.h"

#include "../../core/redact.h"
#include "talks.h"
#include "talks_conninfo.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include <string.h>

#define STARS "***"

/* libpq marks what is not to be displayed: '*' a password, 'D' what is for debugging. */
static bool is_secret(const PQconninfoOption *option)
{
    return option->dispchar && option->dispchar[0] != '\0';
}

static bool has_secret(const PQconninfoOption *option)
{
    for (; option->keyword; option++)
        if (option->val && is_secret(option))
            return true;
    return false;
}

/* ---- words ---- */

static const char *redacted_word(apr_pool_t *pool, const char *value)
{
    bool plain = *value && !strpbrk(value, " \t\r\n\v\f'\\");
    return plain ? value : talks_quote(pool, value);
}

static const char *redacted_words(apr_pool_t *pool, const PQconninfoOption *option)
{
    const char *text = "";
    for (; option->keyword; option++)
        if (option->val)
            text = apr_pstrcat(pool, text, *text ? " " : "", option->keyword, "=",
                               is_secret(option) ? STARS : redacted_word(pool, option->val), NULL);
    return text;
}

/* ---- URIs ---- */

/* As a part of a URI: all but letters, digits and `plain` as %XX. */
static const char *escape_uri_part(apr_pool_t *pool, const char *value, const char *plain)
{
    static const char digits[] = "0123456789ABCDEF";
    char *escaped = apr_palloc(pool, 3 * strlen(value) + 1), *end = escaped;
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        bool as_it_is = (c < 0x80 && apr_isalnum(c)) || strchr(plain, c);
        *end++ = as_it_is ? (char)c : '%';
        if (as_it_is)
            continue;
        *end++ = digits[c >> 4];
        *end++ = digits[c & 15];
    }
    *end = '\0';
    return escaped;
}

static const char *redact_conninfo_user(apr_pool_t *pool, const PQconninfoOption *options)
{
    const char *user = talks_conninfo_value(options, "user");
    bool password = talks_conninfo_value(options, "password") != NULL;
    if ((!user || !*user) && !password)
        return "";
    return apr_pstrcat(pool, user ? escape_uri_part(pool, user, "-._~") : "",
                       password ? ":" STARS : "", "@", NULL);
}

/* The next of a list with commas, which may have empty items; NULL behind the last. */
static const char *next_item(apr_pool_t *pool, const char **list)
{
    const char *item = *list;
    if (!item)
        return NULL;
    size_t len = strcspn(item, ",");
    *list = item[len] ? item + len + 1 : NULL;
    return apr_pstrmemdup(pool, item, len);
}

/* Hosts with their ports, of which there are as many, or none. */
static const char *redacted_hosts(apr_pool_t *pool, const char *hosts, const char *ports)
{
    const char *text = "", *separator = "", *host;
    while ((host = next_item(pool, &hosts)) != NULL) {
        const char *port = next_item(pool, &ports);
        bool bracket = strchr(host, ':') && !strchr(host, ']');
        text = apr_pstrcat(pool, text, separator, bracket ? "[" : "",
                           escape_uri_part(pool, host, bracket ? "-._~:" : "-._~"),
                           bracket ? "]" : "", port && *port ? ":" : "",
                           port ? escape_uri_part(pool, port, "-._~:") : "", NULL);
        separator = ",";
    }
    return text;
}

static int count_items(const char *list)
{
    int n = 1;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

/* One port may be that of several hosts, or none, which only parameters can say. */
static bool has_authority(const PQconninfoOption *options)
{
    const char *hosts = talks_conninfo_value(options, "host");
    const char *ports = talks_conninfo_value(options, "port");
    if (!hosts || !*hosts)
        return !hosts && !ports;
    return ports ? *ports && count_items(hosts) == count_items(ports) : count_items(hosts) == 1;
}

/* What is empty was given by a parameter. */
static bool is_in_front(const PQconninfoOption *option, bool authority)
{
    const char *keyword = option->keyword;
    if (strcmp(keyword, "host") == 0 || strcmp(keyword, "port") == 0)
        return authority;
    return strcmp(keyword, "password") == 0 ||
           (*option->val && (strcmp(keyword, "user") == 0 || strcmp(keyword, "dbname") == 0));
}

static const char *redacted_parameters(apr_pool_t *pool, const PQconninfoOption *option,
                                       bool authority)
{
    const char *text = "";
    for (; option->keyword; option++)
        if (option->val && !is_in_front(option, authority))
            text = apr_pstrcat(
                pool, text, *text ? "&" : "?", option->keyword, "=",
                is_secret(option) ? STARS : escape_uri_part(pool, option->val, "-._~/:,"), NULL);
    return text;
}

static const char *redacted_uri(apr_pool_t *pool, const char *connection,
                                const PQconninfoOption *options)
{
    const char *scheme = apr_pstrmemdup(pool, connection, strcspn(connection, ":"));
    const char *database = talks_conninfo_value(options, "dbname");
    bool authority = has_authority(options);
    const char *hosts = authority ? redacted_hosts(pool, talks_conninfo_value(options, "host"),
                                                   talks_conninfo_value(options, "port"))
                                  : "";
    return apr_pstrcat(pool, scheme, "://", redact_conninfo_user(pool, options), hosts,
                       database ? "/" : "", database ? escape_uri_part(pool, database, "-._~") : "",
                       redacted_parameters(pool, options, authority), NULL);
}

const char *ratings_talks_redact(const char *connection, apr_pool_t *pool)
{
    PQconninfoOption *options = talks_conninfo_parse(connection);
    const char *redacted;
    if (!options)
        return ratings_redact(connection);
    if (!has_secret(options))
        redacted = apr_pstrdup(pool, connection);
    else if (talks_is_uri(connection))
        redacted = redacted_uri(pool, connection, options);
    else
        redacted = redacted_words(pool, options);
    PQconninfoFree(options);
    return redacted;
}

/* ---- texts of libpq and of the server ---- */

const char *const *talks_secrets(apr_pool_t *pool, const char *connection)
{
    apr_array_header_t *secrets = apr_array_make(pool, 4, sizeof(const char *));
    PQconninfoOption *options = talks_conninfo_parse(connection);
    for (const PQconninfoOption *option = options; option && option->keyword; option++)
        if (option->val && is_secret(option))
            APR_ARRAY_PUSH(secrets, const char *) = apr_pstrdup(pool, option->val);
    PQconninfoFree(options);
    APR_ARRAY_PUSH(secrets, const char *) = NULL;
    return (const char *const *)(const void *)secrets->elts;
}

static bool is_of_word(char c)
{
    return (unsigned char)c >= 0x80 || apr_isalnum((unsigned char)c) || c == '_';
}

/* A password that could be a word of any text (the name of the database, say) is not looked for:
 * stars in its place would tell it, and spoil the text. */
static bool is_common_word(const char *secret)
{
    size_t len = strlen(secret);
    return len < 8 || (len < 16 && strspn(secret, "abcdefghijklmnopqrstuvwxyz") == len);
}

/* Whether `len` bytes at `found` are part of a longer word of `text`. */
static bool is_within_word(const char *text, const char *found, size_t len)
{
    return (found > text && is_of_word(found[-1]) && is_of_word(found[0])) ||
           (is_of_word(found[len - 1]) && is_of_word(found[len]));
}

static const char *replace_secret(apr_pool_t *pool, const char *text, const char *secret)
{
    const char *safe = "", *rest = text, *found = text;
    size_t len = strlen(secret);
    while ((found = strstr(found, secret)) != NULL) {
        if (is_within_word(text, found, len)) {
            found++;
            continue;
        }
        safe = apr_pstrcat(pool, safe, apr_pstrmemdup(pool, rest, (size_t)(found - rest)), STARS,
                           NULL);
        rest = found += len;
    }
    return apr_pstrcat(pool, safe, rest, NULL);
}

const char *talks_redact_text(apr_pool_t *pool, const char *text, const char *const *secrets)
{
    for (; *secrets; secrets++)
        if (!is_common_word(*secrets))
            text = replace_secret(pool, text, *secrets);
    return text;
}
