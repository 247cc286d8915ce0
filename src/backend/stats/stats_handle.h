/* Private to stats: one libcurl handle, with the connection that it keeps open, and one POST over
 * it. One thread at a time uses a handle. */
#ifndef RATINGS_STATS_HANDLE_H
#define RATINGS_STATS_HANDLE_H

#include "../common/deadline.h"
#include "../common/result.h"

#include <apr_time.h>

#include <stddef.h>

#define STATS_ANSWER_MAX 65536 /* bytes of headers and body together */

typedef struct stats_handle_t stats_handle_t;

/* Where to, and by which proxy. */
typedef struct {
    const char *url;
    const char *proxy;                       /* scheme://host:port; NULL: none */
    const char *proxy_user, *proxy_password; /* decoded; NULL: none */
} stats_target_t;

/* NULL when out of memory, or when this libcurl lacks what it takes. */
stats_handle_t *stats_handle_create(const stats_target_t *target);
void stats_handle_destroy(stats_handle_t *handle); /* NULL is allowed */

/* Sends `json`. On APR_SUCCESS the status was 200 and the answer is the handle's until its next
 * use. */
apr_status_t stats_handle_post(stats_handle_t *handle, const char *json,
                               const ratings_deadline_t *deadline, const char **answer, size_t *len,
                               ratings_result_t *why);

#endif
