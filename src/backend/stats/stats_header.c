/* The header by which the function knows its caller. */
#include "stats.h"

#include <apr_general.h>
#include <apr_lib.h>

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* ---- name ---- */

/* Those that this client, libcurl and what is in between set themselves. */
static const char *const taken_names[] = {"Accept",
                                          "Accept-Encoding",
                                          "Connection",
                                          "Content-Length",
                                          "Content-Type",
                                          "Cookie",
                                          "Date",
                                          "Expect",
                                          "Host",
                                          "Keep-Alive",
                                          "TE",
                                          "Trailer",
                                          "Upgrade",
                                          "User-Agent",
                                          "Transfer-Encoding",
                                          "Proxy-Authorization"};

static bool is_taken(const char *name)
{
    for (size_t i = 0; i < sizeof taken_names / sizeof taken_names[0]; i++)
        if (strcasecmp(name, taken_names[i]) == 0)
            return true;
    return false;
}

/* RFC 9110, 5.6.2 */
static bool is_token(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!apr_isalnum(*c) && !strchr("!#$%&'*+-.^_`|~", *c))
            return false;
    return name[0] != '\0';
}

const char *ratings_stats_header_name_problem(const char *name)
{
    if (!is_token(name))
        return "it takes the name of a header, without a colon, and its value";
    return is_taken(name) ? "the header of this name is set by HTTP itself: take another" : NULL;
}

/* ---- value ---- */

/* What HTTP trims would be no part of the secret any more, and libcurl sends no header without a
 * value. */
const char *ratings_stats_header_value_problem(const char *value)
{
    size_t length = strlen(value);
    if (length == 0)
        return "its value is empty";
    if (length > RATINGS_STATS_HEADER_MAX)
        return "its value is longer than " APR_STRINGIFY(RATINGS_STATS_HEADER_MAX) " bytes";
    if (value[0] == ' ' || value[length - 1] == ' ')
        return "its value begins or ends with a blank";
    for (const char *c = value; *c; c++)
        if (*c < ' ' || *c > '~')
            return "its value has a byte that is no printable character of ASCII";
    return NULL;
}
