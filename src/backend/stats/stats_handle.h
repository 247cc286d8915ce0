/* Private to stats: what calls the function, by one connection that is kept open. One thread at
 * a time uses a handle. */
#ifndef RATINGS_STATS_HANDLE_H
#define RATINGS_STATS_HANDLE_H

#include "../../core/aws_credentials.h"
#include "../../core/trace_context.h"
#include "../common/pool.h"
#include "stats_target.h"
#include "stats_transfer.h"

#include <stdint.h>

typedef struct {
    ratings_pooled_t pooled;
    const stats_target_t *target;
    struct curl_slist *headers;
    uint64_t signed_by; /* the number of its credentials (stats_credentials.h); 0: it has none */
    stats_transfer_t transfer;
} stats_handle_t;

/* NULL when memory ran out, or when this libcurl lacks what it takes. Connects to nobody. `target`
 * must live as long. */
stats_handle_t *stats_handle_create(const stats_target_t *target);
void stats_handle_destroy(stats_handle_t *handle); /* NULL is allowed */

/* From now on calls are signed with these credentials, which are copied, by the target's signature.
 * False when memory ran out. */
bool stats_handle_sign(stats_handle_t *handle, const ratings_aws_credentials_t *credentials,
                       uint64_t number);

/* Sends `json` by POST, with the headers of the trace (NULL: with none), and by a new connection
 * once more when the one that was kept turns out to be closed. On APR_SUCCESS the status was 200,
 * and `*answer` (`*len` bytes, not terminated) is the handle's until its next use. APR_EINVAL:
 * another status, or more than STATS_ANSWER_MAX bytes. Else a failure as result.h has it. */
apr_status_t stats_handle_post(stats_handle_t *handle, const char *json,
                               const ratings_trace_t *trace, const ratings_deadline_t *deadline,
                               const char **answer, size_t *len, ratings_result_t *why);

#endif
