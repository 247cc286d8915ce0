/* The read model in Redis (hiredis), which can be thrown away and rebuilt from the log.
 *
 *   ratings/ID          hash: fields 1..5, the counts of a talk
 *   ratings:log         hash: topic; partitions (by which talks are routed); generation (of the
 *                       rebuild that made it); claim (of the rebuild under way); for each
 *                       partition N position:N (the next offset to apply) and mark:N (the last
 *                       record applied)
 *   ratings:projector   string: the lease
 *
 * The invariant: a talk's counts are the fold of the log up to the position. Whatever changes both
 * is one script, which Redis runs whole or not at all (https://redis.io/docs/latest/develop/
 * programmability/eval-intro/).
 *
 * All calls may be made by any thread at once, each with a connection of the pool of its own. Each
 * wait of a call (for a free connection, for the connection, for an answer) ends by the timeout of
 * create. Nothing is logged here: `why` carries the reason. */
#ifndef RATINGS_BACKEND_STORE_H
#define RATINGS_BACKEND_STORE_H

#include "../core/histogram.h"
#include "result.h"
#include "stream.h"

#include <apr_pools.h>
#include <apr_time.h>

#include <stdbool.h>

typedef struct ratings_store_t ratings_store_t;

typedef struct {
    const char *url;             /* redis://[user:password@]host[:port][/database] */
    int connections_max;         /* >= 1 */
    apr_interval_time_t timeout; /* microseconds, of each wait */
} ratings_store_options_t;

/* NULL if `url` can be used, else what is wrong with it (static). */
const char *ratings_store_url_problem(const char *url);

/* Makes the pool of connections in `pool`, without connecting. `*options` is copied. */
apr_status_t ratings_store_create(ratings_store_t **store, const ratings_store_options_t *options,
                                  apr_pool_t *pool, ratings_result_t *why);

/* Makes every call under way, and every later one, fail at once. Any thread. */
void ratings_store_interrupt(ratings_store_t *store);

/* Closes the connections; no call may be under way. Before the pool of create is destroyed. */
void ratings_store_destroy(ratings_store_t *store);

/* ---- for requests ---- */

/* A talk's counts and the position of `partition`, read in one atomic step. `*position` is -1 when
 * the store holds none (it is new, lost or being rebuilt). APR_EINVAL: the key is not the hash that
 * the module writes. */
apr_status_t ratings_store_read(ratings_store_t *store, const char *talk_id, int partition,
                                ratings_histogram_t *histogram, int64_t *position,
                                ratings_result_t *why);

/* Whether the store can be written and keeps what it is given. `*fault` is set to NULL, or to what
 * makes it unfit although it answers (static, fit for a client): it evicts, it is a replica. */
apr_status_t ratings_store_check(ratings_store_t *store, const char **fault, ratings_result_t *why);

/* ---- for the projector ---- */

/* The last record applied in a partition, by which it is known again. */
typedef struct {
    int64_t offset; /* -1: none yet */
    int64_t timestamp;
    uint32_t checksum;
} ratings_mark_t;

#define RATINGS_TOKEN_MAX 64

/* What ratings:log says. About 32 KB: keep it off small stacks. */
typedef struct {
    bool present; /* there is such a key, and it is a hash */
    char topic[RATINGS_TOPIC_MAX + 1];
    char generation[RATINGS_TOKEN_MAX + 1]; /* "" : none, so is `claim` */
    char claim[RATINGS_TOKEN_MAX + 1];
    int routed;                               /* partitions by which talks are routed; 0: unknown */
    int64_t position[RATINGS_PARTITIONS_MAX]; /* -1: absent */
    ratings_mark_t mark[RATINGS_PARTITIONS_MAX];
} ratings_log_t;

apr_status_t ratings_store_load(ratings_store_t *store, ratings_log_t *log, ratings_result_t *why);

/* What a run of records adds to one talk. */
typedef struct {
    const char *talk_id;
    int64_t added[RATINGS_VALUES];
} ratings_increment_t;

/* A run of records of one partition, folded. */
typedef struct {
    const char *generation; /* what the store must be of */
    int partition;
    int64_t position; /* where the store must stand */
    int64_t next;     /* where it stands after */
    ratings_mark_t mark;
    const ratings_increment_t *increments;
    int count;
} ratings_chunk_t;

/* Ends of a conditional write. */
typedef enum {
    RATINGS_STORE_DONE,
    RATINGS_STORE_MOVED,  /* the store is not where it was thought: load it again */
    RATINGS_STORE_CORRUPT /* a key is not what we write: the store must be rebuilt */
} ratings_store_end_e;

/* Adds a chunk, counts, position and mark together, if the store stands at its position. */
apr_status_t ratings_store_apply(ratings_store_t *store, const ratings_chunk_t *chunk,
                                 ratings_store_end_e *end, ratings_result_t *why);

/* Position 0 for partitions `from`..`to`-1, which the topic was given later. */
apr_status_t ratings_store_extend(ratings_store_t *store, const ratings_log_t *log, int from,
                                  int to, ratings_store_end_e *end, ratings_result_t *why);

/* A rebuild: claim it (from then on nothing is applied), delete the talks' keys while the claim
 * holds, step by step, then open the store with all positions 0. Each step is MOVED when somebody
 * else has claimed it since. */
apr_status_t ratings_store_claim(ratings_store_t *store, const ratings_log_t *seen,
                                 const char *token, ratings_store_end_e *end,
                                 ratings_result_t *why);
/* `cursor`: "0" at first, in and out; "0" again when all is deleted. `deleted` is added to. */
apr_status_t ratings_store_sweep(ratings_store_t *store, const char *token, char cursor[32],
                                 int64_t *deleted, ratings_store_end_e *end, ratings_result_t *why);
apr_status_t ratings_store_open(ratings_store_t *store, const char *token, const char *topic,
                                int partitions, int routed, ratings_store_end_e *end,
                                ratings_result_t *why);

/* The lease: takes or renews it for `token` (at most RATINGS_TOKEN_MAX bytes). `*held` tells
 * whether it is ours now; `holder` (RATINGS_TOKEN_MAX + 1 bytes) whose it is. */
apr_status_t ratings_store_lease(ratings_store_t *store, const char *token,
                                 apr_interval_time_t lease, bool *held, char *holder,
                                 ratings_result_t *why);
apr_status_t ratings_store_release(ratings_store_t *store, const char *token,
                                   ratings_result_t *why);

#endif
