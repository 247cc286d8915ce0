#include "stats_handle.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- headers ---- */

static bool add_header(struct curl_slist **headers, const char *line)
{
    struct curl_slist *list = curl_slist_append(*headers, line);
    if (list)
        *headers = list;
    return list != NULL;
}

static bool add_token(struct curl_slist **headers, const char *token)
{
    char line[sizeof "X-Amz-Security-Token: " + RATINGS_AWS_TOKEN_MAX];
    if (!token[0])
        return true;
    (void)snprintf(line, sizeof line, "X-Amz-Security-Token: %s", token);
    return add_header(headers, line);
}

/* libcurl asks by Expect for bodies of a megabyte alone (EXPECT_100_THRESHOLD): no "Expect:" keeps
 * it from that, which 7.88 would sign, and not send. */
static bool set_headers(stats_handle_t *handle, const char *token)
{
    struct curl_slist *headers = NULL;
    bool is_set = add_header(&headers, "Content-Type: application/json") &&
                  add_header(&headers, "Accept: application/json") &&
                  (!handle->target->header || add_header(&headers, handle->target->header)) &&
                  add_token(&headers, token) &&
                  !curl_easy_setopt(handle->transfer.easy, CURLOPT_HTTPHEADER, headers);
    struct curl_slist *unused = is_set ? handle->headers : headers;
    if (is_set)
        handle->headers = headers;
    curl_slist_free_all(unused);
    return is_set;
}

/* libcurl signs all headers of its list. A session token is one of them: libcurl has no option for
 * it. */
bool stats_handle_sign(stats_handle_t *handle, const ratings_aws_credentials_t *credentials,
                       uint64_t number)
{
    CURL *easy = handle->transfer.easy;
    bool is_set = set_headers(handle, credentials->token) &&
                  !curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, handle->target->signature) &&
                  !curl_easy_setopt(easy, CURLOPT_USERNAME, credentials->key_id) &&
                  !curl_easy_setopt(easy, CURLOPT_PASSWORD, credentials->secret);
    handle->signed_by = is_set ? number : 0;
    return is_set;
}

static void append_trace(struct curl_slist **headers, const ratings_trace_t *trace)
{
    char line[sizeof RATINGS_TRACE_STATE ": " + RATINGS_TRACE_STATE_MAX];
    (void)snprintf(line, sizeof line, RATINGS_TRACE_PARENT ": %s", trace->parent);
    bool is_added = add_header(headers, line);
    (void)snprintf(line, sizeof line, RATINGS_TRACE_STATE ": %s", trace->state);
    if (is_added && trace->state[0])
        (void)add_header(headers, line);
}

/* The headers of one call: those of its trace, and behind them those of all calls, which stay the
 * handle's. NULL: it has no trace, or memory ran out, for which no call is given up. */
static struct curl_slist *begin_trace(stats_handle_t *handle, const ratings_trace_t *trace)
{
    struct curl_slist *own = NULL, *last;
    if (trace)
        append_trace(&own, trace);
    if (!own)
        return NULL;
    for (last = own; last->next;)
        last = last->next;
    last->next = handle->headers;
    (void)curl_easy_setopt(handle->transfer.easy, CURLOPT_HTTPHEADER, own);
    return own;
}

static void end_trace(stats_handle_t *handle, struct curl_slist *own)
{
    struct curl_slist *last = own;
    if (!own)
        return;
    while (last->next != handle->headers)
        last = last->next;
    last->next = NULL;
    (void)curl_easy_setopt(handle->transfer.easy, CURLOPT_HTTPHEADER, handle->headers);
    curl_slist_free_all(own);
}

/* ---- create and destroy ---- */

/* The proxy of the configuration, for each host. */
static bool set_proxy(CURL *easy, const stats_target_t *target)
{
    return !target->proxy ||
           (!curl_easy_setopt(easy, CURLOPT_PROXY, target->proxy) &&
            !curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC) &&
            !curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, target->proxy_user) &&
            !curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, target->proxy_password) &&
            !curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE));
}

stats_handle_t *stats_handle_create(const stats_target_t *target)
{
    stats_handle_t *handle = calloc(1, sizeof *handle);
    if (!handle)
        return NULL;
    handle->target = target;
    if (stats_transfer_init(&handle->transfer) &&
        !curl_easy_setopt(handle->transfer.easy, CURLOPT_URL, target->url) &&
        set_proxy(handle->transfer.easy, target) && set_headers(handle, ""))
        return handle;
    stats_handle_destroy(handle);
    return NULL;
}

void stats_handle_destroy(stats_handle_t *handle)
{
    if (!handle)
        return;
    stats_transfer_clear(&handle->transfer);
    curl_slist_free_all(handle->headers);
    free(handle);
}

/* ---- one call ---- */

static bool prepare_post(CURL *easy, const char *json, bool anew)
{
    return !curl_easy_setopt(easy, CURLOPT_POSTFIELDS, json) &&
           !curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(json)) &&
           !curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)anew);
}

static apr_status_t post_once(stats_handle_t *handle, const char *json,
                              const ratings_deadline_t *deadline, bool anew, ratings_result_t *why)
{
    long http_status = 0;
    if (!prepare_post(handle->transfer.easy, json, anew))
        return ratings_result_set(why, RATINGS_NOT_ASKED, "libcurl could not be set up");
    if (stats_transfer_run(&handle->transfer, deadline, "the function did not answer in time",
                           &http_status, why) != APR_SUCCESS)
        return why->status;
    if (http_status == 407)
        return ratings_result_set(why, APR_ECONNREFUSED, "the proxy refuses the call (status 407)");
    if (http_status != 200)
        return ratings_result_set(why, APR_EINVAL, "the answer has status %ld", http_status);
    return APR_SUCCESS;
}

static bool peer_closed(CURLcode code)
{
    return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;
}

/* A connection that was kept may have been closed since. libcurl sends again by itself then, but
 * gives up after five times: of one transfer from 8.17 on, of all transfers of a handle before
 * (lib/transfer.c, CONN_MAX_RETRIES). The function has no effects, so it may be asked twice. */
apr_status_t stats_handle_post(stats_handle_t *handle, const char *json,
                               const ratings_trace_t *trace, const ratings_deadline_t *deadline,
                               const char **answer, size_t *len, ratings_result_t *why)
{
    struct curl_slist *own = begin_trace(handle, trace);
    bool kept = handle->transfer.code == CURLE_OK;
    apr_status_t status = post_once(handle, json, deadline, false, why);
    if (kept && peer_closed(handle->transfer.code))
        status = post_once(handle, json, deadline, true, why);
    end_trace(handle, own);
    *answer = handle->transfer.body;
    *len = handle->transfer.len;
    return status;
}
