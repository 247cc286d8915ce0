/* Private to the store: the values of its fields, as they are written and read, and the shapes of
 * Redis's replies. Pure functions. A reply's members are looked at only after its type, since
 * hiredis leaves those of other types undefined
 * (https://redis.io/docs/latest/develop/reference/protocol-spec/). */
#ifndef RATINGS_STORE_VALUE_H
#define RATINGS_STORE_VALUE_H

#include "store.h"

#include <hiredis/hiredis.h>

#define STORE_COUNT_MAX INT64_C(999999999999999)      /* what apply.lua takes: 15 digits */
#define STORE_CHECKPOINT_MAX ((INT64_C(1) << 48) - 1) /* what one word of ratings_shm_t takes */

bool store_is_text(const redisReply *reply);
bool store_is_array(const redisReply *reply, size_t elements);

/* A number of 0..max without leading zeros, or `absent` for a nil. False: it is neither. */
bool store_read_number(const redisReply *reply, int64_t absent, int64_t max, int64_t *out);

#define STORE_VALUE_SIZE 80 /* three numbers, or two and a name; two colons and the end */

/* "offset:timestamp:checksum", or "empty". */
bool store_read_fingerprint(const redisReply *reply, ratings_fingerprint_t *fingerprint);
/* "" for none. */
void store_print_fingerprint(char text[STORE_VALUE_SIZE], const ratings_fingerprint_t *fingerprint);

/* "offset:timestamp:name"; "" for none. */
bool store_read_standing(const redisReply *reply, ratings_standing_t *standing);
void store_print_standing(char text[STORE_VALUE_SIZE], const ratings_standing_t *standing);

/* "value:expires:offset"; a nil is no use (offset -1). */
bool store_read_use(const redisReply *reply, ratings_use_t *use);
void store_print_use(char text[STORE_VALUE_SIZE], const ratings_use_t *use);

#endif
