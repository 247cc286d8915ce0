/* The read model in Redis, read and repaired with hiredis (its keys: ../backend/store/store.h). One
 * thread, one connection, which is made when it is needed. Every wait (for the connection, for an
 * answer) ends by the timeout. A function that returns bool returns false, and the reason, when
 * Redis could not be asked. */
#ifndef RATINGS_AUDIT_STORE_H
#define RATINGS_AUDIT_STORE_H

#include "../core/tls.h"
#include "audit_failure.h"
#include "audit_fold.h"

typedef struct audit_store_t audit_store_t;

/* Does not connect. `url` must be valid; `tls`, of which no file is read yet, is for a url of TLS.
 * Both must live as long as the store. NULL: memory ran out. */
audit_store_t *audit_store_new(const char *url, const ratings_tls_settings_t *tls, int timeout_ms);
void audit_store_free(audit_store_t *store); /* NULL is allowed */

/* Closes the connection, for a time in which it would be idle. */
void audit_store_disconnect(audit_store_t *store);

#define AUDIT_FIELD_MAX 71 /* three decimal numbers and two colons fit */

/* The voters that are barred in a partition. */
typedef struct {
    int64_t said;           /* how many, by ratings:log; -1: no number */
    ratings_voter_t *voter; /* `count` of them; -1: their key is not what the service writes */
    int64_t count;
} audit_found_bars_t;

#define AUDIT_ELECTORATE_MAX 79 /* two decimal numbers, two colons and a name fit */

/* What ratings:log says, and who is barred. Texts are "" where it says nothing, cut where it holds
 * something far too long, and made printable, which those of the service are. */
typedef struct {
    bool present;
    char topic[256], generation[256], claim[256];
    int64_t routing_partitions; /* by which talks are routed; -1: absent or no number */
    bool behind;    /* it is being rebuilt: what the log held then is not all applied yet */
    bool requested; /* a rebuild is */
    bool beyond;    /* it has a checkpoint for a partition more than was asked for */
    char ranking[RATINGS_PRIOR_TEXT_SIZE]; /* the prior by which talks are ranked; "": they are not
                                            */
    bool reranks;                          /* a new ranking is under way */
    char electorate[AUDIT_ELECTORATE_MAX + 1]; /* "offset:timestamp:name" */
    int partitions;
    int64_t *checkpoint;        /* 0 where absent */
    audit_found_bars_t *barred; /* of each partition, as it was when no talks were read */
    char (*last)[AUDIT_FIELD_MAX + 1], (*first)[AUDIT_FIELD_MAX + 1], (*time)[AUDIT_FIELD_MAX + 1];
} audit_state_t;

/* Room for what ratings:log says of that many partitions; to be freed in any case. False: memory
 * ran out. */
bool audit_state_init(audit_state_t *state, int partitions);
void audit_state_free(audit_state_t *state);

/* Reads the log's state and `count` talks, into their `found`, in one atomic step; or, with no
 * talks, the state and who is barred. */
bool audit_store_read(audit_store_t *store, audit_state_t *state, audit_talk_t *const *talks,
                      size_t count, audit_failure_t *why);

/* The projector's lease. */
typedef struct {
    char token[65]; /* of its holder; "" : nobody holds it */
    int64_t ttl_ms; /* how long it lasts unless it is renewed */
} audit_lease_t;

bool audit_store_lease(audit_store_t *store, audit_lease_t *lease, audit_failure_t *why);

/* Adds each talk that has a key, of counts or of voters, to the fold; and each that is ranked, for
 * the second. */
bool audit_store_scan(audit_store_t *store, audit_fold_t *fold, audit_failure_t *why);
bool audit_store_scan_ranked(audit_store_t *store, audit_fold_t *fold, audit_failure_t *why);

/* Result of a compare-and-set. */
typedef enum {
    AUDIT_CAS_APPLIED,
    AUDIT_CAS_CONFLICT, /* the store has other checkpoints by now */
    AUDIT_CAS_REBUILT   /* it is, or was, being rebuilt */
} audit_cas_e;

/* What the store must be: of which generation, by which prior it ranks talks, and at which
 * checkpoint in `count` partitions. */
typedef struct {
    const char *generation;
    const char *ranking; /* as in audit_state_t */
    const int *partitions;
    const int64_t *checkpoints;
    int count;
} audit_precondition_t;

/* Gives a talk these counts (its key goes when they are all 0), and the votes of where the fold is,
 * if the store is that. */
bool audit_store_repair(audit_store_t *store, const audit_precondition_t *precondition,
                        const audit_talk_t *talk, const ratings_histogram_t *counts,
                        audit_cas_e *result, audit_failure_t *why);

/* Asks the service to rebuild the store of this generation. `*requested`: it is still that. */
bool audit_store_request_rebuild(audit_store_t *store, const char *generation, bool *requested,
                                 audit_failure_t *why);

#endif
