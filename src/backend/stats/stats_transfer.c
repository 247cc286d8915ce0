/* Each easy handle has a multi handle of its own: curl_easy_perform can be stopped only from
 * a callback that it makes once a second, whereas curl_multi_wait also waits for a descriptor. */
#include "stats_transfer.h"

#include <string.h>

/* ---- receiving, within bounds ---- */

static size_t receive_header(char *data, size_t one, size_t len, void *to)
{
    stats_transfer_t *transfer = to;
    (void)data;
    transfer->received += one * len;
    return transfer->received <= STATS_ANSWER_MAX ? len : 0;
}

static size_t receive_body(char *data, size_t one, size_t len, void *to)
{
    stats_transfer_t *transfer = to;
    transfer->received += one * len;
    if (transfer->received > STATS_ANSWER_MAX)
        return 0;
    memcpy(transfer->body + transfer->len, data, len);
    transfer->len += len;
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

/* HTTP/1.1, as there is never more than one call on a connection. Of proxies, those of the
 * environment (http_proxy, no_proxy ...) decide nothing. */
static bool set_transport(CURL *easy)
{
    return set_protocols(easy) && !curl_easy_setopt(easy, CURLOPT_PROXY, "") &&
           !curl_easy_setopt(easy, CURLOPT_NOPROXY, "") &&
           !curl_easy_setopt(easy, CURLOPT_USERAGENT, "mod_ratings") &&
           !curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           !curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) &&
           !curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L) &&
           !curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
}

static bool set_receivers(stats_transfer_t *transfer)
{
    return !curl_easy_setopt(transfer->easy, CURLOPT_HEADERFUNCTION, receive_header) &&
           !curl_easy_setopt(transfer->easy, CURLOPT_HEADERDATA, transfer) &&
           !curl_easy_setopt(transfer->easy, CURLOPT_WRITEFUNCTION, receive_body) &&
           !curl_easy_setopt(transfer->easy, CURLOPT_WRITEDATA, transfer) &&
           !curl_easy_setopt(transfer->easy, CURLOPT_ERRORBUFFER, transfer->error);
}

bool stats_transfer_init(stats_transfer_t *transfer)
{
    transfer->code = CURLE_ABORTED_BY_CALLBACK; /* there is no connection to be kept */
    transfer->multi = curl_multi_init();
    transfer->easy = curl_easy_init();
    return transfer->multi && transfer->easy && set_transport(transfer->easy) &&
           set_quick_exit(transfer->multi, transfer->easy) && set_receivers(transfer);
}

void stats_transfer_clear(stats_transfer_t *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_multi_cleanup(transfer->multi);
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
static bool is_of_this_process(const stats_transfer_t *transfer)
{
    return strstr(transfer->error, "failed to start") != NULL;
}

static apr_status_t transfer_failed(const stats_transfer_t *transfer, CURLcode code,
                                    ratings_result_t *why)
{
    apr_status_t status = is_of_this_process(transfer) ? RATINGS_NOT_ASKED : status_of_curl(code);
    return ratings_result_set(why, status, "%s",
                              transfer->error[0] ? transfer->error : curl_easy_strerror(code));
}

static apr_status_t status_of_transfer(stats_transfer_t *transfer, long *http_status,
                                       ratings_result_t *why)
{
    if (transfer->received > STATS_ANSWER_MAX)
        return ratings_result_set(why, APR_EINVAL, "the answer is longer than %d bytes",
                                  STATS_ANSWER_MAX);
    if (transfer->code != CURLE_OK)
        return transfer_failed(transfer, transfer->code, why);
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, http_status);
    return ratings_result_ok(why);
}

/* ---- one request ---- */

static apr_status_t finish_transfer(stats_transfer_t *transfer, long *http_status,
                                    ratings_result_t *why)
{
    int more;
    const CURLMsg *message = curl_multi_info_read(transfer->multi, &more);
    if (!message || message->msg != CURLMSG_DONE)
        return ratings_result_set(why, APR_EGENERAL, "libcurl ended without a result");
    transfer->code = message->data.result;
    return status_of_transfer(transfer, http_status, why);
}

static apr_status_t run_until_done(stats_transfer_t *transfer, const ratings_deadline_t *deadline,
                                   const char *late, long *http_status, ratings_result_t *why)
{
    int running = 1;
    for (;;) {
        struct curl_waitfd stop = {deadline->cancel_fd, CURL_WAIT_POLLIN, 0};
        CURLMcode code = curl_multi_perform(transfer->multi, &running);
        if (code == CURLM_OK && !running)
            return finish_transfer(transfer, http_status, why);
        int ms = ratings_deadline_ms_left(deadline);
        if (ms == 0)
            return ratings_result_set(why, APR_TIMEUP, "%s", late);
        if (code == CURLM_OK)
            code = curl_multi_wait(transfer->multi, &stop, 1, ms, NULL);
        if (code != CURLM_OK)
            return ratings_result_set(why, APR_EGENERAL, "%s", curl_multi_strerror(code));
        if (stop.revents)
            return ratings_deadline_cancelled(why);
    }
}

static bool prepare_transfer(stats_transfer_t *transfer, const ratings_deadline_t *deadline)
{
    long ms = ratings_deadline_ms_left(deadline);
    transfer->code = CURLE_ABORTED_BY_CALLBACK; /* unless it ends by itself */
    transfer->received = transfer->len = 0;
    transfer->error[0] = '\0';
    ms = ms > 0 ? ms : 1; /* 0 would be no limit */
    return !curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, ms) &&
           !curl_easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS, ms) &&
           curl_multi_add_handle(transfer->multi, transfer->easy) == CURLM_OK;
}

apr_status_t stats_transfer_run(stats_transfer_t *transfer, const ratings_deadline_t *deadline,
                                const char *late, long *http_status, ratings_result_t *why)
{
    if (!prepare_transfer(transfer, deadline))
        return ratings_result_set(why, RATINGS_NOT_ASKED, "libcurl could not be set up");
    apr_status_t status = run_until_done(transfer, deadline, late, http_status, why);
    (void)curl_multi_remove_handle(transfer->multi, transfer->easy);
    return status;
}
