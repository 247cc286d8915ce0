#include "endpoint_names.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name, *kind; /* kind NULL: the name has none */
} endpoint_words[RATINGS_ENDPOINTS] = {
    [RATINGS_ENDPOINT_NONE] = {"none", NULL},
    [RATINGS_ENDPOINT_RATINGS] = {"ratings", NULL},
    [RATINGS_ENDPOINT_MINE] = {"mine", NULL},
    [RATINGS_ENDPOINT_TALKS] = {"talks", NULL},
    [RATINGS_ENDPOINT_METADATA] = {"metadata", NULL},
    [RATINGS_ENDPOINT_LIVE] = {"health", "live"},
    [RATINGS_ENDPOINT_READY] = {"health", "ready"},
    [RATINGS_ENDPOINT_METRICS] = {"metrics", NULL},
};

static bool path_ends_with(const char *path, const char *end)
{
    size_t length = path ? strlen(path) : 0;
    return length >= strlen(end) && strcmp(path + length - strlen(end), end) == 0;
}

/* Also in the expression of a LocationMatch. */
static bool is_readyz(const char *path)
{
    return path_ends_with(path, "readyz") || path_ends_with(path, "readyz$");
}

static bool words_are(ratings_endpoint_e endpoint, const char *name, const char *kind)
{
    const char *own = endpoint_words[endpoint].kind;
    return strcasecmp(endpoint_words[endpoint].name, name) == 0 &&
           (!kind || (own && strcasecmp(own, kind) == 0));
}

bool ratings_endpoint_by_name(const char *name, const char *kind, const char *path,
                              ratings_endpoint_e *endpoint)
{
    *endpoint = RATINGS_ENDPOINT_NONE;
    while (*endpoint < RATINGS_ENDPOINTS && !words_are(*endpoint, name, kind))
        ++*endpoint;
    if (*endpoint == RATINGS_ENDPOINT_LIVE && !kind && is_readyz(path))
        *endpoint = RATINGS_ENDPOINT_READY;
    return *endpoint < RATINGS_ENDPOINTS;
}

static bool share_name(int one, int other)
{
    return strcmp(endpoint_words[one].name, endpoint_words[other].name) == 0;
}

static bool is_first_of_name(int endpoint)
{
    int first = 0;
    while (!share_name(first, endpoint))
        first++;
    return first == endpoint;
}

/* "name [kind|kind]", or "name" */
static const char *name_with_kinds(int endpoint, apr_pool_t *pool)
{
    const char *text = endpoint_words[endpoint].name, *before = " [";
    if (!endpoint_words[endpoint].kind)
        return text;
    for (int i = endpoint; i < RATINGS_ENDPOINTS; i++)
        if (share_name(i, endpoint)) {
            text = apr_pstrcat(pool, text, before, endpoint_words[i].kind, NULL);
            before = "|";
        }
    return apr_pstrcat(pool, text, "]", NULL);
}

const char *ratings_endpoint_names(apr_pool_t *pool)
{
    const char *text = "";
    for (int i = RATINGS_ENDPOINT_NONE + 1; i < RATINGS_ENDPOINTS; i++)
        if (is_first_of_name(i))
            text = apr_pstrcat(pool, text, name_with_kinds(i, pool), ", ", NULL);
    return apr_pstrcat(pool, text, "or ", endpoint_words[RATINGS_ENDPOINT_NONE].name, NULL);
}
