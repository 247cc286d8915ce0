/* The read model in Redis (hiredis). It can be thrown away and rebuilt from the log.
 *
 *   ratings/ID        hash: fields 1..5, the counts of a talk; and once it has had a voter,
 *                     anonymous: how many of these ratings are. All others are in the next key
 *   ratings:voters/ID hash: for each voter with a rating of the talk, its value (store_voter_field)
 *   ratings:log       hash: topic; partitions (by which talks are routed; 0: not known yet, while
 *                     the store is behind, or has applied nothing); routing (offset of the record
 *                     in partition 0 that says so); positions (how many partitions have one);
 *                     generation (of the rebuild that made it); claim and swept (of the rebuild
 *                     under way, and its steps so far; then there is no generation); behind (1:
 *                     what the log held when the rebuild began is not all applied yet); suspect
 *                     (a rebuild request: ratings_rebuild_request_e); for each partition N
 *                     position:N (its checkpoint), mark:N and first:N (fingerprints of the last and
 *                     the first record applied, "offset:timestamp:checksum", or "empty"), time:N
 *                     (the log's time, milliseconds), uses:N ("checkpoint:count": how many
 *                     fields ratings:keys:N had at that checkpoint), voters:N (the checkpoint up to
 *                     which events of voters are counted as such), barred:N (how many fields
 *                     ratings:barred:N has; absent: it never had one) and tickets:N
 *                     ("checkpoint:count": how many fields ratings:tickets:N had at that
 *                     checkpoint); electorate (the one that stands, and the record that says so:
 *                     "offset:timestamp:name")
 *   ratings:keys:N    hash: for each idempotency key that holds, "value:expires:offset" of the
 *                     event last counted with it; its field is a digest of talk, voter and key
 *   ratings:expiry:N  sorted set: those fields, scored by when they expire
 *   ratings:barred:N  hash: the voters that are barred in the partition, each "1"; the field is the
 *                     hash in hexadecimal
 *   ratings:tickets:N hash: for each life of which tickets have counted in the partition, in
 *                     hexadecimal, its window (ratings_ticket_window_pack)
 *   ratings:top       sorted set, where talks are ranked: talks with a rating, by their scores
 *                     (../../core/ranking.h); of these ratings:log says ranking (the prior),
 *                     ranked (how many they are), rerank (while not all are as their counts say:
 *                     how far rank.lua has come) and ranked:N (the checkpoint up to which they
 *                     are). What of it is not so leads to a new ranking, never to a rebuild
 *   ratings:projector string: the lease
 *
 * A ratings:log that is not so must be rebuilt: ratings_store_load_state decides it, for everybody.
 * Fields of other names mean nothing: a newer version may have added them. A field that an older
 * version does not write (positions, uses:N) is added with the next write. One that knows no
 * voters counts each of their events as an anonymous rating: it leaves voters:N behind, and the
 * next event of a voter then leads to a rebuild. One that knows no tickets leaves tickets:N behind:
 * if there was any, or one comes among what that version may have applied, the store is rebuilt.
 *
 * The invariant: a talk's counts are the fold of the log up to the checkpoint. Whatever changes
 * both is one script (*.lua in this folder), which Redis runs whole or not at all
 * (https://redis.io/docs/latest/develop/programmability/eval-intro/).
 *
 * Threads: any thread may make any call at any time; each call has a connection of the pool to
 * itself. Times: a call ends by the timeout of create, and by its `deadline` (microseconds, of
 * ratings_monotonic) where it has one. Errors: `why` carries status, reason and fault
 * (ratings_store_fault_e) of a call that failed; RATINGS_NOT_ASKED when Redis was not to blame,
 * since it was not asked. Nothing is logged here. */
#ifndef RATINGS_STORE_H
#define RATINGS_STORE_H

#include "../../core/bar_record.h"
#include "../../core/electorate.h"
#include "../../core/histogram.h"
#include "../../core/idempotency.h"
#include "../../core/ranking.h"
#include "../../core/ticket_window.h"
#include "../../core/tls.h"
#include "../../core/voter_set.h"
#include "../common/log_record.h"
#include "../common/pool.h"

#include <apr_pools.h>
#include <apr_time.h>

#include <stdatomic.h>
#include <stdbool.h>

typedef struct ratings_store_t ratings_store_t;

typedef struct {
    const char *url;             /* of ../../core/redis_url.h */
    int connections_max;         /* >= 1 */
    apr_interval_time_t timeout; /* microseconds, of a whole call */
    _Atomic int64_t
        *retired_at; /* see ratings_store_retire: of all stores that share it; or NULL */
    ratings_pool_usage_t *usage;      /* of the connections, until destroy; NULL: nobody watches */
    const ratings_tls_context_t *tls; /* for a url of TLS, and until destroy; else ignored */
} ratings_store_options_t;

/* NULL if `url` can be used, else what is wrong with it (static). */
const char *ratings_store_url_problem(const char *url);

/* The same of the settings of TLS: the authorities, the certificate or its key, and the name. */
const char *ratings_store_ca_problem(const char *ca);
const char *ratings_store_file_problem(const char *path);
const char *ratings_store_name_problem(const char *name);

/* Whether a url without a problem wants TLS. */
bool ratings_store_url_has_tls(const char *url);

/* Makes the store, without connecting. `*options` is copied. To be called once threads may start
 * (child_init or later). */
apr_status_t ratings_store_create(ratings_store_t **store, const ratings_store_options_t *options,
                                  ratings_result_t *why);

/* Cancels all calls, under way and to come: they fail at once. Any thread. */
void ratings_store_cancel(ratings_store_t *store);

/* Closes the connections and frees the store; no call may be under way. */
void ratings_store_destroy(ratings_store_t *store);

/* Connections that were opened before `before` (of ratings_monotonic) are closed rather than used
 * again, in all stores that share `retired_at`: the address may lead to another server by now, as
 * after a failover behind a name or a proxy. Calls do so by themselves when a server says that it
 * is a replica. Any thread. */
void ratings_store_retire(ratings_store_t *store, int64_t before);

/* ---- what is wrong with a store ---- */

/* The `fault` of a result: of every call that failed, some of these. */
typedef enum {
    RATINGS_STORE_HEALTHY,
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
    RATINGS_STORE_UNTRUSTED,      /* of TLS: its certificate is refused */
    RATINGS_STORE_WITHOUT_TLS,    /* it speaks none */
    RATINGS_STORE_REFUSES_CLIENT, /* the client's certificate, or wants one */
    RATINGS_STORE_NOT_REDIS,
    RATINGS_STORE_DENIED /* a command or a key, to the service's user; beyond: which */
} ratings_store_fault_e;

/* What is wrong and what to do (static, fit for a client); NULL for RATINGS_STORE_HEALTHY, and for
 * a number that is none of them. */
const char *ratings_store_fault_text(int fault);

/* ---- records that were applied ---- */

/* A record's fingerprint: a record of the log that has the same is the one that was applied. */
typedef struct {
    int64_t offset;    /* or RATINGS_FINGERPRINT_NONE, RATINGS_FINGERPRINT_EMPTY */
    int64_t timestamp; /* of the record, milliseconds since 1970; -1: it has none */
    uint32_t checksum; /* of key and value: ratings_event_checksum */
} ratings_fingerprint_t;

#define RATINGS_FINGERPRINT_NONE (-1)  /* the store does not say */
#define RATINGS_FINGERPRINT_EMPTY (-2) /* of the first record: the log had none */

/* A log's identity, from the first record that was applied of it: 0 if that is not known,
 * RATINGS_LOG_ID_EMPTY if the log had none. Two logs have the same by a chance of one in 65,000. */
#define RATINGS_LOG_ID_EMPTY 1
uint16_t ratings_log_id(const ratings_fingerprint_t *first);

/* ---- for requests ---- */

/* A talk's counts, and what part of which log they are the fold of: read in one atomic step. */
typedef struct {
    ratings_histogram_t histogram;
    int64_t checkpoint; /* of the talk's partition; -1: none (the store is new, lost or rebuilt) */
    uint16_t log_id;    /* of the log that it was folded from */
    bool is_behind;     /* a rebuild is under way: counts may be those of a part of the log */
} ratings_snapshot_t;

/* RATINGS_REBUILD_NEEDED: the key is not the hash that the module writes. */
apr_status_t ratings_store_read(ratings_store_t *store, const char *talk_id, int partition,
                                int64_t deadline, ratings_snapshot_t *snapshot,
                                ratings_result_t *why);

/* The same, and the voter's own rating of the talk: `*value` is RATINGS_VALUE_NONE if there is
 * none. RATINGS_REBUILD_NEEDED also if voters and anonymous ratings are not the sum of the counts.
 */
apr_status_t ratings_store_read_vote(ratings_store_t *store, const char *talk_id,
                                     const ratings_voter_t *voter, int partition, int64_t deadline,
                                     ratings_snapshot_t *snapshot, int *value,
                                     ratings_result_t *why);

/* A talk among others, and what is read of it. */
typedef struct {
    const char *talk_id;
    int partition;
    ratings_snapshot_t snapshot;
} ratings_store_talk_t;

/* The same as ratings_store_read of each of `count` talks (1 to RATINGS_STORE_READ_MAX), all of
 * them in one atomic step. */
#define RATINGS_STORE_READ_MAX 100
apr_status_t ratings_store_read_many(ratings_store_t *store, ratings_store_talk_t *talks, int count,
                                     int64_t deadline, ratings_result_t *why);

/* The ranking: tells each talk of the highest RATINGS_RANKED_MAX scores, in no order. As far as
 * talks are ranked yet: not all are, while a new ranking is made. RATINGS_REBUILD_NEEDED: the key
 * is no ranking. APR_EAGAIN: a rebuild is under way. */
#define RATINGS_RANKED_MAX 20000
typedef void ratings_store_tell_fn(void *data, const char *talk_id, double score);
apr_status_t ratings_store_read_top(ratings_store_t *store, int64_t deadline,
                                    ratings_store_tell_fn *tell, void *data, ratings_result_t *why);

/* An idempotency key as it was used: of a talk, by a voter or by somebody anonymous (NULL). */
typedef struct {
    const char *talk_id;
    const ratings_voter_t *voter;
    const char *text;
} ratings_store_key_t;

/* The event last counted with an idempotency key, and the checkpoint at which that holds, -1 if
 * there is none. RATINGS_REBUILD_NEEDED: as above. */
apr_status_t ratings_store_read_use(ratings_store_t *store, const ratings_store_key_t *key,
                                    int partition, int64_t deadline, ratings_use_t *use,
                                    int64_t *checkpoint, ratings_result_t *why);

/* Whether the voter is barred in the partition, and the checkpoint at which that holds, -1 if there
 * is none. RATINGS_REBUILD_NEEDED: as above. */
apr_status_t ratings_store_read_barred(ratings_store_t *store, const ratings_voter_t *voter,
                                       int partition, int64_t deadline, bool *is_barred,
                                       int64_t *checkpoint, ratings_result_t *why);

/* Whether the store can be written and keeps what it is given. `*fault`: what makes it unfit
 * although it answers: it evicts, it is full, it is a replica, a node of a cluster. */
apr_status_t ratings_store_check(ratings_store_t *store, int64_t deadline,
                                 ratings_store_fault_e *fault, ratings_result_t *why);

/* ---- for the projector: what the store says of the log ---- */

#define RATINGS_TOKEN_MAX 64

/* The electorate that stands, as a record of the log says. */
typedef struct {
    ratings_electorate_t electorate; /* none: the log has said of none up to the checkpoint */
    int64_t offset;                  /* of the record; -1: none */
    int64_t timestamp;               /* of the record, milliseconds since 1970; -1: it has none */
} ratings_standing_t;

#define RATINGS_DIGEST_SIZE 41 /* SHA-1 in hexadecimal */

/* What ratings:log says. The comment begins with the name of a field that the member does not have.
 * About 80 KB: keep it off small stacks. */
typedef struct {
    const char *problem; /* why the store must be rebuilt, whatever the log holds (static), or NULL:
                            then all that follows is as this module writes it */
    char topic[RATINGS_TOPIC_MAX + 1];
    char generation[RATINGS_TOKEN_MAX + 1]; /* "" : none, so is `claim` */
    char claim[RATINGS_TOKEN_MAX + 1];
    char digest[2][RATINGS_DIGEST_SIZE]; /* of generation and claim, whatever they are */
    bool is_behind;                      /* since the rebuild not all was applied yet */
    int rebuild_request;                 /* `suspect`: ratings_rebuild_request_e; 0: none */
    int routing_partitions;              /* `partitions`: by which talks are routed; 0: unknown */
    int64_t routing_offset;              /* `routing`: of the record that says so; -1: unknown */
    int checkpoint_count; /* `positions`: partitions that have a checkpoint, the first ones */
    int64_t checkpoint[RATINGS_PARTITIONS_MAX];         /* `position:N`; -1: absent */
    ratings_fingerprint_t last[RATINGS_PARTITIONS_MAX]; /* `mark:N`: the record applied last */
    ratings_fingerprint_t first[RATINGS_PARTITIONS_MAX];
    int64_t log_time[RATINGS_PARTITIONS_MAX];   /* `time:N`, ms; 0: no record with an append time */
    int64_t voters_to[RATINGS_PARTITIONS_MAX];  /* `voters:N`; -1: absent */
    int64_t barred[RATINGS_PARTITIONS_MAX];     /* how many voters are */
    int64_t lives[RATINGS_PARTITIONS_MAX];      /* `tickets:N`: how many have windows */
    int64_t tickets_to[RATINGS_PARTITIONS_MAX]; /* the same: at which checkpoint; -1: absent */
    ratings_standing_t standing;                /* `electorate` */

    char ranking[RATINGS_PRIOR_TEXT_SIZE]; /* the prior by which talks are ranked; "": they are not
                                            */
    bool is_ranked; /* each talk has the place in ratings:top that its counts give it */
    bool reranks; /* `rerank` is there; so it is with the next two, by which is_ranked is decided */
    int64_t ranked;                            /* -1: absent */
    int64_t ranked_to[RATINGS_PARTITIONS_MAX]; /* `ranked:N`; -1: absent */
} ratings_store_state_t;

/* The one place that decides whether what the store says of itself can be. APR_SUCCESS also if
 * there is a problem. */
apr_status_t ratings_store_load_state(ratings_store_t *store, int64_t deadline,
                                      ratings_store_state_t *state, ratings_result_t *why);

/* Result of a compare-and-set: a write that is conditional on what the store says of itself. */
typedef enum {
    RATINGS_CAS_APPLIED,
    RATINGS_CAS_CONFLICT, /* nothing was written: somebody else wrote before. Load the state again
                           */
    RATINGS_CAS_CORRUPT   /* a key is not what this module writes: the store must be rebuilt */
} ratings_cas_e;

/* The voters that are barred in a partition: reads as many as the state says into the set, which is
 * the caller's, and empty. */
apr_status_t ratings_store_load_barred(ratings_store_t *store, const ratings_store_state_t *state,
                                       int partition, ratings_voter_set_t *barred,
                                       ratings_cas_e *result, ratings_result_t *why);

/* The same of the windows of tickets. */
apr_status_t ratings_store_load_tickets(ratings_store_t *store, const ratings_store_state_t *state,
                                        int partition, ratings_ticket_windows_t *tickets,
                                        ratings_cas_e *result, ratings_result_t *why);

/* ---- for the projector: applying events ---- */

/* What a voter's rating of a talk becomes by a batch. */
typedef struct {
    ratings_voter_t voter;
    int64_t offset; /* of the event that says so, the voter's last one that counts */
    int value;      /* RATINGS_VALUE_NONE: it is withdrawn */
    uint32_t talk;  /* of use to who makes the batch alone */
} ratings_vote_t;

/* What a batch adds to one talk, and its votes, one of each voter. */
typedef struct {
    const char *talk_id;
    int64_t added[RATINGS_VALUES]; /* anonymous ratings */
    const ratings_vote_t *votes;
    int vote_count;
} ratings_increment_t;

/* The last use of an idempotency key, as a batch leaves it. */
typedef struct {
    ratings_store_key_t key;
    ratings_use_t use;
    bool changed; /* an event of the batch was counted with it */
} ratings_key_use_t;

/* Consecutive records of one partition, folded; and room for what the store replies. */
typedef struct {
    const char *generation; /* the store's must be this one */
    int partition;
    int64_t checkpoint;             /* the store's must be this one */
    int64_t next_checkpoint;        /* once the batch is applied; so the next four */
    int64_t log_time;               /* milliseconds */
    ratings_fingerprint_t previous; /* the record that the store must have applied last */
    ratings_fingerprint_t last;     /* of the batch */
    ratings_fingerprint_t first;    /* of the log; RATINGS_FINGERPRINT_NONE: the store has it */
    const ratings_increment_t *const *increments;
    int increment_count, voted_count; /* of these, with votes */
    ratings_key_use_t *const *uses;
    int use_count;
    int64_t barred; /* the number of barred voters that the store must have */
    const ratings_bar_t *bars;
    int bar_count; /* in the order of the log */
    int64_t lives; /* the number of windows of tickets that the store must have */
    const ratings_ticket_window_t *windows; /* those that the batch changes, as they are after it */
    const uint64_t *forgotten;              /* lives that lose theirs, unless it is among these */
    int window_count, forgotten_count;
    ratings_standing_t standing; /* the electorate that stands after it; none: as before it */
    ratings_histogram_t *counts; /* of ratings_store_apply: becomes the talks' counts after the
                                  * batch, in the order of the increments; NULL: not asked for */
} ratings_batch_t;

/* Fills in the last use of each key of the batch, if the store is at the batch's checkpoint. */
apr_status_t ratings_store_load_uses(ratings_store_t *store, ratings_batch_t *batch,
                                     ratings_cas_e *result, ratings_result_t *why);

#define RATINGS_APPLY_MAX 16

/* Applies batches of different partitions in one exchange, at most RATINGS_APPLY_MAX: of each its
 * counts, uses, bars, checkpoint and fingerprints together, if the store is at the batch's
 * checkpoint and has applied the record before it last. `results[i]` is that of `batches[i]`; if it
 * is APPLIED, the batch's `counts` are set. On a failure APPLIED is still true, while any other may
 * have been applied or not. Redis answers nobody else meanwhile: many large batches are better sent
 * one by one. */
apr_status_t ratings_store_apply(ratings_store_t *store, const ratings_batch_t *const *batches,
                                 int count, ratings_cas_e *results, ratings_result_t *why);

/* The same of one batch of any size, in parts, between which Redis answers others: from `*fill` =
 * {.batch, .token = random, .part_size} until is_complete. While the store is being rebuilt, and if
 * none of the batch's voters has a rating of its talk: votes are not looked up. From the first part
 * to the last the store has no generation, so that nothing else can be written; CONFLICT also when
 * somebody else has written, or the store has gone back, since the part before. A fill that is
 * broken off leaves a store that says that a rebuild was not finished. */
typedef struct {
    const ratings_batch_t *batch;
    char token[RATINGS_TOKEN_MAX + 1];
    int part_size;  /* votes; a talk is as much as RATINGS_FILL_TALK of them, and more must fit */
    int64_t parts;  /* that were written */
    int talk, vote; /* where the next one begins: an increment, and a vote of it */
    bool is_complete;
} ratings_fill_t;

#define RATINGS_FILL_TALK 5
#define RATINGS_FILL_PART 8000 /* some ten milliseconds of Redis */

apr_status_t ratings_store_fill(ratings_store_t *store, ratings_fill_t *fill, ratings_cas_e *result,
                                ratings_result_t *why);

/* Checkpoint 0 for the partitions from state->checkpoint_count up to `to`, which the topic was
 * given later. */
apr_status_t ratings_store_add_partitions(ratings_store_t *store,
                                          const ratings_store_state_t *state, int to,
                                          ratings_cas_e *result, ratings_result_t *why);

/* Talks are routed by `partitions`, as the record at `offset` of partition 0 says. CONFLICT also
 * when the store names another record than `state`. */
apr_status_t ratings_store_set_routing(ratings_store_t *store, const ratings_store_state_t *state,
                                       int partitions, int64_t offset, ratings_cas_e *result,
                                       ratings_result_t *why);

/* Advances the checkpoint of a partition to `next`, as the log has no record before that; the store
 * must not have applied any. */
apr_status_t ratings_store_advance(ratings_store_t *store, const ratings_store_state_t *state,
                                   int partition, int64_t next, ratings_cas_e *result,
                                   ratings_result_t *why);

/* ---- for the projector: the ranking ---- */

/* Ranks talks by `prior` from now on, or no more where that is "": ratings:top is deleted. Each
 * batch ranks its own talks then; those that have counts already need ratings_store_rank. */
apr_status_t ratings_store_set_ranking(ratings_store_t *store, const char *generation,
                                       const char *prior, ratings_cas_e *result,
                                       ratings_result_t *why);

/* Ranks the next few hundred talks of the store. CONFLICT: all are ranked, or the store is of
 * another generation. Any number of projectors may do it at the same time, between their batches:
 * the store counts the steps. */
apr_status_t ratings_store_rank(ratings_store_t *store, const char *generation,
                                ratings_cas_e *result, ratings_result_t *why);

/* ---- for the projector: a rebuild ---- */

/* Claim the store (from then on no batch is applied; it fails, and nothing is changed, if Redis
 * refuses a command that the rebuild or projecting takes), delete the talks' keys while the claim
 * holds, step by step, then open the store with all checkpoints 0. Each step is CONFLICT when
 * somebody else has claimed it since, or when the store has gone back behind a step (restored,
 * failed over): the store counts them. */
typedef struct {
    char token[RATINGS_TOKEN_MAX + 1]; /* of the claim, random; the generation once it is open */
    char cursor[32];                   /* "0" at first, and when all is deleted */
    int64_t steps, deleted;            /* so far; talks deleted */
} ratings_sweep_t;

apr_status_t ratings_store_claim(ratings_store_t *store, const ratings_store_state_t *seen,
                                 const ratings_sweep_t *sweep, ratings_cas_e *result,
                                 ratings_result_t *why);
apr_status_t ratings_store_sweep(ratings_store_t *store, ratings_sweep_t *sweep,
                                 ratings_cas_e *result, ratings_result_t *why);
/* `routing_partitions` 0: it is not known yet. `empty[p]`: the log of partition p never had a
 * record. Unless all are empty, the store is behind until ratings_store_caught_up. */
apr_status_t ratings_store_open(ratings_store_t *store, const ratings_sweep_t *sweep,
                                const char *topic, int partitions, int routing_partitions,
                                const bool *empty, ratings_cas_e *result, ratings_result_t *why);

/* All that the log held when the store was opened is applied: requests may read it from now on. */
apr_status_t ratings_store_caught_up(ratings_store_t *store, const char *generation,
                                     ratings_cas_e *result, ratings_result_t *why);

/* Asks whoever projects, maybe on another host, to rebuild the store of this generation. */
apr_status_t ratings_store_request_rebuild(ratings_store_t *store, const char *generation,
                                           int reason, ratings_cas_e *result,
                                           ratings_result_t *why);

/* ---- for the projector: the lease ---- */

#define RATINGS_LEASE_MAX_S 60 /* what would last longer is no lease, and is replaced */

/* Takes or renews the lease for `token` (at most RATINGS_TOKEN_MAX bytes), for `lease`
 * microseconds. One whose token begins with `host` is taken over; "": none is. `*held` tells
 * whether it is ours now; `holder` (RATINGS_TOKEN_MAX + 1 bytes) whose it is. */
apr_status_t ratings_store_acquire_lease(ratings_store_t *store, const char *token,
                                         const char *host, apr_interval_time_t lease, bool *held,
                                         char *holder, ratings_result_t *why);

/* Gives it up if it is `token`'s; by `deadline` (of ratings_monotonic) at the latest. */
apr_status_t ratings_store_release_lease(ratings_store_t *store, const char *token,
                                         int64_t deadline, ratings_result_t *why);

#endif
