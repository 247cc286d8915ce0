#include "store_state_fields.h"

#include "store_value.h"

#include "../../core/number.h"

#include <string.h>

/* Reads a value into the state; false: this module would not write it. */
typedef bool read_field_f(ratings_store_state_t *state, const redisReply *value, int partition);

bool store_read_text(char *out, size_t size, const redisReply *value)
{
    if (value->len == 0 || (size_t)value->len >= size ||
        memchr(value->str, '\0', (size_t)value->len))
        return false;
    memcpy(out, value->str, (size_t)value->len + 1);
    return true;
}

static bool read_int(int *out, const redisReply *value, int min, int max)
{
    int64_t number;
    if (!ratings_parse_int(value->str, (size_t)value->len, min, max, &number))
        return false;
    *out = (int)number;
    return true;
}

/* ---- of the store as a whole ---- */

static bool read_topic(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return store_read_text(state->topic, sizeof state->topic, value);
}

static bool read_generation(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return store_read_text(state->generation, sizeof state->generation, value);
}

static bool read_claim(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return store_read_text(state->claim, sizeof state->claim, value);
}

static bool read_behind(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    state->is_behind = true;
    return value->len == 1 && value->str[0] == '1';
}

static bool read_suspect(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return read_int(&state->rebuild_request, value, 1, INT32_MAX);
}

static bool read_partitions(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return read_int(&state->routed, value, 0, RATINGS_PARTITIONS_MAX);
}

static bool read_routing(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return store_read_number(value, -1, STORE_CHECKPOINT_MAX, &state->routing_offset);
}

static bool read_positions(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return read_int(&state->partitions, value, 1, RATINGS_PARTITIONS_MAX);
}

/* ---- of each partition ---- */

static bool read_position(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_number(value, -1, STORE_CHECKPOINT_MAX, &state->checkpoint[partition]);
}

static bool read_time(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_number(value, -1, INT64_MAX, &state->log_time[partition]);
}

static bool read_mark(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_fingerprint(value, &state->last[partition]);
}

static bool read_first(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_fingerprint(value, &state->first[partition]);
}

/* "checkpoint:count", or a number alone, which says nothing. What it must be, apply.lua knows. */
static bool read_uses(ratings_store_state_t *state, const redisReply *value, int partition)
{
    const char *colon = memchr(value->str, ':', (size_t)value->len);
    const char *count = colon ? colon + 1 : value->str, *end = value->str + value->len;
    int64_t number;
    (void)state;
    (void)partition;
    if (colon && !ratings_parse_int(value->str, (size_t)(colon - value->str), 0,
                                    STORE_CHECKPOINT_MAX, &number))
        return false;
    return ratings_parse_int(count, (size_t)(end - count), 0, STORE_COUNT_MAX, &number);
}

/* Which it must be for a vote, apply.lua knows. */
static bool read_voters(ratings_store_state_t *state, const redisReply *value, int partition)
{
    int64_t number;
    (void)state;
    (void)partition;
    return store_read_number(value, -1, STORE_CHECKPOINT_MAX, &number);
}

/* ---- all of them ---- */

#define PROBLEM(name) "the field " name " of ratings:log is not what this module writes"
#define FIELD(name)                                                                                \
    {                                                                                              \
#name, false, read_##name, PROBLEM(#name)                                                  \
    }
#define EACH(name)                                                                                 \
    {                                                                                              \
#name ":", true, read_##name, PROBLEM(#name)                                               \
    }

typedef struct {
    const char *name;
    bool of_partition; /* there is one for each, whose number follows */
    read_field_f *read;
    const char *problem;
} known_field_t;

static const known_field_t known_fields[] = {
    FIELD(topic),      FIELD(generation), FIELD(claim),     FIELD(behind),  FIELD(suspect),
    FIELD(partitions), FIELD(routing),    FIELD(positions), EACH(position), EACH(time),
    EACH(mark),        EACH(first),       EACH(uses),       EACH(voters)};

#define KNOWN_FIELDS (sizeof known_fields / sizeof known_fields[0])
_Static_assert(STORE_STATE_FIELDS_MAX == 2 * (KNOWN_FIELDS + 6 * (size_t)RATINGS_PARTITIONS_MAX),
               "STORE_STATE_FIELDS_MAX counts the fields");

/* What apply.lua writes in the place of a checkpoint while it applies a batch: no reader takes it
 * for one, whichever version of this module it is of. */
static bool is_applying(const known_field_t *known, const redisReply *value)
{
    return known->read == read_position && strcmp(value->str, "applying") == 0;
}

static const char *read_known(ratings_store_state_t *state, const known_field_t *known,
                              const redisReply *name, const redisReply *value)
{
    size_t prefix = strlen(known->name);
    int64_t partition = 0;
    if (known->of_partition && !ratings_parse_int(name->str + prefix, (size_t)name->len - prefix, 0,
                                                  RATINGS_PARTITIONS_MAX - 1, &partition))
        return "ratings:log has a field of a partition that cannot be";
    if (is_applying(known, value))
        return "a write to the store was stopped in its middle";
    return known->read(state, value, (int)partition) ? NULL : known->problem;
}

static bool has_name(const redisReply *field, const known_field_t *known)
{
    size_t length = strlen(known->name);
    return (known->of_partition ? (size_t)field->len > length : (size_t)field->len == length) &&
           memcmp(field->str, known->name, length) == 0;
}

const char *store_read_state_field(ratings_store_state_t *state, const redisReply *name,
                                   const redisReply *value)
{
    if (!store_is_text(name) || !store_is_text(value))
        return "ratings:log is not what this module writes";
    for (size_t i = 0; i < KNOWN_FIELDS; i++)
        if (has_name(name, &known_fields[i]))
            return read_known(state, &known_fields[i], name, value);
    return NULL;
}
