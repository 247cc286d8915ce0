/* The read model in Redis (hiredis), which can be thrown away and rebuilt from the log.
 *
 *   ratings/ID        hash: fields 1..5, the counts of a talk
 *   ratings:log       hash: topic; partitions (by which talks are routed; 0: not known yet, while
 *                     the store is behind, or has applied nothing); routing (offset of the record
 *                     in partition 0 that says so); positions (how many partitions have one);
 *                     generation (of the rebuild that made it); claim and swept (of the rebuild
 *                     under way, and its steps so far; then there is no generation); behind (1:
 *                     what the log held when the rebuild began is not all applied yet); suspect
 *                     (why somebody thinks that it must be rebuilt: ratings_rebuild_request_e); for
 * each partition N position:N (the next offset to apply), mark:N and first:N (the last and the
 * first record applied, "offset:timestamp:checksum", or "empty"), time:N (the log's time,
 * milliseconds) and uses:N ("position:count": how many ratings:keys:N had when position:N was that)
 *   ratings:keys:N    hash: for each idempotency key that holds, "value:expires:offset" of the
 *                     event last counted with it; its field is a digest of talk and key
 *   ratings:expiry:N  sorted set: those fields by when they expire, to forget them by
 *   ratings:projector string: the lease
 *
 * A ratings:log that is not so must be rebuilt: ratings_store_load decides it, for everybody.
 * Fields of other names mean nothing: a newer version may have added them. What a store of an older
 * version has not (positions, uses:N) is added as it is written.
 *
 * The invariant: a talk's counts are the fold of the log up to the position. Whatever changes both
 * is one script, which Redis runs whole or not at all (https://redis.io/docs/latest/develop/
 * programmability/eval-intro/).
 *
 * All calls may be made by any thread at once, each with a connection of the pool of its own. A
 * call ends by the timeout of create, and by its `deadline` (of ratings_monotonic) where it has
 * one. Nothing is logged here: `why` carries the reason. */
#ifndef RATINGS_STORE_H
#define RATINGS_STORE_H

#include "../../core/histogram.h"
#include "../../core/idempotency.h"
#include "../common/log_record.h"
#include "../common/result.h"

#include <apr_pools.h>
#include <apr_time.h>

#include <stdatomic.h>
#include <stdbool.h>

typedef struct ratings_store_t ratings_store_t;

typedef struct {
    const char *url;             /* redis://[[user]:password@]host[:port][/database] */
    int connections_max;         /* >= 1 */
    apr_interval_time_t timeout; /* microseconds, of each wait */
    _Atomic int64_t
        *retired_at; /* see ratings_store_retire: of all stores that share it; or NULL */
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

/* Connections that were opened before `before` (of ratings_monotonic) are closed rather than used
 * again, in all stores that share `retired_at`: the address may lead to another server by now, as
 * after a failover behind a name or a proxy. Calls do so by themselves when a server says that it
 * is a replica. Any thread. */
void ratings_store_retire(ratings_store_t *store, int64_t before);

/* ---- what is wrong with a store ---- */

/* The `fault` of a result: of every call that failed, some of these. */
typedef enum {
    RATINGS_STORE_FIT,
    RATINGS_STORE_UNREACHABLE, /* or no more is known than the detail says */
    RATINGS_STORE_REPLICA,
    RATINGS_STORE_ORPHAN, /* a replica without its primary */
    RATINGS_STORE_LOADING,
    RATINGS_STORE_LOGIN,
    RATINGS_STORE_CLUSTER,
    RATINGS_STORE_EVICTS,
    RATINGS_STORE_FULL,
    RATINGS_STORE_NOT_SAVING,
    RATINGS_STORE_LACKS_REPLICAS,
    RATINGS_STORE_BUSY,
    RATINGS_STORE_CROWDED,
    RATINGS_STORE_LACKS_COMMANDS,
    RATINGS_STORE_HANGS_UP,
    RATINGS_STORE_NOT_REDIS,
    RATINGS_STORE_DENIED /* a command or a key, to the service's user; beyond: which */
} ratings_store_fault_e;

/* What is wrong and what to do (static, fit for a client); NULL for RATINGS_STORE_FIT, and for a
 * number that is none of them. */
const char *ratings_store_fault_text(int fault);

/* ---- a record that was applied ---- */

/* By these a record is known again. */
typedef struct {
    int64_t
        offset; /* RATINGS_FINGERPRINT_NONE, RATINGS_FINGERPRINT_EMPTY: there is no such record */
    int64_t timestamp;
    uint32_t checksum;
} ratings_fingerprint_t;

#define RATINGS_FINGERPRINT_NONE (-1)  /* the store does not say */
#define RATINGS_FINGERPRINT_EMPTY (-2) /* of the first record: the log had none */

/* A log's identity, from the first record applied of it: 0 where it is not known,
 * RATINGS_TAG_EMPTY where it had none. Two logs have the same by a chance of one in 65,000. */
#define RATINGS_TAG_EMPTY 1
uint16_t ratings_log_id(const ratings_fingerprint_t *first);

/* ---- for requests ---- */

/* A talk's counts, and where the store stands: read in one atomic step. */
typedef struct {
    ratings_histogram_t histogram;
    int64_t position; /* of the talk's partition; -1: none (the store is new, lost or rebuilt) */
    uint16_t tag;     /* of the log that it was folded from */
    bool is_behind;   /* the store is being rebuilt: counts may be those of a part of the log */
} ratings_view_t;

/* APR_EINVAL: the key is not the hash that the module writes. */
apr_status_t ratings_store_read(ratings_store_t *store, const char *talk_id, int partition,
                                int64_t deadline, ratings_view_t *view, ratings_result_t *why);

/* The event last counted with an idempotency key, and the position that goes with it. */
apr_status_t ratings_store_read_use(ratings_store_t *store, const char *talk_id, const char *key,
                                    int partition, int64_t deadline, ratings_use_t *use,
                                    int64_t *position, ratings_result_t *why);

/* Whether the store can be written and keeps what it is given. `*fault`: what makes it unfit
 * although it answers: it evicts, it is full, it is a replica, a node of a cluster. */
apr_status_t ratings_store_check(ratings_store_t *store, int64_t deadline,
                                 ratings_store_fault_e *fault, ratings_result_t *why);

/* ---- for the projector ---- */

#define RATINGS_TOKEN_MAX 64

#define RATINGS_DIGEST_SIZE 41 /* SHA-1 in hexadecimal */

/* What ratings:log says. About 64 KB: keep it off small stacks. */
typedef struct {
    const char *problem; /* why the store must be rebuilt, whatever the log holds (static), or NULL:
                            then all that follows is as this module writes it */
    char topic[RATINGS_TOPIC_MAX + 1];
    char generation[RATINGS_TOKEN_MAX + 1]; /* "" : none, so is `claim` */
    char claim[RATINGS_TOKEN_MAX + 1];
    char seen[2][RATINGS_DIGEST_SIZE]; /* of generation and claim, whatever they are */
    bool behind;
    int suspect;                              /* ratings_rebuild_request_e; 0: nobody says so */
    int routed;                               /* partitions by which talks are routed; 0: unknown */
    int64_t routing;                          /* offset of the record that says so; -1: unknown */
    int positions;                            /* those that have a position: the first ones */
    int64_t position[RATINGS_PARTITIONS_MAX]; /* -1: absent */
    ratings_fingerprint_t mark[RATINGS_PARTITIONS_MAX];
    ratings_fingerprint_t first[RATINGS_PARTITIONS_MAX];
    int64_t time[RATINGS_PARTITIONS_MAX]; /* of the log; 0: no record with an append time yet; -1:
                                             absent */
} ratings_log_t;

/* The one judge of what the store says of itself. APR_SUCCESS also if there is a problem. */
apr_status_t ratings_store_load(ratings_store_t *store, int64_t deadline, ratings_log_t *log,
                                ratings_result_t *why);

/* What a run of records adds to one talk. */
typedef struct {
    const char *talk_id;
    int64_t added[RATINGS_VALUES];
} ratings_increment_t;

/* The last use of an idempotency key, as a run of records leaves it. */
typedef struct {
    const char *talk_id, *key;
    ratings_use_t use;
    bool changed; /* an event of the run was counted with it */
} ratings_keyed_t;

/* A run of records of one partition, folded. */
typedef struct {
    const char *generation; /* what the store must be of */
    int partition;
    int64_t position;            /* where the store must stand */
    int64_t next;                /* where it stands after */
    int64_t time;                /* of the log, after */
    ratings_fingerprint_t last;  /* the last record that the store must have applied */
    ratings_fingerprint_t mark;  /* the last one after */
    ratings_fingerprint_t first; /* RATINGS_FINGERPRINT_NONE: the store knows it already */
    const ratings_increment_t *const *increments;
    int count;
    ratings_keyed_t *const *keyed;
    int keyed_count;
} ratings_chunk_t;

/* Ends of a conditional write. */
typedef enum {
    RATINGS_STORE_DONE,
    RATINGS_STORE_MOVED,  /* the store is not where it was thought: load it again */
    RATINGS_STORE_CORRUPT /* a key is not what we write: the store must be rebuilt */
} ratings_store_end_e;

/* Fills in the last use of each key of the chunk, if the store stands at its position. */
apr_status_t ratings_store_load_uses(ratings_store_t *store, ratings_chunk_t *chunk,
                                     ratings_store_end_e *end, ratings_result_t *why);

#define RATINGS_APPLY_MAX 16

/* Adds chunks of different partitions in one exchange, at most RATINGS_APPLY_MAX: of each its
 * counts, keys, position and marks together, if the store stands at its position and has applied
 * the record before it last. `ends[i]` is that of `chunks[i]`. On a failure DONE is still true,
 * while any other may have been added or not. Meanwhile Redis answers nobody else: many large ones
 * are better sent one by one. */
apr_status_t ratings_store_apply(ratings_store_t *store, const ratings_chunk_t *const *chunks,
                                 int count, ratings_store_end_e *ends, ratings_result_t *why);

/* Position 0 for the partitions from log->positions up to `to`, which the topic was given later. */
apr_status_t ratings_store_extend(ratings_store_t *store, const ratings_log_t *log, int to,
                                  ratings_store_end_e *end, ratings_result_t *why);

/* Talks are routed by `partitions`, as the record at `offset` of partition 0 says. MOVED also when
 * the store says another record than in `log`. */
apr_status_t ratings_store_route(ratings_store_t *store, const ratings_log_t *log, int partitions,
                                 int64_t offset, ratings_store_end_e *end, ratings_result_t *why);

/* Moves the position of a partition on to `next`, as the log has no record before that; the store
 * must not have applied any. */
apr_status_t ratings_store_pass(ratings_store_t *store, const ratings_log_t *log, int partition,
                                int64_t next, ratings_store_end_e *end, ratings_result_t *why);

/* A rebuild: claim it (from then on nothing is applied; it fails, and nothing is changed, if Redis
 * refuses a command that the rebuild or projecting takes), delete the talks' keys while the claim
 * holds, step by step, then open the store with all positions 0. Each step is MOVED when somebody
 * else has claimed it since, or when the store has gone back behind a step (restored, failed over):
 * the store counts them. */
typedef struct {
    char token[RATINGS_TOKEN_MAX + 1]; /* of the claim, random */
    char cursor[32];                   /* "0" when all is deleted */
    int64_t steps, deleted;            /* so far */
} ratings_sweep_t;

apr_status_t ratings_store_claim(ratings_store_t *store, const ratings_log_t *seen,
                                 const ratings_sweep_t *sweep, ratings_store_end_e *end,
                                 ratings_result_t *why);
apr_status_t ratings_store_sweep(ratings_store_t *store, ratings_sweep_t *sweep,
                                 ratings_store_end_e *end, ratings_result_t *why);
/* `routed` 0: it is not known yet. `empty[p]`: the log of partition p never had a record. Unless
 * all are empty, the store is behind until ratings_store_caught_up. */
apr_status_t ratings_store_open(ratings_store_t *store, const ratings_sweep_t *sweep,
                                const char *topic, int partitions, int routed, const bool *empty,
                                ratings_store_end_e *end, ratings_result_t *why);

/* All that the log held when the store was opened is applied: it may be shown from now on. */
apr_status_t ratings_store_caught_up(ratings_store_t *store, const char *generation,
                                     ratings_store_end_e *end, ratings_result_t *why);

/* Tells whoever projects that the store of this generation must be rebuilt, and why. */
apr_status_t ratings_store_accuse(ratings_store_t *store, const char *generation, int reason,
                                  ratings_store_end_e *end, ratings_result_t *why);

/* One that is to last longer is no lease. */
#define RATINGS_LEASE_MAX_S 60

/* The lease: takes or renews it for `token` (at most RATINGS_TOKEN_MAX bytes). `*held` tells
 * whether it is ours now; `holder` (RATINGS_TOKEN_MAX + 1 bytes) whose it is. */
apr_status_t ratings_store_lease(ratings_store_t *store, const char *token,
                                 apr_interval_time_t lease, bool *held, char *holder,
                                 ratings_result_t *why);
/* Gives it up if it is `token`'s; by `deadline` (of ratings_monotonic) at the latest. */
apr_status_t ratings_store_release(ratings_store_t *store, const char *token, int64_t deadline,
                                   ratings_result_t *why);

#endif
