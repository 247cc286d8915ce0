/* Applying chunks: each is one script, made of its numbers. */
#include "store_reply.h"
#include "store_scripts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the keys' uses ---- */

static bool is_text_of(const redisReply *reply, const char *text)
{
    return store_is_text(reply) && strcmp(reply->str, text) == 0;
}

/* A key of another type is no failure: it is corrupt. */
static apr_status_t not_read(const redisReply *answer, ratings_result_t *why)
{
    return store_not_read(answer, why, KEY_KEYS) == APR_EINVAL ? ratings_result_ok(why)
                                                               : why->status;
}

/* The uses belong to a position and a generation, as all else does. */
static apr_status_t take_uses(ratings_batch_t *chunk, const redisReply *answer,
                              const char *position, ratings_cas_e *end, ratings_result_t *why)
{
    const redisReply *place = answer->element[0], *uses = answer->element[1];
    *end = RATINGS_CAS_CORRUPT;
    if (!store_is_array(place, 2))
        return not_read(place, why);
    if (!store_is_array(uses, (size_t)chunk->use_count))
        return not_read(uses, why);
    for (int i = 0; i < chunk->use_count; i++)
        if (!store_read_use(uses->element[i], &chunk->uses[i]->use))
            return ratings_result_ok(why);
    *end =
        is_text_of(place->element[0], position) && is_text_of(place->element[1], chunk->generation)
            ? RATINGS_CAS_APPLIED
            : RATINGS_CAS_CONFLICT;
    return ratings_result_ok(why);
}

static apr_status_t ask_uses(ratings_store_t *store, ratings_batch_t *chunk,
                             const char *const *fields, ratings_cas_e *end, ratings_result_t *why)
{
    char keys[FIELD_TEXT_SIZE], where[FIELD_TEXT_SIZE], position[NUMBER_TEXT];
    const char *const at[] = {where, "generation"};
    const store_fields_t place = {KEY_LOG, at, 2}, uses = {keys, fields, chunk->use_count};
    redisReply *answer;

    store_field(keys, KEY_KEYS, chunk->partition);
    store_field(where, "position", chunk->partition);
    (void)snprintf(position, sizeof position, "%" PRId64, chunk->checkpoint);
    apr_status_t status =
        store_read_both(store, &place, &uses, store_deadline(store), &answer, why);
    *end = RATINGS_CAS_CORRUPT;
    if (status == APR_EINVAL) /* larger than what this module writes */
        return ratings_result_ok(why);
    if (status != APR_SUCCESS)
        return status;
    status = take_uses(chunk, answer, position, end, why);
    freeReplyObject(answer);
    return status;
}

apr_status_t ratings_store_load_uses(ratings_store_t *store, ratings_batch_t *chunk,
                                     ratings_cas_e *end, ratings_result_t *why)
{
    size_t count = (size_t)chunk->use_count;
    char(*texts)[USE_FIELD_SIZE] = malloc((count + 1) * sizeof *texts);
    const char **fields = malloc((count + 1) * sizeof *fields);
    for (size_t i = 0; i < count && texts && fields; i++) {
        store_use_field(texts[i], chunk->uses[i]->talk_id, chunk->uses[i]->key);
        fields[i] = texts[i];
    }
    apr_status_t status = texts && fields
                              ? ask_uses(store, chunk, fields, end, why)
                              : ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    free(texts);
    free(fields);
    return status;
}

/* ---- the script's words ---- */

#define HEAD_WORDS 15 /* EVAL, script, number of keys, three keys, and nine arguments */
#define MARK_TEXT ((size_t)3 * NUMBER_TEXT)

typedef struct {
    char field[USE_FIELD_SIZE], value[MARK_TEXT], expires[NUMBER_TEXT];
} use_text_t;

/* The texts of a chunk's keys and numbers, which must outlive its command. */
typedef struct {
    char partition[NUMBER_TEXT], position[NUMBER_TEXT], next[NUMBER_TEXT], time[NUMBER_TEXT];
    char key_count[NUMBER_TEXT], use_count[NUMBER_TEXT];
    char keys[FIELD_TEXT_SIZE], expiry[FIELD_TEXT_SIZE];
    char mark[MARK_TEXT], first[MARK_TEXT], last[MARK_TEXT];
    char (*talks)[KEY_TALK_MAX + 1];
    char (*added)[RATINGS_VALUES][NUMBER_TEXT];
    use_text_t *uses;
    int changed; /* uses */
} chunk_text_t;

static void number_text(char text[NUMBER_TEXT], int64_t number)
{
    (void)snprintf(text, NUMBER_TEXT, "%" PRId64, number);
}

static void mark_text(char text[MARK_TEXT], const ratings_fingerprint_t *mark)
{
    text[0] = '\0';
    if (mark->offset < 0)
        return;
    (void)snprintf(text, MARK_TEXT, "%" PRId64 ":%" PRId64 ":%" PRIu32, mark->offset,
                   mark->timestamp, mark->checksum);
}

static void head_text(chunk_text_t *text, const ratings_batch_t *chunk)
{
    number_text(text->partition, chunk->partition);
    number_text(text->position, chunk->checkpoint);
    number_text(text->next, chunk->next_checkpoint);
    number_text(text->time, chunk->log_time);
    number_text(text->key_count, chunk->increment_count + 3);
    number_text(text->use_count, text->changed);
    store_field(text->keys, KEY_KEYS, chunk->partition);
    store_field(text->expiry, KEY_EXPIRY, chunk->partition);
    mark_text(text->mark, &chunk->last);
    mark_text(text->first, &chunk->first);
    mark_text(text->last, &chunk->previous);
}

static void talk_text(chunk_text_t *text, const ratings_batch_t *chunk)
{
    for (int i = 0; i < chunk->increment_count; i++) {
        store_talk_key(text->talks[i], chunk->increments[i]->talk_id);
        for (int v = 0; v < RATINGS_VALUES; v++)
            number_text(text->added[i][v], chunk->increments[i]->added[v]);
    }
}

static void use_text(chunk_text_t *text, const ratings_batch_t *chunk)
{
    for (int i = 0; i < chunk->use_count; i++) {
        const ratings_key_use_t *keyed = chunk->uses[i];
        use_text_t *use = &text->uses[text->changed];
        if (!keyed->changed)
            continue;
        store_use_field(use->field, keyed->talk_id, keyed->key);
        number_text(use->expires, keyed->use.expires_ms);
        (void)snprintf(use->value, sizeof use->value, "%d:%s:%" PRId64, keyed->use.value,
                       use->expires, keyed->use.offset);
        text->changed++;
    }
}

static bool chunk_text(chunk_text_t *text, const ratings_batch_t *chunk)
{
    size_t count = (size_t)chunk->increment_count, keyed = (size_t)chunk->use_count;
    text->talks = malloc((count + 1) * sizeof *text->talks);
    text->added = malloc((count + 1) * sizeof *text->added);
    text->uses = malloc((keyed + 1) * sizeof *text->uses);
    if (!text->talks || !text->added || !text->uses)
        return false;
    talk_text(text, chunk);
    use_text(text, chunk);
    head_text(text, chunk);
    return true;
}

static void chunk_words(store_words_t *words, const chunk_text_t *text, const char *generation,
                        int count)
{
    const char *head[] = {"EVAL", lua_apply, text->key_count, KEY_LOG, text->keys, text->expiry};
    const char *args[] = {text->partition, text->position, text->next,      text->mark, generation,
                          text->time,      text->first,    text->use_count, text->last};
    store_add_words(words, head, 6);
    for (int i = 0; i < count; i++)
        store_word(words, text->talks[i]);
    store_add_words(words, args, 9);
    for (int i = 0; i < count; i++)
        for (int v = 0; v < RATINGS_VALUES; v++)
            store_word(words, text->added[i][v]);
    for (int i = 0; i < text->changed; i++) {
        const char *use[] = {text->uses[i].field, text->uses[i].value, text->uses[i].expires};
        store_add_words(words, use, 3);
    }
}

/* ---- applying ---- */

typedef struct {
    chunk_text_t text;
    store_words_t words; /* point into it */
} script_t;

/* All zero before. False: out of memory. */
static bool make_script(script_t *script, const ratings_batch_t *chunk)
{
    int room = HEAD_WORDS + chunk->increment_count * (RATINGS_VALUES + 1) + chunk->use_count * 3;
    if (!chunk_text(&script->text, chunk) || !store_words_init(&script->words, room))
        return false;
    chunk_words(&script->words, &script->text, chunk->generation, chunk->increment_count);
    return true;
}

static void free_script(script_t *script)
{
    store_words_free(&script->words);
    free(script->text.talks);
    free(script->text.added);
    free(script->text.uses);
}

apr_status_t ratings_store_apply(ratings_store_t *store, const ratings_batch_t *const *chunks,
                                 int count, ratings_cas_e *ends, ratings_result_t *why)
{
    script_t scripts[RATINGS_APPLY_MAX] = {0};
    store_command_t commands[RATINGS_APPLY_MAX] = {{0}};
    bool made = true;
    for (int i = 0; i < count; i++)
        ends[i] = RATINGS_CAS_CONFLICT; /* unless it is known to be done */
    for (int i = 0; i < count && made; i++) {
        made = make_script(&scripts[i], chunks[i]);
        commands[i] = store_command_of(&scripts[i].words);
    }
    apr_status_t status = made ? store_run_all(store, commands, count, ends, why)
                               : ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    for (int i = 0; i < count; i++)
        free_script(&scripts[i]);
    return status;
}
