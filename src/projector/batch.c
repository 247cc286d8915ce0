#include "batch.h"

#include "../core/event.h"
#include "../shm/segment.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include <string.h>

/* An event with a key, until it is known what the store says of the key. */
typedef struct {
    ratings_event_t event;
    ratings_key_use_t *keyed;
    int64_t offset, time;
} pending_t;

struct chunk_t {
    ratings_batch_t chunk;
    apr_array_header_t *increments; /* of ratings_increment_t * */
    apr_array_header_t *slots;      /* of uint32_t */
    apr_hash_t *by_talk;
    apr_array_header_t *keyed;    /* of ratings_key_use_t * */
    apr_array_header_t *pending;  /* of pending_t *; NULL until there is one */
    apr_hash_t *by_key;           /* "talk\0key" -> ratings_key_use_t */
    const ratings_record_t *last; /* whose mark is still to be made, or NULL */
    apr_pool_t *pool;
};

#define ROOM 16 /* of arrays at first */

chunk_t *chunk_begin(const ratings_batch_t *start, apr_pool_t *pool)
{
    chunk_t *chunk = apr_pcalloc(pool, sizeof *chunk);
    chunk->chunk = *start;
    chunk->chunk.next_checkpoint = start->checkpoint;
    chunk->chunk.first.offset = RATINGS_FINGERPRINT_NONE;
    chunk->increments = apr_array_make(pool, ROOM, sizeof(ratings_increment_t *));
    chunk->slots = apr_array_make(pool, ROOM, sizeof(uint32_t));
    chunk->by_talk = apr_hash_make(pool);
    chunk->pool = pool;
    return chunk;
}

static ratings_increment_t *add_talk(chunk_t *chunk, const char *talk_id, apr_ssize_t length)
{
    ratings_increment_t *increment = apr_pcalloc(chunk->pool, sizeof *increment);
    increment->talk_id = apr_pstrmemdup(chunk->pool, talk_id, (apr_size_t)length);
    APR_ARRAY_PUSH(chunk->increments, ratings_increment_t *) = increment;
    APR_ARRAY_PUSH(chunk->slots, uint32_t) = ratings_shm_slot(talk_id);
    apr_hash_set(chunk->by_talk, increment->talk_id, length, increment);
    return increment;
}

static void count(chunk_t *chunk, const ratings_rating_t *rating)
{
    apr_ssize_t length = (apr_ssize_t)strlen(rating->talk_id);
    ratings_increment_t *increment = apr_hash_get(chunk->by_talk, rating->talk_id, length);
    if (!increment)
        increment = add_talk(chunk, rating->talk_id, length);
    increment->added[rating->value - RATINGS_VALUE_MIN]++;
}

/* ---- events with a key ---- */

static ratings_key_use_t *keyed_of(chunk_t *chunk, const ratings_event_t *event)
{
    const char *talk_id = event->rating.talk_id;
    apr_ssize_t talk_length = (apr_ssize_t)strlen(talk_id) + 1; /* with its end */
    apr_ssize_t length = talk_length + (apr_ssize_t)strlen(event->key.text);
    char name[RATINGS_TALK_ID_MAX + 1 + RATINGS_KEY_MAX + 1];
    memcpy(name, talk_id, (size_t)talk_length);
    memcpy(name + talk_length, event->key.text, (size_t)(length - talk_length));
    ratings_key_use_t *keyed = apr_hash_get(chunk->by_key, name, length);
    if (!keyed) {
        keyed = apr_pcalloc(chunk->pool, sizeof *keyed);
        APR_ARRAY_PUSH(chunk->keyed, ratings_key_use_t *) = keyed;
        keyed->talk_id = apr_pstrdup(chunk->pool, talk_id);
        keyed->key = apr_pstrdup(chunk->pool, event->key.text);
        apr_hash_set(chunk->by_key, apr_pmemdup(chunk->pool, name, (size_t)length), length, keyed);
    }
    return keyed;
}

static void postpone(chunk_t *chunk, const ratings_event_t *event, int64_t offset)
{
    if (!chunk->pending) {
        chunk->pending = apr_array_make(chunk->pool, ROOM, sizeof(pending_t *));
        chunk->keyed = apr_array_make(chunk->pool, ROOM, sizeof(ratings_key_use_t *));
        chunk->by_key = apr_hash_make(chunk->pool);
    }
    pending_t *pending = apr_palloc(chunk->pool, sizeof *pending);
    *pending = (pending_t){*event, keyed_of(chunk, event), offset, chunk->chunk.log_time};
    APR_ARRAY_PUSH(chunk->pending, pending_t *) = pending;
}

static void judge(chunk_t *chunk, pending_t *pending)
{
    const ratings_event_t *event = &pending->event;
    if (ratings_key_judge(&pending->keyed->use, &event->key, event->rating.value, pending->offset,
                          pending->time) != RATINGS_COUNTED)
        return;
    pending->keyed->changed = true;
    count(chunk, &event->rating);
}

apr_status_t chunk_settle(chunk_t *chunk, ratings_store_t *store, ratings_cas_e *end,
                          ratings_result_t *why)
{
    *end = RATINGS_CAS_APPLIED;
    if (!chunk->pending)
        return ratings_result_ok(why);
    chunk->chunk.uses = (ratings_key_use_t *const *)(const void *)chunk->keyed->elts;
    chunk->chunk.use_count = chunk->keyed->nelts;
    apr_status_t status = ratings_store_load_uses(store, &chunk->chunk, end, why);
    if (status != APR_SUCCESS || *end != RATINGS_CAS_APPLIED)
        return status;
    for (int i = 0; i < chunk->pending->nelts; i++)
        judge(chunk, APR_ARRAY_IDX(chunk->pending, i, pending_t *));
    return APR_SUCCESS;
}

/* ---- records ---- */

ratings_fingerprint_t chunk_mark_of(const ratings_record_t *record)
{
    ratings_fingerprint_t mark = {
        record->offset, record->timestamp,
        ratings_event_checksum(record->key, record->key_len, record->value, record->value_len)};
    return mark;
}

static const char *add_event(chunk_t *chunk, const ratings_record_t *record)
{
    ratings_event_t event;
    const char *problem = ratings_event_decode(record->key, record->key_len, record->value,
                                               record->value_len, &event);
    if (problem)
        return problem;
    if (event.key.text[0] && record->has_append_time)
        postpone(chunk, &event, record->offset);
    else /* without the log's own time a key means nothing */
        count(chunk, &event.rating);
    return NULL;
}

const char *chunk_add(chunk_t *chunk, const ratings_record_t *record, bool repeats)
{
    ratings_batch_t *result = &chunk->chunk;
    if (record->offset < result->next_checkpoint)
        return NULL;
    if (record->has_append_time)
        result->log_time = ratings_log_time(result->log_time, record->timestamp);
    result->next_checkpoint = record->offset + 1;
    chunk->last = record;
    if (result->previous.offset < 0 && result->first.offset == RATINGS_FINGERPRINT_NONE)
        result->first = chunk_mark_of(record);
    return repeats ? NULL : add_event(chunk, record);
}

void chunk_let_go(chunk_t *chunk)
{
    if (chunk->last)
        chunk->chunk.last = chunk_mark_of(chunk->last);
    chunk->last = NULL;
}

int64_t chunk_next(const chunk_t *chunk)
{
    return chunk->chunk.next_checkpoint;
}

int chunk_keyed(const chunk_t *chunk)
{
    return chunk->pending ? chunk->pending->nelts : 0;
}

int chunk_size(const chunk_t *chunk)
{
    return chunk->increments->nelts + chunk_keyed(chunk);
}

const ratings_batch_t *chunk_result(chunk_t *chunk)
{
    chunk->chunk.increments =
        (const ratings_increment_t *const *)(const void *)chunk->increments->elts;
    chunk->chunk.increment_count = chunk->increments->nelts;
    return &chunk->chunk;
}

const uint32_t *chunk_slots(const chunk_t *chunk)
{
    return (const uint32_t *)(const void *)chunk->slots->elts;
}
