#include "append_ring.h"

#include "../core/clock.h"
#include "futex.h"
#include "process.h"

#include <apr_general.h>

#include <stdatomic.h>
#include <string.h>

/* ---- a slot's word ---- */

#define PAYLOAD_BITS 44
#define LAP_BITS 15
#define PAYLOAD_MASK ((UINT64_C(1) << PAYLOAD_BITS) - 1)
#define LAP_MASK ((UINT64_C(1) << LAP_BITS) - 1)
#define LAP_SHIFT PAYLOAD_BITS
#define REPEATED (UINT64_C(1) << (LAP_SHIFT + LAP_BITS))
#define LEFT (REPEATED << 1)
#define STATE_SHIFT (LAP_SHIFT + LAP_BITS + 2)

_Static_assert(STATE_SHIFT + 3 == 64, "state, marks, lap and payload are one word");
_Static_assert(RATINGS_PROCESS_BITS <= PAYLOAD_BITS, "an owner fits in the word");

static ratings_append_state_e state_of(uint64_t word)
{
    return (ratings_append_state_e)(word >> STATE_SHIFT);
}

static uint64_t payload_of(uint64_t word)
{
    return word & PAYLOAD_MASK;
}

static uint64_t lap_of_number(uint64_t number)
{
    return number / RATINGS_APPEND_SLOTS & LAP_MASK;
}

/* How many laps the word is ahead of the ticket: 0 while it has the ticket. */
static int laps_ahead(uint64_t word, uint64_t number)
{
    uint64_t laps = ((word >> LAP_SHIFT) - lap_of_number(number)) & LAP_MASK;
    return laps > LAP_MASK / 2 ? -1 : (int)laps;
}

static uint64_t word_for(ratings_append_state_e state, uint64_t number, uint64_t payload)
{
    return (uint64_t)state << STATE_SHIFT | lap_of_number(number) << LAP_SHIFT |
           (payload & PAYLOAD_MASK);
}

static uint64_t free_word_after(uint64_t number)
{
    return word_for(RATINGS_APPEND_FREE, number + RATINGS_APPEND_SLOTS, 0);
}

/* ---- the rings ---- */

/* The event as it lies in a slot, in words: a late writer may copy it while the slot has its next
 * ticket already. */
#define EVENT_BYTES_MAX (40 + RATINGS_TALK_ID_MAX + RATINGS_KEY_MAX)
#define EVENT_WORDS ((EVENT_BYTES_MAX + 7) / 8)

typedef struct {
    _Alignas(RATINGS_CACHE_LINE) _Atomic uint64_t word;
    _Atomic uint64_t owner;      /* written while it is filled */
    _Atomic int64_t claimed_at;  /* the same */
    _Atomic uint32_t wakes;      /* the request sleeps on it */
    _Atomic uint32_t event_size; /* bytes */
    _Atomic uint64_t event[EVENT_WORDS];
} slot_t;

typedef struct {
    _Alignas(RATINGS_CACHE_LINE) uint64_t life;
    _Alignas(RATINGS_CACHE_LINE) _Atomic uint64_t head; /* the next ticket, or one given already */
    slot_t slot[RATINGS_APPEND_SLOTS];
} ring_t;

struct ratings_append_rings_t {
    ratings_host_lease_t lease;
    _Alignas(RATINGS_CACHE_LINE) _Atomic uint32_t queued; /* counts; the writer sleeps on it */
    _Atomic uint32_t is_asleep;
    ring_t ring[RATINGS_APPEND_RINGS];
};

RATINGS_SHM_STRUCT(ratings_append_rings_t, 2622080, 12);

size_t ratings_append_rings_size(void)
{
    return sizeof(ratings_append_rings_t);
}

int ratings_append_rings_init(ratings_append_rings_t *rings)
{
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < RATINGS_APPEND_RINGS && status == APR_SUCCESS; i++)
        do
            status = apr_generate_random_bytes((unsigned char *)&rings->ring[i].life,
                                               sizeof rings->ring[i].life);
        while (status == APR_SUCCESS && rings->ring[i].life == 0);
    return status;
}

ratings_host_lease_t *ratings_append_lease(ratings_append_rings_t *rings)
{
    return &rings->lease;
}

static slot_t *slot_at(ratings_append_rings_t *rings, int ring, uint64_t number)
{
    return &rings->ring[ring].slot[number % RATINGS_APPEND_SLOTS];
}

static slot_t *slot_of(const ratings_append_slot_t *slot)
{
    return slot_at(slot->rings, slot->ring, slot->number);
}

/* The word, if the slot still has this ticket. */
static bool load_word(const ratings_append_slot_t *slot, uint64_t *word)
{
    *word = atomic_load(&slot_of(slot)->word);
    return laps_ahead(*word, slot->number) == 0;
}

/* ---- an event in words ---- */

typedef struct {
    uint16_t partition;
    uint8_t value, has_voter, talk_len, key_len;
    int64_t window_ms;
    ratings_voter_t voter;
    char text[RATINGS_TALK_ID_MAX + RATINGS_KEY_MAX];
} packed_t;

_Static_assert(sizeof(packed_t) <= EVENT_WORDS * 8, "an event fits into a slot");
_Static_assert(RATINGS_TALK_ID_MAX <= UINT8_MAX && RATINGS_KEY_MAX <= UINT8_MAX,
               "so that no length read from a slot is beyond the text");

static size_t pack_event(const ratings_event_t *event, int partition, packed_t *packed)
{
    size_t talk_len = strlen(event->rating.talk_id), key_len = strlen(event->key.text);
    memset(packed, 0, offsetof(packed_t, text));
    packed->partition = (uint16_t)partition;
    packed->value = (uint8_t)event->rating.value;
    packed->has_voter = event->has_voter;
    packed->talk_len = (uint8_t)talk_len;
    packed->key_len = (uint8_t)key_len;
    packed->window_ms = event->key.window_ms;
    packed->voter = event->voter;
    memcpy(packed->text, event->rating.talk_id, talk_len);
    memcpy(packed->text + talk_len, event->key.text, key_len);
    return offsetof(packed_t, text) + talk_len + key_len;
}

static void unpack_event(const packed_t *packed, ratings_append_taken_t *taken)
{
    ratings_event_t *event = &taken->event;
    taken->partition = packed->partition;
    event->rating.value = packed->value;
    event->has_voter = packed->has_voter;
    event->voter = packed->voter;
    event->key.window_ms = packed->window_ms;
    memcpy(event->rating.talk_id, packed->text, packed->talk_len);
    event->rating.talk_id[packed->talk_len] = '\0';
    memcpy(event->key.text, packed->text + packed->talk_len, packed->key_len);
    event->key.text[packed->key_len] = '\0';
}

static void store_event(slot_t *slot, const packed_t *packed, size_t size)
{
    uint64_t words[EVENT_WORDS] = {0};
    memcpy(words, packed, size);
    for (size_t i = 0; i < (size + 7) / 8; i++)
        atomic_store_explicit(&slot->event[i], words[i], memory_order_relaxed);
    atomic_store_explicit(&slot->event_size, (uint32_t)size, memory_order_relaxed);
}

/* What is read may be torn, if the slot has another ticket by now: then the copy is not used. */
static void load_event(slot_t *slot, packed_t *packed)
{
    uint64_t words[EVENT_WORDS] = {0};
    size_t size = atomic_load_explicit(&slot->event_size, memory_order_relaxed);
    size = size < sizeof *packed ? size : sizeof *packed;
    for (size_t i = 0; i < (size + 7) / 8; i++)
        words[i] = atomic_load_explicit(&slot->event[i], memory_order_relaxed);
    memcpy(packed, words, sizeof *packed);
}

/* ---- by a request ---- */

/* Takes the slot of a ticket if it is free for it. */
static bool claim_slot(slot_t *slot, uint64_t number, uint64_t owner)
{
    uint64_t word = word_for(RATINGS_APPEND_FREE, number, 0);
    if (!atomic_compare_exchange_strong(&slot->word, &word,
                                        word_for(RATINGS_APPEND_FILLING, number, owner)))
        return false;
    atomic_store_explicit(&slot->owner, owner, memory_order_relaxed);
    atomic_store_explicit(&slot->claimed_at, ratings_monotonic(), memory_order_relaxed);
    return true;
}

/* Whoever finds the head's ticket given moves the head on: the one that was given it may be dead.
 */
bool ratings_append_claim(ratings_append_rings_t *rings, int partition, uint64_t owner,
                          ratings_append_slot_t *slot)
{
    int i = partition % RATINGS_APPEND_RINGS;
    _Atomic uint64_t *head = &rings->ring[i].head;
    for (;;) {
        uint64_t number = atomic_load(head), next = number;
        slot_t *found = slot_at(rings, i, number);
        uint64_t word = atomic_load(&found->word);
        int ahead = laps_ahead(word, number);
        if (ahead < 0)
            return false;
        bool claimed =
            ahead == 0 && state_of(word) == RATINGS_APPEND_FREE && claim_slot(found, number, owner);
        (void)atomic_compare_exchange_strong(head, &next, number + 1);
        if (!claimed)
            continue;
        *slot = (ratings_append_slot_t){rings, i, number};
        return true;
    }
}

void ratings_append_rouse(ratings_append_rings_t *rings)
{
    ratings_shm_wake(&rings->queued);
}

bool ratings_append_queue(const ratings_append_slot_t *slot, const ratings_event_t *event,
                          int partition)
{
    slot_t *found = slot_of(slot);
    packed_t packed;
    size_t size = pack_event(event, partition, &packed);
    uint64_t owner = atomic_load_explicit(&found->owner, memory_order_relaxed);
    uint64_t word = word_for(RATINGS_APPEND_FILLING, slot->number, owner);
    store_event(found, &packed, size);
    if (!atomic_compare_exchange_strong(&found->word, &word,
                                        word_for(RATINGS_APPEND_QUEUED, slot->number, 0)))
        return false;
    if (atomic_exchange(&slot->rings->is_asleep, 0))
        ratings_append_rouse(slot->rings);
    return true;
}

ratings_append_view_t ratings_append_look(const ratings_append_slot_t *slot)
{
    uint64_t word;
    if (!load_word(slot, &word))
        return (ratings_append_view_t){.state = RATINGS_APPEND_FREE};
    return (ratings_append_view_t){.state = state_of(word),
                                   .is_repeated = (word & REPEATED) != 0,
                                   .detail = (int64_t)payload_of(word)};
}

uint32_t ratings_append_wakes(const ratings_append_slot_t *slot)
{
    return atomic_load(&slot_of(slot)->wakes);
}

void ratings_append_wait(const ratings_append_slot_t *slot, uint32_t wakes, int64_t timeout)
{
    ratings_shm_wait(&slot_of(slot)->wakes, wakes, timeout);
}

void ratings_append_wake(const ratings_append_slot_t *slot)
{
    ratings_shm_wake(&slot_of(slot)->wakes);
}

/* What was queued and never sent is free; what may be in the log is marked. */
ratings_append_state_e ratings_append_leave(const ratings_append_slot_t *slot)
{
    uint64_t word;
    while (load_word(slot, &word)) {
        ratings_append_state_e state = state_of(word);
        bool is_unsent = state == RATINGS_APPEND_QUEUED && !(word & REPEATED);
        if (state == RATINGS_APPEND_DURABLE || state == RATINGS_APPEND_FAILED)
            return state;
        if (atomic_compare_exchange_strong(&slot_of(slot)->word, &word,
                                           is_unsent ? free_word_after(slot->number) : word | LEFT))
            return is_unsent ? RATINGS_APPEND_QUEUED : RATINGS_APPEND_SENT;
    }
    return RATINGS_APPEND_SENT;
}

void ratings_append_free(const ratings_append_slot_t *slot)
{
    uint64_t word;
    if (load_word(slot, &word) &&
        (state_of(word) == RATINGS_APPEND_DURABLE || state_of(word) == RATINGS_APPEND_FAILED))
        (void)atomic_compare_exchange_strong(&slot_of(slot)->word, &word,
                                             free_word_after(slot->number));
}

/* ---- by a writer ---- */

void ratings_append_begin_pass(ratings_append_rings_t *rings, ratings_append_pass_t *pass,
                               bool whole)
{
    for (int i = 0; i < RATINGS_APPEND_RINGS; i++) {
        uint64_t head = atomic_load(&rings->ring[i].head);
        uint64_t first = head > RATINGS_APPEND_SLOTS ? head - RATINGS_APPEND_SLOTS : 0;
        if (whole || pass->from[i] < first)
            pass->from[i] = first;
        pass->at[i] = pass->from[i];
        pass->is_held_up[i] = false;
    }
}

/* The slot of the pass's next ticket, if that was given; the pass moves on. False: this ring has no
 * more. */
static bool next_slot(ratings_append_rings_t *rings, ratings_append_pass_t *pass, int i,
                      ratings_append_slot_t *slot, uint64_t *word)
{
    *slot = (ratings_append_slot_t){rings, i, pass->at[i]};
    *word = atomic_load(&slot_of(slot)->word);
    int ahead = laps_ahead(*word, slot->number);
    if (ahead < 0 || (ahead == 0 && state_of(*word) == RATINGS_APPEND_FREE))
        return false;
    pass->at[i]++;
    pass->is_held_up[i] |= ahead == 0 && state_of(*word) == RATINGS_APPEND_FILLING;
    if (!pass->is_held_up[i])
        pass->from[i] = pass->at[i];
    return true;
}

static bool has_ticket(const ratings_append_slot_t *slot, uint64_t word)
{
    return laps_ahead(word, slot->number) == 0;
}

/* Makes the slot this writer's, copies the event, and looks whether it still is. */
static bool send_slot(const ratings_append_slot_t *slot, uint64_t word, uint64_t writer,
                      ratings_append_taken_t *taken)
{
    packed_t packed;
    uint64_t marks = word & (LEFT | REPEATED);
    if (state_of(word) == RATINGS_APPEND_SENT)
        marks |= REPEATED;
    uint64_t sent = word_for(RATINGS_APPEND_SENT, slot->number, writer) | marks;
    slot_t *found = slot_of(slot);
    if (!atomic_compare_exchange_strong(&found->word, &word, sent))
        return false;
    load_event(found, &packed);
    atomic_thread_fence(memory_order_acquire);
    uint64_t now = atomic_load_explicit(&found->word, memory_order_relaxed) & ~LEFT;
    if (now != (sent & ~LEFT))
        return false;
    taken->slot = *slot;
    taken->ticket = (ratings_ticket_t){slot->rings->ring[slot->ring].life, slot->number};
    unpack_event(&packed, taken);
    return true;
}

bool ratings_append_take(ratings_append_rings_t *rings, ratings_append_pass_t *pass,
                         ratings_append_taken_t *taken)
{
    ratings_append_slot_t slot;
    uint64_t word;
    for (int i = 0; i < RATINGS_APPEND_RINGS; i++)
        while (next_slot(rings, pass, i, &slot, &word))
            if (has_ticket(&slot, word) && state_of(word) == RATINGS_APPEND_QUEUED &&
                send_slot(&slot, word, pass->number, taken))
                return true;
    return false;
}

/* ---- surveys ---- */

#define RECLAIM_US INT64_C(1000000) /* so old is a slot whose owner is looked for */

/* What a process that is dead has left: what only it could free is free, and nobody waits for the
 * rest. */
static void reclaim(const ratings_append_slot_t *slot, uint64_t word)
{
    bool under_way =
        state_of(word) == RATINGS_APPEND_QUEUED || state_of(word) == RATINGS_APPEND_SENT;
    (void)atomic_compare_exchange_strong(&slot_of(slot)->word, &word,
                                         under_way ? word | LEFT : free_word_after(slot->number));
}

/* The owner of a slot that is being filled is in the word: what is beside it may be of before. */
static bool is_abandoned(const ratings_append_slot_t *slot, uint64_t word, int64_t now)
{
    slot_t *found = slot_of(slot);
    uint64_t owner = state_of(word) == RATINGS_APPEND_FILLING
                         ? payload_of(word)
                         : atomic_load_explicit(&found->owner, memory_order_relaxed);
    int64_t since = atomic_load_explicit(&found->claimed_at, memory_order_relaxed);
    return !(word & LEFT) && now - since > RECLAIM_US && ratings_process_is_dead(owner);
}

/* Slot and partition, for who is told that it is visible. */
static bool copy_durable(const ratings_append_slot_t *slot, uint64_t word,
                         ratings_append_taken_t *taken, int64_t *offset)
{
    packed_t packed;
    load_event(slot_of(slot), &packed);
    atomic_thread_fence(memory_order_acquire);
    taken->slot = *slot;
    taken->partition = packed.partition;
    *offset = (int64_t)payload_of(word);
    return atomic_load_explicit(&slot_of(slot)->word, memory_order_relaxed) == word;
}

static ratings_append_found_e survey_slot(const ratings_append_slot_t *slot, uint64_t word,
                                          uint64_t resends_as, ratings_append_taken_t *taken,
                                          int64_t *offset)
{
    switch (state_of(word)) {
    case RATINGS_APPEND_SENT:
        if (resends_as && payload_of(word) != resends_as &&
            send_slot(slot, word, resends_as, taken))
            return RATINGS_APPEND_RESEND;
        break;
    case RATINGS_APPEND_DURABLE:
        if (copy_durable(slot, word, taken, offset))
            return RATINGS_APPEND_IS_DURABLE;
        break;
    case RATINGS_APPEND_FREE:
    case RATINGS_APPEND_FILLING:
    case RATINGS_APPEND_QUEUED:
    case RATINGS_APPEND_FAILED:
        break;
    }
    return RATINGS_APPEND_NOTHING;
}

ratings_append_found_e ratings_append_survey(ratings_append_rings_t *rings,
                                             ratings_append_pass_t *pass, bool resends,
                                             ratings_append_taken_t *taken, int64_t *offset)
{
    ratings_append_found_e found = RATINGS_APPEND_NOTHING;
    ratings_append_slot_t slot;
    uint64_t word;
    int64_t now = ratings_monotonic();
    for (int i = 0; i < RATINGS_APPEND_RINGS; i++)
        while (found == RATINGS_APPEND_NOTHING && next_slot(rings, pass, i, &slot, &word)) {
            if (!has_ticket(&slot, word))
                continue;
            if (is_abandoned(&slot, word, now))
                reclaim(&slot, word);
            else
                found = survey_slot(&slot, word, resends ? pass->number : 0, taken, offset);
        }
    return found;
}

/* ---- settling ---- */

/* By whoever has sent it last: what another writer has made of it since is not touched. */
static bool settle(const ratings_append_slot_t *slot, uint64_t writer, ratings_append_state_e state,
                   uint64_t payload)
{
    uint64_t word, settled;
    do {
        if (!load_word(slot, &word) || state_of(word) != RATINGS_APPEND_SENT ||
            payload_of(word) != writer)
            return false;
        bool goes_again =
            state == RATINGS_APPEND_QUEUED || (state == RATINGS_APPEND_FAILED && (word & REPEATED));
        if (goes_again)
            settled = word_for(RATINGS_APPEND_QUEUED, slot->number, 0) | REPEATED | (word & LEFT);
        else if (word & LEFT)
            settled = free_word_after(slot->number);
        else
            settled = word_for(state, slot->number, payload) | (word & REPEATED);
    } while (!atomic_compare_exchange_strong(&slot_of(slot)->word, &word, settled));
    return state_of(settled) == state && state != RATINGS_APPEND_FREE;
}

bool ratings_append_settle_durable(const ratings_append_slot_t *slot, uint64_t writer,
                                   int64_t offset)
{
    uint64_t payload = (uint64_t)(offset >= 0 ? offset : RATINGS_APPEND_NO_OFFSET);
    return settle(slot, writer, RATINGS_APPEND_DURABLE, payload);
}

bool ratings_append_settle_failed(const ratings_append_slot_t *slot, uint64_t writer,
                                  int64_t detail)
{
    return settle(slot, writer, RATINGS_APPEND_FAILED, (uint64_t)detail);
}

bool ratings_append_settle_again(const ratings_append_slot_t *slot, uint64_t writer)
{
    return settle(slot, writer, RATINGS_APPEND_QUEUED, 0);
}

/* ---- the writer's sleep ---- */

/* Whoever queues after the writer has said that it sleeps wakes it; the writer has looked since. */
uint32_t ratings_append_prepare_sleep(ratings_append_rings_t *rings)
{
    uint32_t prepared = atomic_load(&rings->queued);
    atomic_store(&rings->is_asleep, 1);
    return prepared;
}

void ratings_append_sleep(ratings_append_rings_t *rings, uint32_t prepared, int64_t timeout)
{
    ratings_shm_wait(&rings->queued, prepared, timeout);
    atomic_store(&rings->is_asleep, 0);
}
