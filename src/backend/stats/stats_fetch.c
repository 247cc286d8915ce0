#include "stats_fetch.h"

#include "stats_transfer.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_MAX (RATINGS_AWS_TEXT_MAX + 64)
#define ROLE_MAX 64 /* bytes of a role's name: IAM's own limit */
#define LATE "the metadata service did not answer in time"

/* ---- one request ---- */

typedef struct {
    stats_transfer_t transfer;
    char origin[RATINGS_AWS_TEXT_MAX + 1]; /* of the URL: what follows it may be a secret */
    char url[RATINGS_AWS_TEXT_MAX + ROLE_MAX + 64];
    char header[HEADER_MAX];
} fetch_t;

/* Sends `fetch->header`, unless it is "", to `fetch->url`. */
static apr_status_t request(fetch_t *fetch, const char *method, const ratings_deadline_t *deadline,
                            ratings_result_t *why)
{
    CURL *easy = fetch->transfer.easy;
    long http_status = 0;
    struct curl_slist *headers = fetch->header[0] ? curl_slist_append(NULL, fetch->header) : NULL;
    if (curl_easy_setopt(easy, CURLOPT_URL, fetch->url) ||
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) ||
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers))
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "libcurl could not be set up");
    else
        (void)stats_transfer_run(&fetch->transfer, deadline, LATE, &http_status, why);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (why->status == APR_SUCCESS && http_status != 200)
        return ratings_result_set(why, APR_EINVAL, "the answer of %s to %s has status %ld",
                                  fetch->origin, method, http_status);
    return why->status;
}

static apr_status_t take_credentials(const fetch_t *fetch, ratings_aws_credentials_t *out,
                                     ratings_result_t *why)
{
    const char *problem =
        ratings_aws_credentials_from_json(fetch->transfer.body, fetch->transfer.len, out);
    return problem
               ? ratings_result_set(why, APR_EINVAL, "the answer of %s: %s", fetch->origin, problem)
               : ratings_result_ok(why);
}

/* Copies an answer of one visible word. False: it is none, or too long. */
static bool take_word(const stats_transfer_t *transfer, char *to, size_t size)
{
    size_t length = 0;
    while (length < transfer->len && isgraph((unsigned char)transfer->body[length]))
        length++;
    if (length == 0 || length >= size)
        return false;
    memcpy(to, transfer->body, length);
    to[length] = '\0';
    return true;
}

/* ---- a container ---- */

/* The token of a file: it changes while the container runs. */
static apr_status_t read_authorization(const char *path, char to[RATINGS_AWS_TEXT_MAX + 1],
                                       ratings_result_t *why)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = file < 0 ? -1 : read(file, to, RATINGS_AWS_TEXT_MAX);
    if (got < 0)
        (void)ratings_result_set(why, APR_EINVAL, "%s: %s", path, strerror(errno));
    if (file >= 0)
        (void)close(file);
    if (got < 0)
        return why->status;
    to[got] = '\0';
    to[strcspn(to, "\r\n")] = '\0';
    return ratings_result_ok(why);
}

static apr_status_t fetch_from_container(fetch_t *fetch, const ratings_aws_source_t *source,
                                         const ratings_deadline_t *deadline,
                                         ratings_aws_credentials_t *out, ratings_result_t *why)
{
    char authorization[RATINGS_AWS_TEXT_MAX + 1];
    memcpy(authorization, source->authorization, sizeof authorization);
    if (source->authorization_file[0] &&
        read_authorization(source->authorization_file, authorization, why) != APR_SUCCESS)
        return why->status;
    (void)snprintf(fetch->url, sizeof fetch->url, "%s", source->url);
    (void)snprintf(fetch->header, sizeof fetch->header, "%s%s",
                   authorization[0] ? "Authorization: " : "", authorization);
    if (request(fetch, "GET", deadline, why) != APR_SUCCESS)
        return why->status;
    return take_credentials(fetch, out, why);
}

/* ---- an instance: version 2 alone, in which each request has a token ---- */

#define ROLES "/latest/meta-data/iam/security-credentials/"

static apr_status_t begin_session(fetch_t *fetch, const ratings_aws_source_t *source,
                                  const ratings_deadline_t *deadline, ratings_result_t *why)
{
    char token[RATINGS_AWS_TEXT_MAX + 1];
    (void)snprintf(fetch->url, sizeof fetch->url, "%s/latest/api/token", source->url);
    (void)snprintf(fetch->header, sizeof fetch->header, "X-aws-ec2-metadata-token-ttl-seconds: 60");
    if (request(fetch, "PUT", deadline, why) != APR_SUCCESS)
        return why->status;
    if (!take_word(&fetch->transfer, token, sizeof token))
        return ratings_result_set(why, APR_EINVAL, "the answer of %s is no token", fetch->origin);
    (void)snprintf(fetch->header, sizeof fetch->header, "X-aws-ec2-metadata-token: %s", token);
    return ratings_result_ok(why);
}

static apr_status_t find_role(fetch_t *fetch, const ratings_aws_source_t *source,
                              const ratings_deadline_t *deadline, ratings_result_t *why)
{
    char role[ROLE_MAX + 1];
    (void)snprintf(fetch->url, sizeof fetch->url, "%s" ROLES, source->url);
    if (request(fetch, "GET", deadline, why) != APR_SUCCESS)
        return why->status;
    if (!take_word(&fetch->transfer, role, sizeof role) || strpbrk(role, "/?#%"))
        return ratings_result_set(why, APR_EINVAL, "the answer of %s is no role", fetch->origin);
    (void)snprintf(fetch->url, sizeof fetch->url, "%s" ROLES "%s", source->url, role);
    return ratings_result_ok(why);
}

static apr_status_t fetch_from_instance(fetch_t *fetch, const ratings_aws_source_t *source,
                                        const ratings_deadline_t *deadline,
                                        ratings_aws_credentials_t *out, ratings_result_t *why)
{
    if (begin_session(fetch, source, deadline, why) != APR_SUCCESS ||
        find_role(fetch, source, deadline, why) != APR_SUCCESS ||
        request(fetch, "GET", deadline, why) != APR_SUCCESS)
        return why->status;
    return take_credentials(fetch, out, why);
}

/* ---- both ---- */

/* Scheme, host and port. */
static void keep_origin(fetch_t *fetch, const char *url)
{
    size_t scheme = strcspn(url, ":") + strlen("://");
    size_t length = scheme + strcspn(url + scheme, "/?#");
    (void)snprintf(fetch->origin, sizeof fetch->origin, "%.*s", (int)length, url);
}

static void fetch_from_source(fetch_t *fetch, const ratings_aws_source_t *source,
                              const ratings_deadline_t *deadline, ratings_aws_credentials_t *out,
                              ratings_result_t *why)
{
    keep_origin(fetch, source->url);
    if (source->kind == RATINGS_AWS_CONTAINER)
        (void)fetch_from_container(fetch, source, deadline, out, why);
    else
        (void)fetch_from_instance(fetch, source, deadline, out, why);
}

apr_status_t stats_fetch_credentials(const ratings_aws_source_t *source,
                                     const ratings_deadline_t *deadline,
                                     ratings_aws_credentials_t *out, ratings_result_t *why)
{
    fetch_t *fetch = calloc(1, sizeof *fetch);
    if (!fetch || !stats_transfer_init(&fetch->transfer))
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    else
        fetch_from_source(fetch, source, deadline, out, why);
    if (fetch) {
        stats_transfer_clear(&fetch->transfer);
        explicit_bzero(fetch, sizeof *fetch);
    }
    free(fetch);
    return why->status;
}
