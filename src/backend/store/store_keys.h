/* Private to the store: the names of keys and of fields (store.h has the list). Pure functions. */
#ifndef RATINGS_STORE_KEYS_H
#define RATINGS_STORE_KEYS_H

#include "../../core/rating.h"
#include "../../core/voter.h"

#define STORE_KEY_LOG "ratings:log"
#define STORE_KEY_LEASE "ratings:projector"
#define STORE_KEY_USES "ratings:keys" /* with ":N" after them, N a partition: see store_field */
#define STORE_KEY_EXPIRY "ratings:expiry"
#define STORE_KEY_BARRED "ratings:barred"
#define STORE_KEY_TICKETS "ratings:tickets"
#define STORE_KEY_TOP "ratings:top"
#define STORE_KEY_TALK "ratings/"          /* with a talk's id after it */
#define STORE_KEY_VOTERS "ratings:voters/" /* the same */
#define STORE_KEY_TALK_MAX (sizeof STORE_KEY_TALK - 1 + RATINGS_TALK_ID_MAX)

#define STORE_FIELD_SIZE 32     /* "position:1023" and the like, with its end */
#define STORE_USE_FIELD_SIZE 21 /* a digest of talk and idempotency key, with its end */

#define STORE_KEY_VOTERS_MAX (sizeof STORE_KEY_VOTERS - 1 + RATINGS_TALK_ID_MAX)

/* The key of a talk's counts, and that of its voters. */
void store_talk_key(char key[STORE_KEY_TALK_MAX + 1], const char *talk_id);
void store_voters_key(char key[STORE_KEY_VOTERS_MAX + 1], const char *talk_id);

/* The field in which a voter's rating is kept: the hash, its last two bytes xor the partition. Each
 * partition is folded by itself: were a talk's events in two, the voter would have one rating in
 * each, as nothing orders events of two partitions in the same way in every rebuild. */
void store_voter_field(char field[RATINGS_VOTER_SIZE], const ratings_voter_t *voter, int partition);

/* "name:partition" */
void store_field(char field[STORE_FIELD_SIZE], const char *name, int partition);

/* The field in which the use of an idempotency key is kept: each voter has keys of its own, and so
 * have all who are anonymous (NULL). A digest, so that a key takes the same little memory however
 * long it is. */
void store_use_field(char field[STORE_USE_FIELD_SIZE], const char *talk_id,
                     const ratings_voter_t *voter, const char *key);

#endif
