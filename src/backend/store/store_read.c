/* What requests read. */
#include "store_keys.h"
#include "store_script.h"
#include "store_value.h"

/* ---- a talk ---- */

static apr_status_t read_histogram(const redisReply *counts, ratings_histogram_t *histogram,
                                   ratings_result_t *why)
{
    if (!store_is_array(counts, RATINGS_VALUES))
        return store_not_read(counts, why, "the key of the talk");
    for (size_t i = 0; i < RATINGS_VALUES; i++)
        if (!store_read_number(counts->element[i], 0, STORE_COUNT_MAX, &histogram->count[i]))
            return store_unexpected(why, "a count of the talk");
    return ratings_result_ok(why);
}

static apr_status_t read_checkpoint(const redisReply *fields, ratings_snapshot_t *snapshot,
                                    ratings_result_t *why)
{
    ratings_fingerprint_t first = {.offset = RATINGS_FINGERPRINT_NONE};
    if (!store_is_array(fields, 3))
        return store_not_read(fields, why, STORE_KEY_LOG);
    redisReply *const *field = fields->element;
    if (!store_read_number(field[0], -1, STORE_CHECKPOINT_MAX, &snapshot->checkpoint) ||
        (field[1]->type != REDIS_REPLY_NIL && !store_read_fingerprint(field[1], &first)))
        return store_unexpected(why, STORE_KEY_LOG);
    snapshot->log_id = ratings_log_id(&first);
    snapshot->is_behind = field[2]->type != REDIS_REPLY_NIL;
    return ratings_result_ok(why);
}

apr_status_t ratings_store_read(ratings_store_t *store, const char *talk_id, int partition,
                                int64_t deadline, ratings_snapshot_t *snapshot,
                                ratings_result_t *why)
{
    char key[STORE_KEY_TALK_MAX + 1], checkpoint[STORE_FIELD_SIZE], first[STORE_FIELD_SIZE];
    const char *const of_log[] = {checkpoint, first, "behind"};
    const char *const of_talk[] = {"1", "2", "3", "4", "5"};
    const store_fields_t log = {STORE_KEY_LOG, of_log, 3}, talk = {key, of_talk, RATINGS_VALUES};
    redisReply *answer;

    store_talk_key(key, talk_id);
    store_field(checkpoint, "position", partition);
    store_field(first, "first", partition);
    apr_status_t status = store_read_both(store, &log, &talk, deadline, &answer, why);
    if (status != APR_SUCCESS)
        return status;
    status = read_checkpoint(answer->element[0], snapshot, why);
    if (status == APR_SUCCESS)
        status = read_histogram(answer->element[1], &snapshot->histogram, why);
    freeReplyObject(answer);
    return status;
}

/* ---- an idempotency key ---- */

static apr_status_t read_checkpoint_and_use(const redisReply *answer, int64_t *checkpoint,
                                            ratings_use_t *use, ratings_result_t *why)
{
    const redisReply *log = answer->element[0], *uses = answer->element[1];
    if (!store_is_array(log, 1))
        return store_not_read(log, why, STORE_KEY_LOG);
    if (!store_is_array(uses, 1))
        return store_not_read(uses, why, STORE_KEY_USES);
    if (!store_read_number(log->element[0], -1, STORE_CHECKPOINT_MAX, checkpoint) ||
        !store_read_use(uses->element[0], use))
        return store_unexpected(why, "the use of an idempotency key");
    return ratings_result_ok(why);
}

apr_status_t ratings_store_read_use(ratings_store_t *store, const char *talk_id, const char *key,
                                    int partition, int64_t deadline, ratings_use_t *use,
                                    int64_t *checkpoint, ratings_result_t *why)
{
    char keys[STORE_FIELD_SIZE], use_field[STORE_USE_FIELD_SIZE], field[STORE_FIELD_SIZE];
    const char *const of_log[] = {field}, *const of_uses[] = {use_field};
    const store_fields_t log = {STORE_KEY_LOG, of_log, 1}, uses = {keys, of_uses, 1};
    redisReply *answer;

    store_use_field(use_field, talk_id, key);
    store_field(keys, STORE_KEY_USES, partition);
    store_field(field, "position", partition);
    apr_status_t status = store_read_both(store, &log, &uses, deadline, &answer, why);
    if (status != APR_SUCCESS)
        return status;
    status = read_checkpoint_and_use(answer, checkpoint, use, why);
    freeReplyObject(answer);
    return status;
}
