/* Private to stats: one libcurl handle, with the connection that it keeps open, and one request
 * after the other by it, each within bounds. One thread at a time uses a transfer. */
#ifndef RATINGS_STATS_TRANSFER_H
#define RATINGS_STATS_TRANSFER_H

#include "../common/deadline.h"

#include <curl/curl.h>

#include <stdbool.h>
#include <stddef.h>

#define STATS_ANSWER_MAX 65536 /* bytes of headers and body together */

typedef struct {
    CURLM *multi;
    CURL *easy;      /* what its owner sets of it is used by the next request */
    CURLcode code;   /* of the last request; CURLE_OK: its connection was kept */
    size_t received; /* bytes of headers and body */
    size_t len;      /* of the body */
    char body[STATS_ANSWER_MAX];
    char error[CURL_ERROR_SIZE];
} stats_transfer_t;

/* Makes a zeroed transfer: HTTP/1.1, no redirects, no proxy of the environment. False when memory
 * ran out, or when this libcurl lacks what it takes. Connects to nobody. */
bool stats_transfer_init(stats_transfer_t *transfer);
void stats_transfer_clear(stats_transfer_t *transfer); /* a zeroed one is allowed */

/* Makes the request that was set. APR_SUCCESS: there was an answer, of `*http_status`, with
 * `transfer->len` bytes in `transfer->body`. APR_TIMEUP, with `late` as the reason, at the
 * deadline; APR_EINVAL: an answer of more than STATS_ANSWER_MAX bytes; else a failure as result.h
 * has it. */
apr_status_t stats_transfer_run(stats_transfer_t *transfer, const ratings_deadline_t *deadline,
                                const char *late, long *http_status, ratings_result_t *why);

#endif
