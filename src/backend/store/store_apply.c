/* Applying batches: each is one script (apply.lua). */
#include "store_keys.h"
#include "store_script.h"
#include "store_scripts.h"
#include "store_value.h"

#include <endian.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the last uses of idempotency keys ---- */

static bool is_text_of(const redisReply *reply, const char *text)
{
    return store_is_text(reply) && strcmp(reply->str, text) == 0;
}

/* A key of another type is no failure: it is corrupt. */
static apr_status_t uses_not_read(const redisReply *answer, ratings_result_t *why)
{
    return store_not_read(answer, why, STORE_KEY_USES) == RATINGS_REBUILD_NEEDED
               ? ratings_result_ok(why)
               : why->status;
}

/* The uses belong to a checkpoint and a generation, as all else does. */
static apr_status_t read_batch_uses(const redisReply *answer, const char *checkpoint,
                                    ratings_batch_t *batch, ratings_cas_e *result,
                                    ratings_result_t *why)
{
    const redisReply *log = answer->element[0], *uses = answer->element[1];
    *result = RATINGS_CAS_CORRUPT;
    if (!store_is_array(log, 2))
        return uses_not_read(log, why);
    if (!store_is_array(uses, (size_t)batch->use_count))
        return uses_not_read(uses, why);
    for (int i = 0; i < batch->use_count; i++)
        if (!store_read_use(uses->element[i], &batch->uses[i]->use))
            return ratings_result_ok(why);
    bool is_current =
        is_text_of(log->element[0], checkpoint) && is_text_of(log->element[1], batch->generation);
    *result = is_current ? RATINGS_CAS_APPLIED : RATINGS_CAS_CONFLICT;
    return ratings_result_ok(why);
}

static apr_status_t ask_uses(ratings_store_t *store, ratings_batch_t *batch,
                             const char *const *use_fields, ratings_cas_e *result,
                             ratings_result_t *why)
{
    char keys[STORE_FIELD_SIZE], field[STORE_FIELD_SIZE], checkpoint[STORE_FIELD_SIZE];
    const char *const of_log[] = {field, "generation"};
    const store_fields_t log = {STORE_KEY_LOG, of_log, 2};
    const store_fields_t uses = {keys, use_fields, batch->use_count};
    redisReply *answer;

    store_field(keys, STORE_KEY_USES, batch->partition);
    store_field(field, "position", batch->partition);
    (void)snprintf(checkpoint, sizeof checkpoint, "%" PRId64, batch->checkpoint);
    apr_status_t status = store_read_both(store, &log, &uses, store_deadline(store), &answer, why);
    *result = RATINGS_CAS_CORRUPT;
    if (status == RATINGS_REBUILD_NEEDED) /* larger than what this module writes */
        return ratings_result_ok(why);
    if (status != APR_SUCCESS)
        return status;
    status = read_batch_uses(answer, checkpoint, batch, result, why);
    freeReplyObject(answer);
    return status;
}

apr_status_t ratings_store_load_uses(ratings_store_t *store, ratings_batch_t *batch,
                                     ratings_cas_e *result, ratings_result_t *why)
{
    size_t count = (size_t)batch->use_count;
    char(*texts)[STORE_USE_FIELD_SIZE] = malloc((count + 1) * sizeof *texts);
    const char **fields = malloc((count + 1) * sizeof *fields);
    for (size_t i = 0; i < count && texts && fields; i++) {
        const ratings_store_key_t *key = &batch->uses[i]->key;
        store_use_field(texts[i], key->talk_id, key->voter, key->text);
        fields[i] = texts[i];
    }
    apr_status_t status = texts && fields
                              ? ask_uses(store, batch, fields, result, why)
                              : ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    free(texts);
    free(fields);
    return status;
}

/* ---- parts of a batch ---- */

/* A part holds whole talks, but for the votes of the first one and of the last one. A batch that
 * goes whole is one part, without a token. */
typedef struct {
    const ratings_batch_t *batch;
    int from, to;           /* increments */
    int vote_from, vote_to; /* the votes of the first one begin there, those of the last one end */
    const char *token;
    int64_t before; /* parts */
    bool is_last;
} part_t;

static part_t whole_batch(const ratings_batch_t *batch)
{
    return (part_t){.batch = batch,
                    .to = batch->increment_count,
                    .vote_to = INT_MAX,
                    .token = "",
                    .is_last = true};
}

static part_t next_part(const ratings_fill_t *fill)
{
    const ratings_batch_t *batch = fill->batch;
    part_t part = {.batch = batch,
                   .from = fill->talk,
                   .to = fill->talk,
                   .vote_from = fill->vote,
                   .token = fill->token,
                   .before = fill->parts};
    int left = fill->part_size, begin = fill->vote;
    for (bool fits = true; fits && part.to < batch->increment_count && left > RATINGS_FILL_TALK;
         begin = 0) {
        int votes = batch->increments[part.to++]->vote_count - begin;
        left -= RATINGS_FILL_TALK;
        fits = votes <= left;
        part.vote_to = begin + (fits ? votes : left);
        left -= votes;
    }
    part.is_last =
        part.to == batch->increment_count &&
        (part.to == part.from || part.vote_to == batch->increments[part.to - 1]->vote_count);
    return part;
}

/* The next part begins where this one ends. */
static void complete_part(ratings_fill_t *fill, const part_t *part)
{
    const ratings_batch_t *batch = fill->batch;
    fill->parts++;
    fill->is_complete = part->is_last;
    if (part->is_last)
        return;
    bool is_cut = part->vote_to < batch->increments[part->to - 1]->vote_count;
    fill->talk = is_cut ? part->to - 1 : part->to;
    fill->vote = is_cut ? part->vote_to : 0;
}

static bool is_part(const part_t *part)
{
    return part->token[0] != '\0';
}

static bool wants_counts(const part_t *part)
{
    return part->batch->counts && !is_part(part);
}

static int first_vote(const part_t *part, int i)
{
    return i == part->from ? part->vote_from : 0;
}

static int vote_count(const part_t *part, int i)
{
    int all = part->batch->increments[i]->vote_count;
    bool is_cut = i == part->to - 1 && part->vote_to < all;
    return (is_cut ? part->vote_to : all) - first_vote(part, i);
}

static int count_voted(const part_t *part)
{
    int voted = 0;
    if (!is_part(part))
        return part->batch->voted_count;
    for (int i = part->from; i < part->to; i++)
        voted += vote_count(part, i) > 0;
    return voted;
}

/* ---- a batch as the words of its script ---- */

#define APPLY_KEYS 5 /* besides the talks' */
#define APPLY_ARGUMENTS 20
#define USE_WORDS 3                      /* field, value and expiry */
#define VOTED_WORDS 3                    /* the talk's number, and two of its votes */
#define BAR_SIZE RATINGS_VOTER_TEXT_SIZE /* a voter in hexadecimal, and a digit */
#define LIFE_LEN (RATINGS_LIFE_TEXT_SIZE - 1)
#define LIFE_SIZE (LIFE_LEN + RATINGS_TICKET_WINDOW_SIZE) /* a life and its window */

static int count_changed(const part_t *part)
{
    const ratings_batch_t *batch = part->batch;
    int changed = 0;
    for (int i = 0; i < batch->use_count && part->is_last; i++)
        changed += batch->uses[i]->changed;
    return changed;
}

static void add_voters_keys(store_words_t *words, const part_t *part)
{
    char voters[STORE_KEY_VOTERS_MAX + 1];
    for (int i = part->from; i < part->to && part->batch->voted_count > 0; i++) {
        if (vote_count(part, i) == 0)
            continue;
        store_voters_key(voters, part->batch->increments[i]->talk_id);
        store_word_copy(words, voters);
    }
}

static void add_keys(store_words_t *words, const part_t *part)
{
    const ratings_batch_t *batch = part->batch;
    char talk[STORE_KEY_TALK_MAX + 1];
    store_word(words, STORE_KEY_LOG);
    store_word_field(words, STORE_KEY_USES, batch->partition);
    store_word_field(words, STORE_KEY_EXPIRY, batch->partition);
    store_word_field(words, STORE_KEY_BARRED, batch->partition);
    store_word_field(words, STORE_KEY_TICKETS, batch->partition);
    for (int i = part->from; i < part->to; i++) {
        store_talk_key(talk, batch->increments[i]->talk_id);
        store_word_copy(words, talk);
    }
    add_voters_keys(words, part);
}

static void add_fingerprint(store_words_t *words, const ratings_fingerprint_t *fingerprint)
{
    char text[STORE_VALUE_SIZE];
    store_print_fingerprint(text, fingerprint);
    store_word_copy(words, text);
}

static void add_standing(store_words_t *words, const ratings_standing_t *standing)
{
    char text[STORE_VALUE_SIZE];
    store_print_standing(text, standing);
    store_word_copy(words, text);
}

static void add_bars(store_words_t *words, const part_t *part)
{
    const ratings_batch_t *batch = part->batch;
    int count = part->is_last ? batch->bar_count : 0;
    char *at = store_word_room(words, (size_t)count * BAR_SIZE);
    for (int i = 0; at && i < count; i++, at += BAR_SIZE) {
        ratings_voter_print(&batch->bars[i].voter, at);
        at[BAR_SIZE - 1] = batch->bars[i].is_barred ? '1' : '0';
    }
}

static void add_life(char *at, uint64_t life)
{
    char text[RATINGS_LIFE_TEXT_SIZE];
    ratings_life_print(life, text);
    memcpy(at, text, LIFE_LEN);
}

static void add_forgotten(store_words_t *words, const part_t *part)
{
    const ratings_batch_t *batch = part->batch;
    int count = part->is_last ? batch->forgotten_count : 0;
    char *at = store_word_room(words, (size_t)count * LIFE_LEN);
    for (int i = 0; at && i < count; i++, at += LIFE_LEN)
        add_life(at, batch->forgotten[i]);
}

static void add_windows(store_words_t *words, const part_t *part)
{
    const ratings_batch_t *batch = part->batch;
    int count = part->is_last ? batch->window_count : 0;
    char *at = store_word_room(words, (size_t)count * LIFE_SIZE);
    for (int i = 0; at && i < count; i++, at += LIFE_SIZE) {
        add_life(at, batch->windows[i].life);
        ratings_ticket_window_pack(&batch->windows[i], (unsigned char *)at + LIFE_LEN);
    }
}

static void add_arguments(store_words_t *words, const part_t *part, int voted)
{
    const ratings_batch_t *batch = part->batch;
    store_word_number(words, batch->partition);
    store_word_number(words, batch->checkpoint);
    store_word_number(words, batch->next_checkpoint);
    add_fingerprint(words, &batch->last);
    store_word(words, batch->generation);
    store_word_number(words, batch->log_time);
    add_fingerprint(words, &batch->first);
    store_word_number(words, count_changed(part));
    add_fingerprint(words, &batch->previous);
    store_word_number(words, voted);
    store_word_number(words, batch->barred);
    add_bars(words, part);
    add_standing(words, &batch->standing);
    store_word_number(words, batch->lives);
    add_forgotten(words, part);
    add_windows(words, part);
    store_word(words, part->token);
    store_word_number(words, part->before);
    store_word(words, part->is_last ? "" : "1");
    store_word(words, wants_counts(part) ? "1" : "");
}

/* Anonymous ratings go with the talk's first part. */
static void add_increments(store_words_t *words, const part_t *part)
{
    for (int i = part->from; i < part->to; i++)
        for (int v = 0; v < RATINGS_VALUES; v++)
            store_word_number(words,
                              first_vote(part, i) == 0 ? part->batch->increments[i]->added[v] : 0);
}

static void add_uses(store_words_t *words, const part_t *part)
{
    const ratings_batch_t *batch = part->batch;
    for (int i = 0; i < batch->use_count && part->is_last; i++) {
        const ratings_key_use_t *use = batch->uses[i];
        char field[STORE_USE_FIELD_SIZE], value[STORE_VALUE_SIZE];
        if (!use->changed)
            continue;
        store_use_field(field, use->key.talk_id, use->key.voter, use->key.text);
        store_print_use(value, &use->use);
        store_word_copy(words, field);
        store_word_copy(words, value);
        store_word_number(words, use->use.expires_ms);
    }
}

/* Fields, and a digit each. */
static void add_votes_of_talk(store_words_t *words, const ratings_vote_t *votes, size_t count,
                              int partition)
{
    char *field = store_word_room(words, count * RATINGS_VOTER_SIZE);
    char *digit = store_word_room(words, count);
    for (size_t i = 0; field && digit && i < count; i++, field += RATINGS_VOTER_SIZE) {
        store_voter_field(field, &votes[i].voter, partition);
        digit[i] = (char)('0' + votes[i].value);
    }
}

#define NEW_VOTE_SIZE (RATINGS_VOTER_SIZE + 1)

static void add_sums(store_words_t *words, const int sums[RATINGS_VALUE_MAX + 1])
{
    char text[RATINGS_VALUES * 12];
    (void)snprintf(text, sizeof text, "%d,%d,%d,%d,%d", sums[1], sums[2], sums[3], sums[4],
                   sums[5]);
    store_word_copy(words, text);
}

/* Of a part: a field and its digit in turn, then how many there are of each. A rating that was
 * withdrawn is none. */
static void add_new_votes_of_talk(store_words_t *words, const ratings_vote_t *votes, size_t count,
                                  int partition)
{
    int sums[RATINGS_VALUE_MAX + 1] = {0};
    for (size_t i = 0; i < count; i++)
        sums[votes[i].value]++;
    char *at = store_word_room(words, (count - (size_t)sums[RATINGS_VALUE_NONE]) * NEW_VOTE_SIZE);
    for (size_t i = 0; at && i < count; i++) {
        if (votes[i].value == RATINGS_VALUE_NONE)
            continue;
        store_voter_field(at, &votes[i].voter, partition);
        at[RATINGS_VOTER_SIZE] = (char)('0' + votes[i].value);
        at += NEW_VOTE_SIZE;
    }
    add_sums(words, sums);
}

static void add_votes(store_words_t *words, const part_t *part)
{
    const ratings_batch_t *batch = part->batch;
    for (int i = part->from; i < part->to && batch->voted_count > 0; i++) {
        size_t count = (size_t)vote_count(part, i);
        if (count == 0)
            continue;
        store_word_number(words, i - part->from + 1);
        (is_part(part) ? add_new_votes_of_talk : add_votes_of_talk)(
            words, batch->increments[i]->votes + first_vote(part, i), count, batch->partition);
    }
}

/* ---- the counts that are replied ---- */

_Static_assert(sizeof(ratings_histogram_t) == RATINGS_VALUES * sizeof(uint64_t),
               "the counts of a talk lie as they are replied");

static store_more_t room_for_counts(const ratings_batch_t *batch)
{
    size_t talks = batch->counts ? (size_t)batch->increment_count : 0;
    return (store_more_t){batch->counts, talks * sizeof *batch->counts};
}

/* In their place. False: they are none. */
static bool unpack_counts(const ratings_batch_t *batch)
{
    int talks = batch->counts ? batch->increment_count : 0;
    bool are_counts = true;
    for (int i = 0; i < talks; i++)
        for (int v = 0; v < RATINGS_VALUES; v++) {
            uint64_t count = be64toh((uint64_t)batch->counts[i].count[v]);
            are_counts &= count <= STORE_COUNT_MAX;
            batch->counts[i].count[v] = (int64_t)count;
        }
    return are_counts;
}

/* ---- applying ---- */

static void make_script(store_words_t *words, const part_t *part)
{
    int talks = part->to - part->from, voted = count_voted(part);
    int keys = APPLY_KEYS + talks + voted;
    int room = keys + APPLY_ARGUMENTS + talks * RATINGS_VALUES +
               part->batch->use_count * USE_WORDS + voted * VOTED_WORDS;
    if (!store_words_script(words, &lua_apply, keys, room))
        return;
    add_keys(words, part);
    add_arguments(words, part, voted);
    add_increments(words, part);
    add_uses(words, part);
    add_votes(words, part);
}

apr_status_t ratings_store_apply(ratings_store_t *store, const ratings_batch_t *const *batches,
                                 int count, ratings_cas_e *results, ratings_result_t *why)
{
    store_words_t scripts[RATINGS_APPLY_MAX] = {{0}};
    store_more_t counts[RATINGS_APPLY_MAX] = {{0}};
    for (int i = 0; i < count; i++) {
        const part_t part = whole_batch(batches[i]);
        make_script(&scripts[i], &part);
        counts[i] = room_for_counts(batches[i]);
    }
    apr_status_t status = store_cas_all(store, scripts, counts, count, results, why);
    for (int i = 0; i < count; i++) {
        store_words_free(&scripts[i]);
        if (results[i] == RATINGS_CAS_APPLIED && !unpack_counts(batches[i])) {
            results[i] = RATINGS_CAS_CONFLICT; /* nobody knows what was applied */
            status = store_foreign(why, "the answer of a script");
        }
    }
    return status;
}

apr_status_t ratings_store_fill(ratings_store_t *store, ratings_fill_t *fill, ratings_cas_e *result,
                                ratings_result_t *why)
{
    store_words_t words;
    const part_t part = next_part(fill);
    make_script(&words, &part);
    apr_status_t status = store_cas(store, &words, result, why);
    store_words_free(&words);
    if (status == APR_SUCCESS && *result == RATINGS_CAS_APPLIED)
        complete_part(fill, &part);
    return status;
}
