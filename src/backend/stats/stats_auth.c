/* By what the function knows its caller, if that is a signature: AWS's version 4, made by libcurl
 * (CURLOPT_AWS_SIGV4). What libcurl's versions sign differently is refused here:
 *
 *   - 7.88 sorts the headers that it signs by whole lines, later ones by names: what
 *     RatingsStatsHeader names could come out of order. With an Authorization among them, libcurl
 *     does not sign at all. So that header takes the place of a signature, not one beside it.
 *   - 7.88 signs a query as it is written, later ones sort and encode it, and each signs a path as
 *     it is written (curl's issue 18423), where AWS encodes it: neither a query nor a letter that
 *     needs encoding may be in the URL. A function URL has neither.
 */
#include "stats_target.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include <stdbool.h>
#include <string.h>

static const char sigv4[] = "aws-sigv4";

/* What comes after the method, "" or ":REGION"; NULL: it is another one, off or none, by which
 * calls are not signed. */
static const char *after_method(const char *auth)
{
    return auth && strncmp(auth, sigv4, sizeof sigv4 - 1) == 0 ? auth + sizeof sigv4 - 1 : NULL;
}

const char *ratings_stats_auth_problem(const char *auth)
{
    const char *region = after_method(auth);
    if (!auth || strcmp(auth, "off") == 0 ||
        (region && (!region[0] || (region[0] == ':' && ratings_aws_is_region(region + 1)))))
        return NULL;
    return "it takes off, aws-sigv4, or aws-sigv4:REGION";
}

/* ---- the URL ---- */

static bool is_signed_alike(const char *path)
{
    for (const char *c = path; *c; c++)
        if (!apr_isalnum(*c) && !strchr("-_.~/", *c))
            return false;
    return !strstr(path, "//") && !strstr(path, "/.");
}

static const char *url_misfit(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    size_t authority = strcspn(host, "/?#");
    if (memchr(host, '@', authority))
        return "the URL of RatingsStats has a user, whose place credentials of AWS take";
    return is_signed_alike(host + authority)
               ? NULL
               : "the URL of RatingsStats has a query, or a path of other letters than A-Z, a-z, "
                 "0-9, -, _, ~ and single slashes: libcurl would sign it otherwise than AWS";
}

const char *ratings_stats_auth_misfit(const char *auth, const char *url, const char *header)
{
    const char *given = after_method(auth);
    char region[RATINGS_AWS_REGION_MAX + 1];
    if (!given)
        return NULL;
    if (header)
        return "RatingsStatsHeader is set as well: one of the two is for the Lambda to know its "
               "caller";
    if (!given[0] && !ratings_aws_function_region(url, region))
        return "the URL of RatingsStats is not https://ID.lambda-url.REGION.on.aws/: write "
               "aws-sigv4:REGION";
    return url_misfit(url);
}

const char *stats_signature(const char *auth, const char *url, apr_pool_t *pool)
{
    const char *given = after_method(auth);
    char region[RATINGS_AWS_REGION_MAX + 1] = "";
    if (!given)
        return NULL;
    (void)ratings_aws_function_region(url, region);
    return apr_pstrcat(pool, "aws:amz:", given[0] ? given + 1 : region, ":lambda", NULL);
}
