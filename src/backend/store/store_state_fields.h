/* Private to the store: the fields of ratings:log, read one by one. Pure functions. */
#ifndef RATINGS_STORE_STATE_FIELDS_H
#define RATINGS_STORE_STATE_FIELDS_H

#include "store.h"
#include "store_script.h"

/* The most fields that ratings:log can have, and as many again that a newer version may have added;
 * and the most bytes of fields and values. */
#define STORE_STATE_FIELDS_MAX (2 * (21 + 9 * (size_t)RATINGS_PARTITIONS_MAX))
#define STORE_STATE_SIZE_MAX (STORE_STATE_FIELDS_MAX * STORE_FIELD_ANSWER_MAX)

/* Reads one field into the state. NULL, also of a field that is not known, or what is wrong with it
 * (static). */
const char *store_read_state_field(ratings_store_state_t *state, const redisReply *name,
                                   const redisReply *value);

/* A text that is compared, and written again: so it must be one to C. False: it is empty, does not
 * fit into `size` bytes, or holds a 0. */
bool store_read_text(char *out, size_t size, const redisReply *value);

#endif
