/* Private to stats: one libcurl handle, with the connection that it keeps open, and one POST over
 * it. One thread at a time uses a handle. */
#ifndef RATINGS_STATS_HANDLE_H
#define RATINGS_STATS_HANDLE_H

#include "../common/pool.h"
#include "stats_target.h"

#include <curl/curl.h>

#include <stddef.h>

#define STATS_ANSWER_MAX 65536 /* bytes of headers and body together */

typedef struct {
    ratings_pooled_t pooled;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    CURLcode code;   /* of the last transfer */
    size_t received; /* bytes of headers and body */
    size_t len;      /* of the body */
    char body[STATS_ANSWER_MAX];
    char error[CURL_ERROR_SIZE];
} stats_handle_t;

/* NULL when memory ran out, or when this libcurl lacks what it takes. Connects to nobody. `target`
 * must live as long. */
stats_handle_t *stats_handle_create(const stats_target_t *target);
void stats_handle_destroy(stats_handle_t *handle); /* NULL is allowed */

/* Sends `json` by POST, and by a new connection once more when the one that was kept turns out to
 * be closed. On APR_SUCCESS the status was 200, and `*answer` (`*len` bytes, not terminated) is the
 * handle's until its next use. APR_EINVAL: another status, or more than STATS_ANSWER_MAX bytes.
 * Else a failure as result.h has it. */
apr_status_t stats_handle_post(stats_handle_t *handle, const char *json,
                               const ratings_deadline_t *deadline, const char **answer, size_t *len,
                               ratings_result_t *why);

#endif
