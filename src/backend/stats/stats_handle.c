/* Each easy handle has a multi handle of its own: curl_easy_perform can be stopped only from
 * a callback that it makes once a second, whereas curl_multi_wait also waits for a descriptor. */
#include "stats_handle.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- receiving, within bounds ---- */

static size_t receive_header(char *data, size_t one, size_t len, void *to)
{
    stats_handle_t *handle = to;
    (void)data;
    handle->received += one * len;
    return handle->received <= STATS_ANSWER_MAX ? len : 0;
}

static size_t receive_body(char *data, size_t one, size_t len, void *to)
{
    stats_handle_t *handle = to;
    handle->received += one * len;
    if (handle->received > STATS_ANSWER_MAX)
        return 0;
    memcpy(handle->body + handle->len, data, len);
    handle->len += len;
    return len;
}

/* ---- create and destroy ---- */

static bool set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return !curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

/* A name server that does not answer must not hold a call beyond its deadline: without this libcurl
 * waits for its resolver's thread, which ends by itself. Before 7.87 there is no way round that. */
static bool set_quick_exit(CURLM *multi, CURL *easy)
{
    (void)multi;
    (void)easy;
#if LIBCURL_VERSION_NUM >= 0x081400
    if (curl_multi_setopt(multi, CURLMOPT_QUICK_EXIT, 1L))
        return false;
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    return !curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
    return true;
#endif
}

/* The proxy of the configuration or none, and for each host: those of the environment (http_proxy,
 * no_proxy ...) decide nothing. */
static bool set_proxy(CURL *easy, const stats_target_t *target)
{
    return !curl_easy_setopt(easy, CURLOPT_PROXY, target->proxy ? target->proxy : "") &&
           !curl_easy_setopt(easy, CURLOPT_NOPROXY, "") &&
           !curl_easy_setopt(easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC) &&
           !curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, target->proxy_user) &&
           !curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, target->proxy_password) &&
           !curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
}

/* HTTP/1.1, as there is never more than one call on a connection. */
static bool set_transport(CURL *easy, const stats_target_t *target)
{
    return set_protocols(easy) && !curl_easy_setopt(easy, CURLOPT_URL, target->url) &&
           set_proxy(easy, target) &&
           !curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           !curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
           !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L) &&
           !curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
}

static bool add_header(stats_handle_t *handle, const char *line)
{
    struct curl_slist *list = curl_slist_append(handle->headers, line);
    if (list)
        handle->headers = list;
    return list != NULL;
}

/* libcurl asks by Expect for bodies of a megabyte alone (EXPECT_100_THRESHOLD), so that nothing
 * has to keep it from that. */
static bool set_headers(stats_handle_t *handle, const stats_target_t *target)
{
    return add_header(handle, "Content-Type: application/json") &&
           add_header(handle, "Accept: application/json") &&
           (!target->header || add_header(handle, target->header)) &&
           !curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, handle->headers) &&
           !curl_easy_setopt(handle->easy, CURLOPT_USERAGENT, "mod_ratings");
}

static bool set_receivers(stats_handle_t *handle)
{
    return !curl_easy_setopt(handle->easy, CURLOPT_HEADERFUNCTION, receive_header) &&
           !curl_easy_setopt(handle->easy, CURLOPT_HEADERDATA, handle) &&
           !curl_easy_setopt(handle->easy, CURLOPT_WRITEFUNCTION, receive_body) &&
           !curl_easy_setopt(handle->easy, CURLOPT_WRITEDATA, handle) &&
           !curl_easy_setopt(handle->easy, CURLOPT_ERRORBUFFER, handle->error);
}

stats_handle_t *stats_handle_create(const stats_target_t *target)
{
    stats_handle_t *handle = calloc(1, sizeof *handle);
    if (!handle)
        return NULL;
    handle->code = CURLE_ABORTED_BY_CALLBACK; /* there is no connection to be kept */
    handle->multi = curl_multi_init();
    handle->easy = curl_easy_init();
    if (handle->multi && handle->easy && set_transport(handle->easy, target) &&
        set_quick_exit(handle->multi, handle->easy) && set_headers(handle, target) &&
        set_receivers(handle))
        return handle;
    stats_handle_destroy(handle);
    return NULL;
}

void stats_handle_destroy(stats_handle_t *handle)
{
    if (!handle)
        return;
    curl_easy_cleanup(handle->easy);
    curl_multi_cleanup(handle->multi);
    curl_slist_free_all(handle->headers);
    free(handle);
}

/* ---- what an end means ---- */

static apr_status_t status_of_curl(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return APR_SUCCESS;
    case CURLE_OPERATION_TIMEDOUT:
        return APR_TIMEUP;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
#if LIBCURL_VERSION_NUM < 0x073e00 /* later the same as the one before */
    case CURLE_SSL_CACERT:
#endif
        return APR_ECONNREFUSED;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: /* also an answer that is not HTTP/1 */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_WRITE_ERROR: /* ours: an answer over the bound */
        return APR_EINVAL;
    case CURLE_OUT_OF_MEMORY:
        return RATINGS_NOT_ASKED;
    default: /* a connection that broke midway, among others */
        return APR_EGENERAL;
    }
}

/* libcurl has no code of its own for a thread of its resolver that could not be made
 * (lib/asyn-thrdd.c). */
static bool is_of_this_process(const stats_handle_t *handle)
{
    return strstr(handle->error, "failed to start") != NULL;
}

static apr_status_t transfer_failed(const stats_handle_t *handle, CURLcode code,
                                    ratings_result_t *why)
{
    apr_status_t status = is_of_this_process(handle) ? RATINGS_NOT_ASKED : status_of_curl(code);
    return ratings_result_set(why, status, "%s",
                              handle->error[0] ? handle->error : curl_easy_strerror(code));
}

static apr_status_t status_of_transfer(stats_handle_t *handle, CURLcode code, ratings_result_t *why)
{
    long http_status = 0;
    if (handle->received > STATS_ANSWER_MAX)
        return ratings_result_set(why, APR_EINVAL, "the answer is longer than %d bytes",
                                  STATS_ANSWER_MAX);
    if (code != CURLE_OK)
        return transfer_failed(handle, code, why);
    curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &http_status);
    if (http_status == 407)
        return ratings_result_set(why, APR_ECONNREFUSED, "the proxy refuses the call (status 407)");
    if (http_status != 200)
        return ratings_result_set(why, APR_EINVAL, "the answer has status %ld", http_status);
    return ratings_result_ok(why);
}

/* ---- one call ---- */

static apr_status_t finish_transfer(stats_handle_t *handle, ratings_result_t *why)
{
    int more;
    const CURLMsg *message = curl_multi_info_read(handle->multi, &more);
    if (!message || message->msg != CURLMSG_DONE)
        return ratings_result_set(why, APR_EGENERAL, "libcurl ended without a result");
    handle->code = message->data.result;
    return status_of_transfer(handle, handle->code, why);
}

static apr_status_t run_transfer(stats_handle_t *handle, const ratings_deadline_t *deadline,
                                 ratings_result_t *why)
{
    int running = 1;
    for (;;) {
        struct curl_waitfd stop = {deadline->cancel_fd, CURL_WAIT_POLLIN, 0};
        CURLMcode code = curl_multi_perform(handle->multi, &running);
        if (code == CURLM_OK && !running)
            return finish_transfer(handle, why);
        int ms = ratings_deadline_ms_left(deadline);
        if (ms == 0)
            return ratings_result_set(why, APR_TIMEUP, "the function did not answer in time");
        if (code == CURLM_OK)
            code = curl_multi_wait(handle->multi, &stop, 1, ms, NULL);
        if (code != CURLM_OK)
            return ratings_result_set(why, APR_EGENERAL, "%s", curl_multi_strerror(code));
        if (stop.revents)
            return ratings_deadline_cancelled(why);
    }
}

static bool prepare_transfer(stats_handle_t *handle, const char *json,
                             const ratings_deadline_t *deadline, bool anew)
{
    long ms = ratings_deadline_ms_left(deadline);
    handle->code = CURLE_ABORTED_BY_CALLBACK; /* unless it ends by itself */
    handle->received = handle->len = 0;
    handle->error[0] = '\0';
    ms = ms > 0 ? ms : 1; /* 0 would be no limit */
    return !curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDS, json) &&
           !curl_easy_setopt(handle->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(json)) &&
           !curl_easy_setopt(handle->easy, CURLOPT_TIMEOUT_MS, ms) &&
           !curl_easy_setopt(handle->easy, CURLOPT_CONNECTTIMEOUT_MS, ms) &&
           !curl_easy_setopt(handle->easy, CURLOPT_FRESH_CONNECT, (long)anew) &&
           curl_multi_add_handle(handle->multi, handle->easy) == CURLM_OK;
}

static apr_status_t post_once(stats_handle_t *handle, const char *json,
                              const ratings_deadline_t *deadline, bool anew, ratings_result_t *why)
{
    if (!prepare_transfer(handle, json, deadline, anew))
        return ratings_result_set(why, RATINGS_NOT_ASKED, "libcurl could not be set up");
    apr_status_t status = run_transfer(handle, deadline, why);
    (void)curl_multi_remove_handle(handle->multi, handle->easy);
    return status;
}

static bool peer_closed(CURLcode code)
{
    return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;
}

/* A connection that was kept may have been closed since. libcurl sends again by itself then, but
 * gives up after five times: of one transfer from 8.17 on, of all transfers of a handle before
 * (lib/transfer.c, CONN_MAX_RETRIES). The function has no effects, so it may be asked twice. */
apr_status_t stats_handle_post(stats_handle_t *handle, const char *json,
                               const ratings_deadline_t *deadline, const char **answer, size_t *len,
                               ratings_result_t *why)
{
    bool kept = handle->code == CURLE_OK;
    apr_status_t status = post_once(handle, json, deadline, false, why);
    if (kept && peer_closed(handle->code))
        status = post_once(handle, json, deadline, true, why);
    *answer = handle->body;
    *len = handle->len;
    return status;
}
