/* Private to the store: a bounded pool of connections to Redis, and calls over them. Any thread. */
#ifndef RATINGS_STORE_CONNECTION_H
#define RATINGS_STORE_CONNECTION_H

#include "store.h"
#include "store_link.h"

/* Sends `count` commands in one write and reads as many replies; `replies` receives them and the
 * caller frees each. On a failure none is left to free. The whole of it, with the wait for a
 * connection and connecting, ends by `deadline` (of ratings_monotonic), and no later than the
 * timeout of create after it began. A connection that had been idle, and turns out to be closed, to
 * bring what was not asked for, or to lead to a replica, is replaced once, and so is any that
 * brings an answer that is larger than it may be: what is sent may be sent three times, so it must
 * bear that. Scripts that the server does not know by their digests are sent once more, with their
 * texts, which `commands` then have. RATINGS_REBUILD_NEEDED: a new connection brought too large an
 * answer again. */
apr_status_t store_pipeline(ratings_store_t *store, store_command_t *commands, int count,
                            redisReply **replies, int64_t deadline, ratings_result_t *why);

/* For a call that has no deadline of its own: the timeout of create from now. */
int64_t store_deadline(const ratings_store_t *store);

#endif
