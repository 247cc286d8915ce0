/* What requests read. */
#include "store_keys.h"
#include "store_script.h"
#include "store_scripts.h"
#include "store_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a talk ---- */

/* The counts, and what may follow. */
static apr_status_t read_histogram(const redisReply *counts, size_t count,
                                   ratings_histogram_t *histogram, ratings_result_t *why)
{
    if (!store_is_array(counts, count))
        return store_not_read(counts, why, "the key of the talk");
    for (size_t i = 0; i < RATINGS_VALUES; i++)
        if (!store_read_number(counts->element[i], 0, STORE_COUNT_MAX, &histogram->count[i]))
            return store_unexpected(why, "a count of the talk");
    return ratings_result_ok(why);
}

/* Position, first and behind, and what may follow. */
static apr_status_t read_checkpoint(const redisReply *fields, size_t count,
                                    ratings_snapshot_t *snapshot, ratings_result_t *why)
{
    ratings_fingerprint_t first = {.offset = RATINGS_FINGERPRINT_NONE};
    if (!store_is_array(fields, count))
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
    status = read_checkpoint(answer->element[0], 3, snapshot, why);
    if (status == APR_SUCCESS)
        status = read_histogram(answer->element[1], RATINGS_VALUES, &snapshot->histogram, why);
    freeReplyObject(answer);
    return status;
}

/* ---- talks ---- */

/* Fields 2 * i and 2 * i + 1 of ratings:log are those of the talk `i`, and the last is `behind`. */
static apr_status_t read_talk_of_many(const redisReply *answer, size_t index, size_t count,
                                      ratings_snapshot_t *snapshot, ratings_result_t *why)
{
    redisReply *const *of_log = answer->element[0]->element;
    redisReply *fields[] = {of_log[2 * index], of_log[2 * index + 1], of_log[2 * count]};
    const redisReply log = {.type = REDIS_REPLY_ARRAY, .elements = 3, .element = fields};
    apr_status_t status = read_checkpoint(&log, 3, snapshot, why);
    return status == APR_SUCCESS ? read_histogram(answer->element[1 + index], RATINGS_VALUES,
                                                  &snapshot->histogram, why)
                                 : status;
}

static apr_status_t read_talks_of_many(const redisReply *answer, ratings_store_talk_t *talks,
                                       int count, ratings_result_t *why)
{
    if (!store_is_array(answer, 1 + (size_t)count))
        return store_foreign(why, "the answer of a script");
    if (!store_is_array(answer->element[0], 2 * (size_t)count + 1))
        return store_not_read(answer->element[0], why, STORE_KEY_LOG);
    apr_status_t status = ratings_result_ok(why);
    for (size_t i = 0; i < (size_t)count && status == APR_SUCCESS; i++)
        status = read_talk_of_many(answer, i, (size_t)count, &talks[i].snapshot, why);
    return status;
}

apr_status_t ratings_store_read_many(ratings_store_t *store, ratings_store_talk_t *talks, int count,
                                     int64_t deadline, ratings_result_t *why)
{
    store_words_t words;
    redisReply *answer;
    char key[STORE_KEY_TALK_MAX + 1];
    (void)store_words_script(&words, &lua_read_many, 1 + count, 1 + count + 2 * count + 1);
    store_word(&words, STORE_KEY_LOG);
    for (int i = 0; i < count; i++) {
        store_talk_key(key, talks[i].talk_id);
        store_word_copy(&words, key);
    }
    for (int i = 0; i < count; i++) {
        store_word_field(&words, "position", talks[i].partition);
        store_word_field(&words, "first", talks[i].partition);
    }
    store_word(&words, "behind");
    apr_status_t status =
        store_ask(store, &words,
                  STORE_ANSWER_MAX + (size_t)count * (RATINGS_VALUES + 2) * STORE_FIELD_ANSWER_MAX,
                  deadline, &answer, why);
    store_words_free(&words);
    if (status != APR_SUCCESS)
        return status;
    status = read_talks_of_many(answer, talks, count, why);
    freeReplyObject(answer);
    return status;
}

/* ---- the ranking ---- */

/* Two exchanges of plain commands: nothing has to be of one moment, and Lua would make 40,000
 * values of its own of the answer, while Redis answers nobody else. ZRANGEBYSCORE, since scripts
 * need it, too: the service's user may do no more for this. */

#define RANKED_ANSWER_MAX (RATINGS_TALK_ID_MAX + 64) /* bytes of a talk and its score */

/* Whether a rebuild is under way, and how many talks are ranked. */
static apr_status_t read_size_of_top(const redisReply *behind, const redisReply *count,
                                     int64_t *size, ratings_result_t *why)
{
    if (!store_is_array(behind, 1))
        return store_not_read(behind, why, STORE_KEY_LOG);
    if (behind->element[0]->type != REDIS_REPLY_NIL)
        return ratings_result_set(why, APR_EAGAIN, "the store is being rebuilt");
    if (count->type != REDIS_REPLY_INTEGER)
        return store_not_read(count, why, STORE_KEY_TOP);
    *size = count->integer;
    return ratings_result_ok(why);
}

static apr_status_t ask_size_of_top(ratings_store_t *store, int64_t deadline, int64_t *size,
                                    ratings_result_t *why)
{
    const char *hmget[] = {"HMGET", STORE_KEY_LOG, "behind"}, *zcard[] = {"ZCARD", STORE_KEY_TOP};
    size_t hmget_lengths[] = {5, sizeof STORE_KEY_LOG - 1, 6};
    size_t zcard_lengths[] = {5, sizeof STORE_KEY_TOP - 1};
    store_command_t commands[] = {{.argc = 3, .argv = hmget, .argvlen = hmget_lengths},
                                  {.argc = 2, .argv = zcard, .argvlen = zcard_lengths}};
    redisReply *replies[2];
    if (store_pipeline(store, commands, 2, replies, deadline, why) != APR_SUCCESS)
        return why->status;
    apr_status_t status = read_size_of_top(replies[0], replies[1], size, why);
    store_free_replies(replies, 2);
    return status;
}

static bool tell_ranked(const redisReply *talk, const redisReply *score,
                        ratings_store_tell_fn *tell, void *data)
{
    char *end;
    if (!store_is_text(talk) || !store_is_text(score))
        return false;
    double number = strtod(score->str, &end);
    if (end == score->str || *end != '\0' || !isfinite(number))
        return false;
    tell(data, talk->str, number);
    return true;
}

static apr_status_t tell_top(const redisReply *top, ratings_store_tell_fn *tell, void *data,
                             ratings_result_t *why)
{
    if (top->type != REDIS_REPLY_ARRAY || top->elements % 2 != 0)
        return store_not_read(top, why, STORE_KEY_TOP);
    for (size_t i = 0; i < top->elements; i += 2)
        if (!tell_ranked(top->element[i], top->element[i + 1], tell, data))
            return store_unexpected(why, STORE_KEY_TOP);
    return ratings_result_ok(why);
}

apr_status_t ratings_store_read_top(ratings_store_t *store, int64_t deadline,
                                    ratings_store_tell_fn *tell, void *data, ratings_result_t *why)
{
    static const char *const asked[] = {"ZRANGEBYSCORE", STORE_KEY_TOP, "-inf",
                                        "+inf",          "WITHSCORES",  "LIMIT"};
    store_words_t words;
    redisReply *answer;
    int64_t size = 0;
    if (ask_size_of_top(store, deadline, &size, why) != APR_SUCCESS)
        return why->status;
    (void)store_words_init(&words, sizeof asked / sizeof *asked + 2);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        store_word(&words, asked[i]);
    store_word_number(&words, size > RATINGS_RANKED_MAX ? size - RATINGS_RANKED_MAX : 0);
    store_word_number(&words, RATINGS_RANKED_MAX);
    apr_status_t status =
        store_ask(store, &words, STORE_ANSWER_MAX + (size_t)RATINGS_RANKED_MAX * RANKED_ANSWER_MAX,
                  deadline, &answer, why);
    store_words_free(&words);
    if (status != APR_SUCCESS)
        return status;
    status = tell_top(answer, tell, data, why);
    freeReplyObject(answer);
    return status;
}

/* ---- a voter's rating of it ---- */

/* What apply.lua finds out of a talk before it writes a vote, is found out before one is shown. A
 * talk without voters may be of a store that an older version has written: there is no vote. */
static bool agrees(const redisReply *fields, const redisReply *counts, int64_t voters,
                   const ratings_snapshot_t *snapshot)
{
    const redisReply *stored = counts->element[RATINGS_VALUES];
    int64_t voters_to, anonymous, total;
    if (snapshot->checkpoint < 0) /* nobody is shown what is being emptied */
        return true;
    if (!store_read_number(fields->element[3], -1, STORE_CHECKPOINT_MAX, &voters_to) ||
        !store_read_number(stored, -1, STORE_COUNT_MAX, &anonymous) ||
        !ratings_histogram_total(&snapshot->histogram, &total))
        return false;
    if (anonymous < 0)
        return voters == 0;
    return voters >= 0 && voters <= total && anonymous == total - voters &&
           (voters_to == snapshot->checkpoint || snapshot->checkpoint == 0);
}

static apr_status_t read_value_of_vote(const redisReply *rating, int *value, ratings_result_t *why)
{
    int64_t number;
    if (!store_is_array(rating, 1))
        return store_not_read(rating, why, "the key of the talk's voters");
    if (!store_read_number(rating->element[0], RATINGS_VALUE_NONE, RATINGS_VALUE_MAX, &number) ||
        (rating->element[0]->type != REDIS_REPLY_NIL && number == RATINGS_VALUE_NONE))
        return store_unexpected(why, "the rating of a voter");
    *value = (int)number;
    return ratings_result_ok(why);
}

static apr_status_t read_vote(const redisReply *answer, ratings_snapshot_t *snapshot, int *value,
                              ratings_result_t *why)
{
    if (!store_is_array(answer, 4))
        return store_foreign(why, "the answer of a script");
    redisReply *const *part = answer->element;
    apr_status_t status = read_checkpoint(part[0], 4, snapshot, why);
    if (status == APR_SUCCESS)
        status = read_histogram(part[1], RATINGS_VALUES + 1, &snapshot->histogram, why);
    if (status == APR_SUCCESS)
        status = read_value_of_vote(part[2], value, why);
    if (status == APR_SUCCESS && part[3]->type != REDIS_REPLY_INTEGER)
        status = store_not_read(part[3], why, "the key of the talk's voters");
    return status == APR_SUCCESS && !agrees(part[0], part[1], part[3]->integer, snapshot)
               ? store_unexpected(why, "the number of the talk's voters")
               : status;
}

apr_status_t ratings_store_read_vote(ratings_store_t *store, const char *talk_id,
                                     const ratings_voter_t *voter, int partition, int64_t deadline,
                                     ratings_snapshot_t *snapshot, int *value,
                                     ratings_result_t *why)
{
    char talk[STORE_KEY_TALK_MAX + 1], voters[STORE_KEY_VOTERS_MAX + 1], field[RATINGS_VOTER_SIZE];
    store_words_t words;
    redisReply *answer;

    store_talk_key(talk, talk_id);
    store_voters_key(voters, talk_id);
    store_voter_field(field, voter, partition);
    (void)store_words_script(&words, &lua_read_vote, 3, 3 + 2);
    store_word(&words, STORE_KEY_LOG);
    store_word(&words, talk);
    store_word(&words, voters);
    store_word_number(&words, partition);
    store_word_bytes(&words, field, sizeof field);
    apr_status_t status = store_ask(store, &words, 0, deadline, &answer, why);
    store_words_free(&words);
    if (status != APR_SUCCESS)
        return status;
    status = read_vote(answer, snapshot, value, why);
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

apr_status_t ratings_store_read_use(ratings_store_t *store, const ratings_store_key_t *key,
                                    int partition, int64_t deadline, ratings_use_t *use,
                                    int64_t *checkpoint, ratings_result_t *why)
{
    char keys[STORE_FIELD_SIZE], use_field[STORE_USE_FIELD_SIZE], field[STORE_FIELD_SIZE];
    const char *const of_log[] = {field}, *const of_uses[] = {use_field};
    const store_fields_t log = {STORE_KEY_LOG, of_log, 1}, uses = {keys, of_uses, 1};
    redisReply *answer;

    store_use_field(use_field, key->talk_id, key->voter, key->text);
    store_field(keys, STORE_KEY_USES, partition);
    store_field(field, "position", partition);
    apr_status_t status = store_read_both(store, &log, &uses, deadline, &answer, why);
    if (status != APR_SUCCESS)
        return status;
    status = read_checkpoint_and_use(answer, checkpoint, use, why);
    freeReplyObject(answer);
    return status;
}

/* ---- whether a voter is barred ---- */

static apr_status_t read_checkpoint_and_bar(const redisReply *answer, int64_t *checkpoint,
                                            bool *is_barred, ratings_result_t *why)
{
    const redisReply *log = answer->element[0], *barred = answer->element[1];
    if (!store_is_array(log, 1))
        return store_not_read(log, why, STORE_KEY_LOG);
    if (!store_is_array(barred, 1))
        return store_not_read(barred, why, STORE_KEY_BARRED);
    if (!store_read_number(log->element[0], -1, STORE_CHECKPOINT_MAX, checkpoint))
        return store_unexpected(why, STORE_KEY_LOG);
    *is_barred = barred->element[0]->type != REDIS_REPLY_NIL;
    return ratings_result_ok(why);
}

apr_status_t ratings_store_read_barred(ratings_store_t *store, const ratings_voter_t *voter,
                                       int partition, int64_t deadline, bool *is_barred,
                                       int64_t *checkpoint, ratings_result_t *why)
{
    char key[STORE_FIELD_SIZE], field[STORE_FIELD_SIZE], hash[RATINGS_VOTER_TEXT_SIZE];
    const char *const of_log[] = {field}, *const of_barred[] = {hash};
    const store_fields_t log = {STORE_KEY_LOG, of_log, 1}, barred = {key, of_barred, 1};
    redisReply *answer;

    store_field(field, "position", partition);
    store_field(key, STORE_KEY_BARRED, partition);
    ratings_voter_print(voter, hash);
    apr_status_t status = store_read_both(store, &log, &barred, deadline, &answer, why);
    if (status != APR_SUCCESS)
        return status;
    status = read_checkpoint_and_bar(answer, checkpoint, is_barred, why);
    freeReplyObject(answer);
    return status;
}
