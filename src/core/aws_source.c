#include "aws_source.h"

#include "secret_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536 /* bytes of the shared credentials file */

static bool is_given(const char *value)
{
    return value && value[0];
}

static bool fail(char *why, size_t size, const char *reason)
{
    (void)snprintf(why, size, "%s", reason);
    return false;
}

/* ---- the environment ---- */

void ratings_aws_environment_read(ratings_aws_environment_t *environment)
{
    *environment = (ratings_aws_environment_t){
        .key_id = getenv("AWS_ACCESS_KEY_ID"),
        .secret = getenv("AWS_SECRET_ACCESS_KEY"),
        .token = getenv("AWS_SESSION_TOKEN"),
        .file = getenv("AWS_SHARED_CREDENTIALS_FILE"),
        .profile = getenv("AWS_PROFILE"),
        .home = getenv("HOME"),
        .web_identity = getenv("AWS_WEB_IDENTITY_TOKEN_FILE"),
        .container_path = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        .container_url = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        .authorization = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        .authorization_file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        .instance_url = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
        .instance_disabled = getenv("AWS_EC2_METADATA_DISABLED"),
    };
}

static bool take_environment(const ratings_aws_environment_t *environment,
                             ratings_aws_source_t *source, char *why, size_t size)
{
    const char *problem = ratings_aws_credentials_set(environment->key_id, environment->secret,
                                                      environment->token, &source->credentials);
    source->kind = RATINGS_AWS_STATIC;
    if (problem)
        (void)snprintf(why, size, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: %s", problem);
    return problem == NULL;
}

/* ---- the shared credentials file ---- */

typedef enum { FOUND, NOT_THERE, BROKEN } search_e;

static search_e search_text(const char *path, const char *text, size_t length, const char *profile,
                            ratings_aws_source_t *source, char *why, size_t size)
{
    bool is_found;
    const char *problem =
        length == FILE_MAX ? "it is longer than 64 KiB"
                           : ratings_aws_credentials_from_profile(text, length, profile,
                                                                  &source->credentials, &is_found);
    source->kind = RATINGS_AWS_STATIC;
    if (problem)
        (void)snprintf(why, size, "profile %s of %s: %s", profile, path, problem);
    else if (!is_found)
        (void)snprintf(why, size, "%s has no profile %s", path, profile);
    return problem ? BROKEN : is_found ? FOUND : NOT_THERE;
}

static search_e search_file(const char *path, const char *profile, ratings_aws_source_t *source,
                            char *why, size_t size)
{
    char *text = malloc(FILE_MAX), reason[128];
    size_t length = 0;
    bool is_missing = false;
    search_e result = BROKEN;
    if (!text)
        (void)fail(why, size, "memory ran out");
    else if (ratings_secret_file_read(path, text, FILE_MAX, &length, &is_missing, reason,
                                      sizeof reason))
        result = search_text(path, text, length, profile, source, why, size);
    else
        (void)snprintf(why, size, "%s: %s", path, reason);
    if (text)
        explicit_bzero(text, length);
    free(text);
    return is_missing ? NOT_THERE : result;
}

static search_e search_shared_file(const ratings_aws_environment_t *environment,
                                   ratings_aws_source_t *source, char *why, size_t size)
{
    char path[RATINGS_AWS_TEXT_MAX];
    bool is_named = is_given(environment->file) || is_given(environment->profile);
    const char *profile = is_given(environment->profile) ? environment->profile : "default";
    if (!is_given(environment->file) && !is_given(environment->home)) {
        (void)fail(why, size,
                   "AWS_PROFILE is set, and neither HOME nor AWS_SHARED_CREDENTIALS_FILE");
        return is_named ? BROKEN : NOT_THERE;
    }
    if (is_given(environment->file))
        (void)snprintf(path, sizeof path, "%s", environment->file);
    else
        (void)snprintf(path, sizeof path, "%s/.aws/credentials", environment->home);
    search_e result = search_file(path, profile, source, why, size);
    return result == NOT_THERE && is_named ? BROKEN : result;
}

/* ---- URLs of the metadata services ---- */

static const char *after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* None of the services takes a login: who writes one may have meant another host. */
static bool has_user(const char *url)
{
    const char *host = strstr(url, "://");
    return host && memchr(host + 3, '@', strcspn(host + 3, "/?#"));
}

/* ---- the container ---- */

/* Where a container's credentials may be asked for without TLS: loopback, and the addresses of ECS
 * and EKS Pod Identity, which are on the host itself. */
static bool is_near_host(const char *host, size_t length)
{
    static const char *const near[] = {"localhost", "[::1]", "169.254.170.2", "169.254.170.23",
                                       "[fd00:ec2::23]"};
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++)
        if (length == strlen(near[i]) && memcmp(host, near[i], length) == 0)
            return true;
    return length > 4 && memcmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length;
}

static bool is_container_url(const char *url)
{
    const char *host = after(url, "http://");
    if (!host)
        return after(url, "https://") != NULL;
    size_t length = host[0] == '[' ? strcspn(host, "]/?#") + 1 : strcspn(host, ":/?#");
    return length <= strcspn(host, "/?#") && strchr(":/?#", host[length]) &&
           is_near_host(host, length);
}

/* True if it was not too long. */
static bool keep_text(char to[RATINGS_AWS_TEXT_MAX + 1], const char *first, const char *second)
{
    int length = snprintf(to, RATINGS_AWS_TEXT_MAX + 1, "%s%s", first, second ? second : "");
    return length >= 0 && length <= RATINGS_AWS_TEXT_MAX;
}

static bool keep_container(const ratings_aws_environment_t *environment,
                           ratings_aws_source_t *source)
{
    bool is_relative = is_given(environment->container_path);
    const char *token = is_given(environment->authorization_file) ? "" : environment->authorization;
    return (is_relative
                ? keep_text(source->url, "http://169.254.170.2", environment->container_path)
                : keep_text(source->url, environment->container_url, "")) &&
           keep_text(source->authorization_file, "", environment->authorization_file) &&
           keep_text(source->authorization, "", token);
}

static bool take_container(const ratings_aws_environment_t *environment,
                           ratings_aws_source_t *source, char *why, size_t size)
{
    source->kind = RATINGS_AWS_CONTAINER;
    if (is_given(environment->container_path) && environment->container_path[0] != '/')
        return fail(why, size,
                    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash");
    if (!keep_container(environment, source))
        return fail(why, size, "a variable of AWS_CONTAINER_... is longer than 4096 bytes");
    if (has_user(source->url))
        return fail(why, size, "AWS_CONTAINER_CREDENTIALS_FULL_URI has a user, and takes none");
    if (!is_container_url(source->url))
        return fail(why, size,
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI takes https://, or http:// with an address "
                    "of loopback, ECS or EKS Pod Identity");
    if (source->authorization[strcspn(source->authorization, "\r\n")])
        return fail(why, size, "AWS_CONTAINER_AUTHORIZATION_TOKEN has a line end");
    return true;
}

/* ---- the instance ---- */

static bool take_instance(const ratings_aws_environment_t *environment,
                          ratings_aws_source_t *source, char *why, size_t size)
{
    const char *url =
        is_given(environment->instance_url) ? environment->instance_url : "http://169.254.169.254";
    source->kind = RATINGS_AWS_INSTANCE;
    if ((!after(url, "http://") && !after(url, "https://")) || !keep_text(source->url, url, ""))
        return fail(why, size, "AWS_EC2_METADATA_SERVICE_ENDPOINT takes http://host[:port]");
    if (has_user(source->url))
        return fail(why, size, "AWS_EC2_METADATA_SERVICE_ENDPOINT has a user, and takes none");
    for (size_t length = strlen(source->url); source->url[length - 1] == '/'; length--)
        source->url[length - 1] = '\0';
    return true;
}

/* ---- all of them ---- */

bool ratings_aws_source_find(const ratings_aws_environment_t *environment,
                             ratings_aws_source_t *source, char *why, size_t size)
{
    *source = (ratings_aws_source_t){0};
    if (is_given(environment->key_id) || is_given(environment->secret))
        return take_environment(environment, source, why, size);
    search_e result = search_shared_file(environment, source, why, size);
    if (result != NOT_THERE)
        return result == FOUND;
    if (is_given(environment->web_identity))
        return fail(why, size,
                    "AWS_WEB_IDENTITY_TOKEN_FILE is set, and web identity is not supported");
    if (is_given(environment->container_path) || is_given(environment->container_url))
        return take_container(environment, source, why, size);
    if (is_given(environment->instance_disabled) &&
        strcmp(environment->instance_disabled, "true") == 0)
        return fail(why, size,
                    "there are none: neither in the environment nor in a shared credentials file, "
                    "no container names them, and AWS_EC2_METADATA_DISABLED is true");
    return take_instance(environment, source, why, size);
}

/* ---- regions ---- */

static const char region_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

bool ratings_aws_is_region(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= RATINGS_AWS_REGION_MAX && strspn(text, region_letters) == length;
}

bool ratings_aws_function_region(const char *url, char region[RATINGS_AWS_REGION_MAX + 1])
{
    const char *name = after(url, "https://");
    const char *domain = name ? strchr(name, '.') : NULL;
    const char *found = domain ? after(domain, ".lambda-url.") : NULL;
    size_t length = found ? strspn(found, region_letters) : 0;
    if (length == 0 || length > RATINGS_AWS_REGION_MAX ||
        strspn(name, region_letters) < (size_t)(domain - name))
        return false;
    const char *end = after(found + length, ".on.aws");
    if (!end || (*end != '\0' && *end != '/' && *end != ':'))
        return false;
    memcpy(region, found, length);
    region[length] = '\0';
    return true;
}
