#include "append_ring.h"

#include "../core/clock.h"
#include "futex.h"
#include "process.h"

#include <apr_general.h>

#include <stdatomic.h>
#include <string.h>

/* ---- a slot's word ----
 *
 * Its lap tells a slot's tickets apart, from the top: state, marks, lap, payload. The lap comes
 * round after 33 million tickets of a ring. A process may be stopped for as long, between the load
 * of a word and its swap; who claims or sends a slot looks again which number that has
 * (true_number). A request's own slot keeps its ticket until the request, or who finds it dead,
 * frees it. And a word that is sent names its writer: it stays what it was until that settles it or
 * another one takes it over, so that what a late report swaps can only be what its writer has sent.
 */

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

static ratings_append_state_e append_state_of(uint64_t word)
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
#define EVENT_BYTES_MAX ((size_t)40 + RATINGS_TALK_ID_MAX + RATINGS_KEY_MAX)
#define EVENT_WORDS ((EVENT_BYTES_MAX + 7) / 8)

/* The same of the event's trace, traceparent and tracestate one after the other, if it has one. Not
 * in the slot, so that without traces (RatingsTraceContext) no memory is taken for them. */
#define TRACE_BYTES_MAX ((size_t)RATINGS_TRACE_PARENT_LENGTH + RATINGS_TRACE_STATE_MAX)
#define TRACE_WORDS ((TRACE_BYTES_MAX + 7) / 8)

typedef struct {
    _Atomic uint64_t word[TRACE_WORDS];
} slot_trace_t;

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
    slot_trace_t trace[RATINGS_APPEND_RINGS][RATINGS_APPEND_SLOTS];
};

RATINGS_SHM_STRUCT(ratings_append_rings_t, 4948608, 14);

size_t ratings_append_rings_size(void)
{
    return sizeof(ratings_append_rings_t);
}

int ratings_append_rings_init(ratings_append_rings_t *rings)
{
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < RATINGS_APPEND_RINGS; i++)
        while (rings->ring[i].life == 0 && status == APR_SUCCESS)
            status = apr_generate_random_bytes((unsigned char *)&rings->ring[i].life,
                                               sizeof rings->ring[i].life);
    return status;
}

bool ratings_append_has_life(const ratings_append_rings_t *rings, uint64_t life)
{
    for (int i = 0; i < RATINGS_APPEND_RINGS; i++)
        if (rings->ring[i].life == life)
            return true;
    return false;
}

ratings_host_lease_t *ratings_append_lease(ratings_append_rings_t *rings)
{
    return &rings->lease;
}

static slot_t *slot_at(ratings_append_rings_t *rings, int ring, uint64_t number)
{
    return &rings->ring[ring].slot[number % RATINGS_APPEND_SLOTS];
}

static slot_t *shared_slot_of(const ratings_append_slot_t *slot)
{
    return slot_at(slot->rings, slot->ring, slot->number);
}

static slot_trace_t *shared_trace_of(const ratings_append_slot_t *slot)
{
    return &slot->rings->trace[slot->ring][slot->number % RATINGS_APPEND_SLOTS];
}

/* The word, if the slot still has this ticket. */
static bool load_word(const ratings_append_slot_t *slot, uint64_t *word)
{
    *word = atomic_load(&shared_slot_of(slot)->word);
    return laps_ahead(*word, slot->number) == 0;
}

/* Whether the word is that of the slot's ticket. */
static bool has_ticket(const ratings_append_slot_t *slot, uint64_t word)
{
    return laps_ahead(word, slot->number) == 0;
}

/* The number of a slot that the caller keeps from being freed: so it is no more than a lap below
 * the head, of all that have the slot and the lap. */
static uint64_t true_number(ratings_append_rings_t *rings, int ring, uint64_t number)
{
    const uint64_t round = (LAP_MASK + 1) * RATINGS_APPEND_SLOTS;
    uint64_t behind = atomic_load(&rings->ring[ring].head) - number;
    return number + (behind + round / 2) / round * round;
}

/* ---- an event in words ----
 *
 * Each, and each of its trace, is stored with release and loaded with acquire, as in
 * ../core/shm_cache.c: whoever copies a word of a slot's next event sees, looking at the slot's
 * word again, that it was claimed. */

typedef struct {
    uint16_t partition;
    uint8_t value, has_voter, talk_len, key_len, until_durable;
    uint16_t trace_len; /* 0: it has no trace */
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

/* By the request, before the event. */
static size_t store_trace(const ratings_append_slot_t *slot, const ratings_trace_t *trace)
{
    uint64_t words[TRACE_WORDS] = {0};
    char *text = (char *)words;
    size_t state_len = trace ? strlen(trace->state) : 0;
    if (!trace || !trace->parent[0])
        return 0;
    memcpy(text, trace->parent, RATINGS_TRACE_PARENT_LENGTH);
    memcpy(text + RATINGS_TRACE_PARENT_LENGTH, trace->state, state_len);
    size_t size = RATINGS_TRACE_PARENT_LENGTH + state_len;
    for (size_t i = 0; i < (size + 7) / 8; i++)
        atomic_store_explicit(&shared_trace_of(slot)->word[i], words[i], memory_order_release);
    return size;
}

/* `size` may be torn as well: what is not that of a trace is none. */
static void load_trace(const ratings_append_slot_t *slot, size_t size, ratings_trace_t *trace)
{
    uint64_t words[TRACE_WORDS] = {0};
    const char *text = (const char *)words;
    trace->parent[0] = trace->state[0] = '\0';
    if (size < RATINGS_TRACE_PARENT_LENGTH || size > TRACE_BYTES_MAX)
        return;
    for (size_t i = 0; i < (size + 7) / 8; i++)
        words[i] = atomic_load_explicit(&shared_trace_of(slot)->word[i], memory_order_acquire);
    size_t state_len = size - RATINGS_TRACE_PARENT_LENGTH;
    memcpy(trace->parent, text, RATINGS_TRACE_PARENT_LENGTH);
    trace->parent[RATINGS_TRACE_PARENT_LENGTH] = '\0';
    memcpy(trace->state, text + RATINGS_TRACE_PARENT_LENGTH, state_len);
    trace->state[state_len] = '\0';
}

static void unpack_event(const packed_t *packed, ratings_append_taken_t *taken)
{
    ratings_event_t *event = &taken->event;
    taken->partition = packed->partition;
    event->rating.value = packed->value;
    taken->until_durable = packed->until_durable;
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
        atomic_store_explicit(&slot->event[i], words[i], memory_order_release);
    atomic_store_explicit(&slot->event_size, (uint32_t)size, memory_order_release);
}

/* What is read may be torn, if the slot has another ticket by now: then the copy is not used. */
static void load_event(slot_t *slot, packed_t *packed)
{
    uint64_t words[EVENT_WORDS] = {0};
    size_t size = atomic_load_explicit(&slot->event_size, memory_order_acquire);
    size = size < sizeof *packed ? size : sizeof *packed;
    for (size_t i = 0; i < (size + 7) / 8; i++)
        words[i] = atomic_load_explicit(&slot->event[i], memory_order_acquire);
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
        bool claimed = ahead == 0 && append_state_of(word) == RATINGS_APPEND_FREE &&
                       claim_slot(found, number, owner);
        (void)atomic_compare_exchange_strong(head, &next, number + 1);
        if (!claimed)
            continue;
        *slot = (ratings_append_slot_t){rings, i, true_number(rings, i, number)};
        return true;
    }
}

void ratings_append_rouse(ratings_append_rings_t *rings)
{
    ratings_shm_wake(&rings->queued);
}

/* Costs a load while the writer is awake. */
static void wake_writer(ratings_append_rings_t *rings)
{
    if (atomic_load(&rings->is_asleep) && atomic_exchange(&rings->is_asleep, 0))
        ratings_append_rouse(rings);
}

bool ratings_append_queue(const ratings_append_slot_t *slot, const ratings_event_t *event,
                          const ratings_trace_t *trace, int partition, bool until_durable)
{
    slot_t *found = shared_slot_of(slot);
    packed_t packed;
    size_t size = pack_event(event, partition, &packed);
    packed.until_durable = until_durable;
    packed.trace_len = (uint16_t)store_trace(slot, trace);
    uint64_t owner = atomic_load_explicit(&found->owner, memory_order_relaxed);
    uint64_t word = word_for(RATINGS_APPEND_FILLING, slot->number, owner);
    store_event(found, &packed, size);
    if (!atomic_compare_exchange_strong(&found->word, &word,
                                        word_for(RATINGS_APPEND_QUEUED, slot->number, 0)))
        return false;
    wake_writer(slot->rings);
    return true;
}

ratings_append_view_t ratings_append_look(const ratings_append_slot_t *slot)
{
    uint64_t word;
    if (!load_word(slot, &word))
        return (ratings_append_view_t){.state = RATINGS_APPEND_FREE};
    return (ratings_append_view_t){.state = append_state_of(word),
                                   .is_repeated = (word & REPEATED) != 0,
                                   .detail = (int64_t)payload_of(word)};
}

uint32_t ratings_append_wakes(const ratings_append_slot_t *slot)
{
    return atomic_load(&shared_slot_of(slot)->wakes);
}

void ratings_append_wait(const ratings_append_slot_t *slot, uint32_t wakes, int64_t timeout)
{
    ratings_shm_wait(&shared_slot_of(slot)->wakes, wakes, timeout);
}

void ratings_append_wake(const ratings_append_slot_t *slot)
{
    ratings_shm_wake(&shared_slot_of(slot)->wakes);
}

/* What was queued and never sent is free; what may be in the log is marked. */
ratings_append_state_e ratings_append_leave(const ratings_append_slot_t *slot)
{
    uint64_t word;
    while (load_word(slot, &word)) {
        ratings_append_state_e state = append_state_of(word);
        bool is_unsent = state == RATINGS_APPEND_FILLING ||
                         (state == RATINGS_APPEND_QUEUED && !(word & REPEATED));
        if (state == RATINGS_APPEND_DURABLE || state == RATINGS_APPEND_FAILED)
            return state;
        if (atomic_compare_exchange_strong(&shared_slot_of(slot)->word, &word,
                                           is_unsent ? free_word_after(slot->number) : word | LEFT))
            return is_unsent ? RATINGS_APPEND_QUEUED : RATINGS_APPEND_SENT;
    }
    return RATINGS_APPEND_SENT;
}

void ratings_append_free(const ratings_append_slot_t *slot)
{
    uint64_t word;
    if (load_word(slot, &word) && (append_state_of(word) == RATINGS_APPEND_DURABLE ||
                                   append_state_of(word) == RATINGS_APPEND_FAILED))
        (void)atomic_compare_exchange_strong(&shared_slot_of(slot)->word, &word,
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
    memset(pass->alive, 0, sizeof pass->alive);
}

/* The slot of the pass's next ticket, if that was given. False: this ring has no more. */
static bool look_at_next(ratings_append_rings_t *rings, const ratings_append_pass_t *pass, int i,
                         ratings_append_slot_t *slot, uint64_t *word)
{
    *slot = (ratings_append_slot_t){rings, i, pass->at[i]};
    *word = atomic_load(&shared_slot_of(slot)->word);
    int ahead = laps_ahead(*word, slot->number);
    return ahead > 0 || (ahead == 0 && append_state_of(*word) != RATINGS_APPEND_FREE);
}

/* The pass moves on; the next one begins at the first slot that holds it up. */
static void pass_by(ratings_append_pass_t *pass, const ratings_append_slot_t *slot, bool holds_up)
{
    int i = slot->ring;
    pass->is_held_up[i] |= holds_up;
    pass->at[i]++;
    if (!pass->is_held_up[i])
        pass->from[i] = pass->at[i];
}

/* What is being filled; and what is still queued, as its word was changed meanwhile. */
static bool is_still_to_take(const ratings_append_slot_t *slot)
{
    uint64_t word;
    return load_word(slot, &word) && (append_state_of(word) == RATINGS_APPEND_FILLING ||
                                      append_state_of(word) == RATINGS_APPEND_QUEUED);
}

/* Makes the slot this writer's, copies the event, and looks whether it still is. */
static bool send_slot(const ratings_append_slot_t *slot, uint64_t word, uint64_t writer,
                      ratings_append_taken_t *taken)
{
    packed_t packed;
    uint64_t marks = word & (LEFT | REPEATED);
    if (append_state_of(word) == RATINGS_APPEND_SENT)
        marks |= REPEATED;
    uint64_t sent = word_for(RATINGS_APPEND_SENT, slot->number, writer) | marks;
    slot_t *found = shared_slot_of(slot);
    if (!atomic_compare_exchange_strong(&found->word, &word, sent))
        return false;
    load_event(found, &packed);
    load_trace(slot, packed.trace_len, &taken->trace);
    taken->slot = *slot;
    taken->slot.number = true_number(slot->rings, slot->ring, slot->number);
    if ((atomic_load(&found->word) & ~LEFT) != (sent & ~LEFT))
        return false;
    taken->ticket = (ratings_ticket_t){slot->rings->ring[slot->ring].life, taken->slot.number};
    unpack_event(&packed, taken);
    return true;
}

bool ratings_append_take(ratings_append_rings_t *rings, ratings_append_pass_t *pass,
                         ratings_append_taken_t *taken)
{
    ratings_append_slot_t slot;
    uint64_t word;
    for (int i = 0; i < RATINGS_APPEND_RINGS; i++)
        while (look_at_next(rings, pass, i, &slot, &word)) {
            bool is_taken = has_ticket(&slot, word) &&
                            append_state_of(word) == RATINGS_APPEND_QUEUED &&
                            send_slot(&slot, word, pass->number, taken);
            pass_by(pass, &slot, !is_taken && is_still_to_take(&slot));
            if (is_taken)
                return true;
        }
    return false;
}

/* ---- surveys ---- */

#define RECLAIM_US INT64_C(1000000) /* so old is a slot whose owner is looked for */

/* Asks the system once a pass for each owner (or more often, if there are very many). */
static bool is_owner_dead(ratings_append_pass_t *pass, uint64_t owner)
{
    uint64_t *alive = &pass->alive[owner % RATINGS_APPEND_OWNERS];
    if (*alive == owner)
        return false;
    if (ratings_process_is_dead(owner))
        return true;
    *alive = owner;
    return false;
}

/* What a process that is dead has left: what only it could free is free, and nobody waits for the
 * rest. */
static void reclaim(const ratings_append_slot_t *slot, uint64_t word)
{
    bool under_way = append_state_of(word) == RATINGS_APPEND_QUEUED ||
                     append_state_of(word) == RATINGS_APPEND_SENT;
    (void)atomic_compare_exchange_strong(&shared_slot_of(slot)->word, &word,
                                         under_way ? word | LEFT : free_word_after(slot->number));
}

/* The owner of a slot that is being filled is in the word: what is beside it may be of before. */
static bool is_abandoned(ratings_append_pass_t *pass, const ratings_append_slot_t *slot,
                         uint64_t word, int64_t now)
{
    slot_t *found = shared_slot_of(slot);
    uint64_t owner = append_state_of(word) == RATINGS_APPEND_FILLING
                         ? payload_of(word)
                         : atomic_load_explicit(&found->owner, memory_order_relaxed);
    int64_t since = atomic_load_explicit(&found->claimed_at, memory_order_relaxed);
    return !(word & LEFT) && now - since > RECLAIM_US && is_owner_dead(pass, owner);
}

/* Slot and partition, for its request to be woken when the event is visible. */
static bool copy_durable(const ratings_append_slot_t *slot, uint64_t word,
                         ratings_append_taken_t *taken, int64_t *offset)
{
    packed_t packed;
    load_event(shared_slot_of(slot), &packed);
    taken->slot = *slot;
    taken->partition = packed.partition;
    *offset = (int64_t)payload_of(word);
    return atomic_load(&shared_slot_of(slot)->word) == word;
}

static ratings_append_found_e survey_slot(const ratings_append_slot_t *slot, uint64_t word,
                                          uint64_t resends_as, ratings_append_taken_t *taken,
                                          int64_t *offset)
{
    switch (append_state_of(word)) {
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
        while (found == RATINGS_APPEND_NOTHING && look_at_next(rings, pass, i, &slot, &word)) {
            if (!has_ticket(&slot, word))
                ;
            else if (is_abandoned(pass, &slot, word, now))
                reclaim(&slot, word);
            else
                found = survey_slot(&slot, word, resends ? pass->number : 0, taken, offset);
            pass_by(pass, &slot, load_word(&slot, &word));
        }
    return found;
}

/* ---- settling ---- */

#define GIVE_UP_US INT64_C(60000000)

/* Whether what Kafka has refused is sent again, as another copy of it may be in the log. One that
 * nobody waits for, not for ever: its partition may be no more, and it would block the ring. */
static bool must_go_again(const slot_t *slot, uint64_t word)
{
    return (word & REPEATED) &&
           (!(word & LEFT) ||
            ratings_monotonic() - atomic_load_explicit(&slot->claimed_at, memory_order_relaxed) <
                GIVE_UP_US);
}

/* What a sent slot becomes. */
static uint64_t settled_word(const ratings_append_slot_t *slot, uint64_t word,
                             ratings_append_state_e state, uint64_t payload)
{
    if (state == RATINGS_APPEND_QUEUED ||
        (state == RATINGS_APPEND_FAILED && must_go_again(shared_slot_of(slot), word)))
        return word_for(RATINGS_APPEND_QUEUED, slot->number, 0) | REPEATED | (word & LEFT);
    if (word & LEFT)
        return free_word_after(slot->number);
    return word_for(state, slot->number, payload) | (word & REPEATED);
}

/* By whoever has sent it last: what another writer has made of it since is not touched. */
static bool settle(const ratings_append_slot_t *slot, uint64_t writer, ratings_append_state_e state,
                   uint64_t payload)
{
    uint64_t word, settled;
    do {
        if (!load_word(slot, &word) || append_state_of(word) != RATINGS_APPEND_SENT ||
            payload_of(word) != writer)
            return false;
        settled = settled_word(slot, word, state, payload);
    } while (!atomic_compare_exchange_strong(&shared_slot_of(slot)->word, &word, settled));
    return append_state_of(settled) == state;
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

/* Whoever queues after the writer has said that it sleeps wakes it; the writer has looked since.
 * Only who wakes takes that back: else a writer that is no longer needed could leave another one
 * asleep. (Both sides store one word and load the other, all in the one order of
 * memory_order_seq_cst.) */
uint32_t ratings_append_prepare_sleep(ratings_append_rings_t *rings)
{
    uint32_t prepared = atomic_load(&rings->queued);
    atomic_store(&rings->is_asleep, 1);
    return prepared;
}

void ratings_append_sleep(ratings_append_rings_t *rings, uint32_t prepared, int64_t timeout)
{
    ratings_shm_wait(&rings->queued, prepared, timeout);
}

/* ---- for metrics ---- */

int ratings_append_in_use(const ratings_append_rings_t *rings, int ring)
{
    int in_use = 0;
    for (int i = 0; i < RATINGS_APPEND_SLOTS; i++)
        in_use +=
            append_state_of(atomic_load_explicit(&rings->ring[ring].slot[i].word,
                                                 memory_order_relaxed)) != RATINGS_APPEND_FREE;
    return in_use;
}
