#include "batch.h"

#include "../core/assertion.h"
#include "../core/event.h"
#include "../shm/segment.h"

#include "ballots.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>

#include <string.h>

/* A talk of the batch. */
typedef struct {
    ratings_increment_t increment;
    uint32_t number; /* of the increment, from 0 */
} talk_t;

/* An event with an idempotency key: whether it counts is decided when all that the store says of
 * the keys is asked for at once, in batch_resolve_keys. */
typedef struct {
    ratings_event_t event;
    ratings_key_use_t *use;
    int64_t offset, time;
} keyed_event_t;

struct batch_t {
    ratings_batch_t result;
    apr_array_header_t *increments; /* of ratings_increment_t *, each within a talk_t */
    apr_array_header_t *slots;      /* of uint32_t */
    apr_hash_t *by_talk;
    apr_array_header_t *uses;          /* of ratings_key_use_t * */
    apr_array_header_t *keyed_events;  /* of keyed_event_t *; NULL until there is one */
    apr_hash_t *by_key;                /* see name_of_key -> ratings_key_use_t */
    ballots_t ballots;                 /* the votes of all talks */
    bool out_of_memory;                /* a vote was lost */
    ratings_voter_set_t *barred;       /* after the record added last */
    apr_array_header_t *bars;          /* of ratings_bar_t; NULL until there is one */
    ratings_ticket_windows_t *tickets; /* after the record added last */
    apr_array_header_t *forgotten;     /* lives, uint64_t; NULL until there is one */
    bool has_tickets;
    const ratings_record_t *last; /* whose fingerprint is still to be taken, or NULL */
    apr_pool_t *pool;
};

#define INITIAL_LENGTH 16 /* of arrays */
#define VOTES_A_TALK 2    /* which cost the store as much as a talk */
#define COUNTED_MAX 64    /* talks whose counts are asked for: 40 bytes each of the reply */

static apr_status_t free_ballots(void *data)
{
    ballots_free(data);
    return APR_SUCCESS;
}

batch_t *batch_create(const ratings_batch_t *start, ratings_voter_set_t *barred,
                      ratings_ticket_windows_t *tickets, apr_pool_t *pool)
{
    batch_t *batch = apr_pcalloc(pool, sizeof *batch);
    batch->result = *start;
    batch->result.next_checkpoint = start->checkpoint;
    batch->result.first.offset = RATINGS_FINGERPRINT_NONE;
    batch->increments = apr_array_make(pool, INITIAL_LENGTH, sizeof(ratings_increment_t *));
    batch->slots = apr_array_make(pool, INITIAL_LENGTH, sizeof(uint32_t));
    batch->by_talk = apr_hash_make(pool);
    batch->barred = barred;
    batch->result.barred = (int64_t)barred->count;
    batch->tickets = tickets;
    batch->result.lives = (int64_t)tickets->count;
    batch->pool = pool;
    apr_pool_cleanup_register(pool, &batch->ballots, free_ballots, apr_pool_cleanup_null);
    return batch;
}

/* ---- counts ---- */

static talk_t *add_talk(batch_t *batch, const char *talk_id, apr_ssize_t length)
{
    talk_t *talk = apr_pcalloc(batch->pool, sizeof *talk);
    talk->increment.talk_id = apr_pstrmemdup(batch->pool, talk_id, (apr_size_t)length);
    talk->number = (uint32_t)batch->increments->nelts;
    APR_ARRAY_PUSH(batch->increments, ratings_increment_t *) = &talk->increment;
    APR_ARRAY_PUSH(batch->slots, uint32_t) = ratings_shm_slot(talk_id);
    apr_hash_set(batch->by_talk, talk->increment.talk_id, length, talk);
    return talk;
}

/* The voter's last event decides. Events with an idempotency key are counted after all others: the
 * one before may come later. */
static void set_vote(batch_t *batch, talk_t *talk, const ratings_event_t *event, int64_t offset)
{
    int votes = batch->ballots.count;
    ratings_vote_t *vote = ballots_vote(&batch->ballots, talk->number, &event->voter);
    batch->out_of_memory |= !vote;
    if (batch->ballots.count > votes && talk->increment.vote_count++ == 0)
        batch->result.voted_count++;
    if (!vote || offset < vote->offset)
        return;
    vote->value = event->rating.value;
    vote->offset = offset;
}

static void count_event(batch_t *batch, const ratings_event_t *event, int64_t offset)
{
    const ratings_rating_t *rating = &event->rating;
    apr_ssize_t length = (apr_ssize_t)strlen(rating->talk_id);
    talk_t *talk = apr_hash_get(batch->by_talk, rating->talk_id, length);
    if (!talk)
        talk = add_talk(batch, rating->talk_id, length);
    if (event->has_voter)
        set_vote(batch, talk, event, offset);
    else
        talk->increment.added[rating->value - RATINGS_VALUE_MIN]++;
}

void batch_set_standing(batch_t *batch, const ratings_standing_t *standing)
{
    batch->result.standing = *standing;
}

/* ---- events with an idempotency key ---- */

#define KEY_NAME_MAX (RATINGS_TALK_ID_MAX + 1 + RATINGS_KEY_MAX + 1 + RATINGS_VOTER_SIZE)

/* Talk and key, each with its end, and the voter if there is one. Returns the length. */
static apr_ssize_t name_of_key(char name[KEY_NAME_MAX], const ratings_event_t *event)
{
    size_t talk_size = strlen(event->rating.talk_id) + 1, key_size = strlen(event->key.text) + 1;
    memcpy(name, event->rating.talk_id, talk_size);
    memcpy(name + talk_size, event->key.text, key_size);
    if (event->has_voter)
        memcpy(name + talk_size + key_size, event->voter.hash, RATINGS_VOTER_SIZE);
    return (apr_ssize_t)(talk_size + key_size + (event->has_voter ? RATINGS_VOTER_SIZE : 0));
}

static ratings_key_use_t *add_use(batch_t *batch, const ratings_event_t *event)
{
    ratings_key_use_t *use = apr_pcalloc(batch->pool, sizeof *use);
    use->key.talk_id = apr_pstrdup(batch->pool, event->rating.talk_id);
    use->key.text = apr_pstrdup(batch->pool, event->key.text);
    if (event->has_voter)
        use->key.voter = apr_pmemdup(batch->pool, &event->voter, sizeof event->voter);
    APR_ARRAY_PUSH(batch->uses, ratings_key_use_t *) = use;
    return use;
}

static ratings_key_use_t *use_of_key(batch_t *batch, const ratings_event_t *event)
{
    char name[KEY_NAME_MAX];
    apr_ssize_t length = name_of_key(name, event);
    ratings_key_use_t *use = apr_hash_get(batch->by_key, name, length);
    if (!use) {
        use = add_use(batch, event);
        apr_hash_set(batch->by_key, apr_pmemdup(batch->pool, name, (size_t)length), length, use);
    }
    return use;
}

static void add_keyed_event(batch_t *batch, const ratings_event_t *event, int64_t offset)
{
    if (!batch->keyed_events) {
        batch->keyed_events = apr_array_make(batch->pool, INITIAL_LENGTH, sizeof(keyed_event_t *));
        batch->uses = apr_array_make(batch->pool, INITIAL_LENGTH, sizeof(ratings_key_use_t *));
        batch->by_key = apr_hash_make(batch->pool);
    }
    keyed_event_t *keyed = apr_palloc(batch->pool, sizeof *keyed);
    *keyed = (keyed_event_t){*event, use_of_key(batch, event), offset, batch->result.log_time};
    APR_ARRAY_PUSH(batch->keyed_events, keyed_event_t *) = keyed;
}

static void count_if_key_is_new(batch_t *batch, keyed_event_t *keyed)
{
    const ratings_event_t *event = &keyed->event;
    if (ratings_key_resolve(&keyed->use->use, &event->key, event->rating.value, keyed->offset,
                            keyed->time) != RATINGS_VERDICT_COUNTED)
        return;
    keyed->use->changed = true;
    count_event(batch, event, keyed->offset);
}

apr_status_t batch_resolve_keys(batch_t *batch, ratings_store_t *store, ratings_cas_e *result,
                                ratings_result_t *why)
{
    RATINGS_ASSERT(!batch->last);
    *result = RATINGS_CAS_APPLIED;
    if (!batch->keyed_events)
        return ratings_result_ok(why);
    batch->result.uses = (ratings_key_use_t *const *)(const void *)batch->uses->elts;
    batch->result.use_count = batch->uses->nelts;
    apr_status_t status = ratings_store_load_uses(store, &batch->result, result, why);
    if (status != APR_SUCCESS || *result != RATINGS_CAS_APPLIED)
        return status;
    for (int i = 0; i < batch->keyed_events->nelts; i++)
        count_if_key_is_new(batch, APR_ARRAY_IDX(batch->keyed_events, i, keyed_event_t *));
    return batch->out_of_memory ? ratings_result_set(why, APR_ENOMEM, "out of memory")
                                : APR_SUCCESS;
}

/* ---- barred voters ---- */

/* They may still withdraw what they gave before. */
static bool is_of_barred_voter(const batch_t *batch, const ratings_event_t *event)
{
    return event->has_voter && event->rating.value != RATINGS_VALUE_NONE &&
           ratings_voter_set_has(batch->barred, &event->voter);
}

bool batch_bar(batch_t *batch, const ratings_bar_t *bar)
{
    if (!batch->bars)
        batch->bars = apr_array_make(batch->pool, 1, sizeof(ratings_bar_t));
    APR_ARRAY_PUSH(batch->bars, ratings_bar_t) = *bar;
    if (bar->is_barred)
        return ratings_voter_set_add(batch->barred, &bar->voter);
    ratings_voter_set_remove(batch->barred, &bar->voter);
    return true;
}

/* ---- tickets ---- */

ratings_ticket_e batch_note_ticket(batch_t *batch, const ratings_ticket_t *ticket, int64_t offset)
{
    uint64_t forgotten;
    RATINGS_ASSERT(offset >= batch->result.next_checkpoint);
    ratings_ticket_e result =
        ratings_ticket_windows_check_and_note(batch->tickets, ticket, offset, &forgotten);
    batch->has_tickets |= result == RATINGS_TICKET_COUNTS;
    if (!forgotten)
        return result;
    if (!batch->forgotten)
        batch->forgotten = apr_array_make(batch->pool, 1, sizeof forgotten);
    APR_ARRAY_PUSH(batch->forgotten, uint64_t) = forgotten;
    return result;
}

/* A copy, since the next batch changes them while this one is on its way. */
static void finish_tickets(batch_t *batch)
{
    const ratings_ticket_windows_t *tickets = batch->tickets;
    ratings_batch_t *result = &batch->result;
    if (!batch->has_tickets)
        return;
    ratings_ticket_window_t *changed =
        apr_palloc(batch->pool, tickets->count * sizeof(ratings_ticket_window_t));
    result->windows = changed;
    for (size_t i = 0; i < tickets->count; i++)
        if (tickets->window[i].offset >= result->checkpoint)
            changed[result->window_count++] = tickets->window[i];
    if (batch->forgotten) {
        result->forgotten = (const uint64_t *)(const void *)batch->forgotten->elts;
        result->forgotten_count = batch->forgotten->nelts;
    }
}

/* ---- records ---- */

ratings_fingerprint_t fingerprint_of(const ratings_record_t *record)
{
    ratings_fingerprint_t fingerprint = {
        record->offset, record->timestamp,
        ratings_event_checksum(record->key, record->key_len, record->value, record->value_len)};
    return fingerprint;
}

static const char *add_event(batch_t *batch, const ratings_record_t *record)
{
    ratings_event_t event;
    const char *problem = ratings_event_decode(record->key, record->key_len, record->value,
                                               record->value_len, &event);
    if (problem)
        return problem;
    if (is_of_barred_voter(batch, &event))
        return NULL;
    if (event.key.text[0] && record->has_append_time)
        add_keyed_event(batch, &event, record->offset);
    else /* without the log's own time a key means nothing */
        count_event(batch, &event, record->offset);
    return NULL;
}

const char *batch_add(batch_t *batch, const ratings_record_t *record, bool is_duplicate)
{
    ratings_batch_t *result = &batch->result;
    RATINGS_ASSERT(record->partition == result->partition && !record->is_end);
    if (record->offset < result->next_checkpoint)
        return NULL;
    if (record->has_append_time)
        result->log_time = ratings_log_time(result->log_time, record->timestamp);
    result->next_checkpoint = record->offset + 1;
    batch->last = record;
    if (result->previous.offset < 0 && result->first.offset == RATINGS_FINGERPRINT_NONE)
        result->first = fingerprint_of(record);
    return is_duplicate ? NULL : add_event(batch, record);
}

bool batch_detach(batch_t *batch)
{
    if (batch->last)
        batch->result.last = fingerprint_of(batch->last);
    batch->last = NULL;
    return !batch->out_of_memory;
}

int64_t batch_next_offset(const batch_t *batch)
{
    return batch->result.next_checkpoint;
}

int batch_talks(const batch_t *batch)
{
    return batch->increments->nelts;
}

int batch_votes(const batch_t *batch)
{
    return batch->ballots.count;
}

size_t batch_vote_room(const batch_t *batch, int more)
{
    return ballots_room_with(&batch->ballots, more);
}

int batch_keyed_events(const batch_t *batch)
{
    return batch->keyed_events ? batch->keyed_events->nelts : 0;
}

bool batch_has_bars(const batch_t *batch)
{
    return batch->bars != NULL;
}

int batch_size(const batch_t *batch)
{
    int bars = batch->bars ? batch->bars->nelts : 0;
    return batch->increments->nelts + batch_keyed_events(batch) +
           batch->ballots.count / VOTES_A_TALK + bars;
}

const ratings_batch_t *batch_finish(batch_t *batch, bool wants_counts)
{
    RATINGS_ASSERT(!batch->last && batch->result.last.offset < batch->result.next_checkpoint);
    ratings_increment_t *const *talks = (void *)batch->increments->elts;
    int count = batch->increments->nelts;
    ballots_sort(&batch->ballots, talks, count,
                 apr_palloc(batch->pool, (apr_size_t)count * sizeof(int)));
    batch->result.increments = (const ratings_increment_t *const *)talks;
    batch->result.increment_count = count;
    if (batch->bars) {
        batch->result.bars = (const ratings_bar_t *)(const void *)batch->bars->elts;
        batch->result.bar_count = batch->bars->nelts;
    }
    finish_tickets(batch);
    if (wants_counts && count <= COUNTED_MAX)
        batch->result.counts =
            apr_palloc(batch->pool, (apr_size_t)count * sizeof(ratings_histogram_t));
    return &batch->result;
}

const uint32_t *batch_slots(const batch_t *batch)
{
    return (const uint32_t *)(const void *)batch->slots->elts;
}
