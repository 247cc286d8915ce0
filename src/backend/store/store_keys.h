/* Private to the store: the names of keys and of fields (store.h has the list). Pure functions. */
#ifndef RATINGS_STORE_KEYS_H
#define RATINGS_STORE_KEYS_H

#include "../../core/rating.h"

#define STORE_KEY_LOG "ratings:log"
#define STORE_KEY_LEASE "ratings:projector"
#define STORE_KEY_USES "ratings:keys" /* with ":N" after them, N a partition: see store_field */
#define STORE_KEY_EXPIRY "ratings:expiry"
#define STORE_KEY_TALK "ratings/" /* with a talk's id after it */
#define STORE_KEY_TALK_MAX (sizeof STORE_KEY_TALK - 1 + RATINGS_TALK_ID_MAX)

#define STORE_FIELD_SIZE 32     /* "position:1023" and the like, with its end */
#define STORE_USE_FIELD_SIZE 21 /* a digest of talk and idempotency key, with its end */

/* The key of a talk's counts. */
void store_talk_key(char key[STORE_KEY_TALK_MAX + 1], const char *talk_id);

/* "name:partition" */
void store_field(char field[STORE_FIELD_SIZE], const char *name, int partition);

/* The field in which the use of an idempotency key is kept. A digest, so that a key takes the same
 * little memory however long it is. */
void store_use_field(char field[STORE_USE_FIELD_SIZE], const char *talk_id, const char *key);

#endif
