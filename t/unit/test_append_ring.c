/* the source itself, since some tests reach into a slot */
#include "../../src/shm/append_ring.c" // NOLINT(bugprone-suspicious-include)
#include "unit.h"

#include "../../src/core/ticket_window.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define P 2 /* a partition, and the ring of it */

static void *map_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

static ratings_append_rings_t *make_rings(void)
{
    ratings_append_rings_t *rings = map_shared(ratings_append_rings_size());
    assert_int_equal(ratings_append_rings_init(rings), 0);
    return rings;
}

static void free_rings(ratings_append_rings_t *rings)
{
    munmap(rings, ratings_append_rings_size());
}

static int in_use(const ratings_append_rings_t *rings)
{
    int sum = 0;
    for (int i = 0; i < RATINGS_APPEND_RINGS; i++)
        sum += ratings_append_in_use(rings, i);
    return sum;
}

/* ---- one event ---- */

static ratings_event_t event_of(const char *talk, int value)
{
    ratings_event_t event = {.rating.value = value};
    (void)snprintf(event.rating.talk_id, sizeof event.rating.talk_id, "%s", talk);
    return event;
}

static ratings_append_slot_t claim(ratings_append_rings_t *rings)
{
    ratings_append_slot_t slot = {NULL, 0, 0};
    assert_true(ratings_append_claim(rings, P, ratings_process_self(), &slot));
    return slot;
}

static ratings_append_slot_t queue(ratings_append_rings_t *rings)
{
    ratings_append_slot_t slot = claim(rings);
    ratings_event_t event = event_of("talk", 4);
    assert_true(ratings_append_queue(&slot, &event, NULL, P, false));
    return slot;
}

static bool take(ratings_append_rings_t *rings, uint64_t writer, ratings_append_taken_t *taken)
{
    ratings_append_pass_t pass = {.number = writer};
    ratings_append_begin_pass(rings, &pass, true);
    return ratings_append_take(rings, &pass, taken);
}

static ratings_append_slot_t send_one(ratings_append_rings_t *rings, uint64_t writer)
{
    ratings_append_taken_t taken;
    ratings_append_slot_t slot = queue(rings);
    assert_true(take(rings, writer, &taken));
    assert_int_equal(taken.slot.number, slot.number);
    return slot;
}

static ratings_append_found_e survey(ratings_append_rings_t *rings, uint64_t writer,
                                     ratings_append_taken_t *taken, int64_t *offset)
{
    ratings_append_pass_t pass = {.number = writer};
    ratings_append_begin_pass(rings, &pass, true);
    return ratings_append_survey(rings, &pass, true, taken, offset);
}

/* Writer `next` sends again what another one has sent. */
static void take_over(ratings_append_rings_t *rings, uint64_t next)
{
    ratings_append_taken_t taken;
    int64_t offset;
    assert_int_equal(survey(rings, next, &taken, &offset), RATINGS_APPEND_RESEND);
}

static void assert_slot(const ratings_append_slot_t *slot, ratings_append_state_e state,
                        int64_t detail)
{
    ratings_append_view_t view = ratings_append_look(slot);
    assert_int_equal(view.state, state);
    assert_int_equal(view.detail, detail);
}

static char longest_talk[RATINGS_TALK_ID_MAX + 1], longest_key[RATINGS_KEY_MAX + 1];

typedef struct {
    const char *name, *talk, *key;
    int value;
    bool has_voter;
} event_row_t;

static event_row_t events[] = {
    {"an anonymous rating", "a", "", 5, false},
    {"one with a key", "keynote", "once-only", 1, false},
    {"one of a voter", "keynote", "", 3, true},
    {"a withdrawal", "keynote", "k", RATINGS_VALUE_NONE, true},
    {"the longest texts", longest_talk, longest_key, 2, true},
};

static void an_event_comes_out_as_it_went_in(void **state)
{
    const event_row_t *row = *state;
    ratings_append_rings_t *rings = make_rings();
    ratings_append_taken_t taken;
    ratings_event_t event = event_of(row->talk, row->value);
    ratings_append_slot_t slot = claim(rings);
    strcpy(event.key.text, row->key);
    event.key.window_ms = *row->key ? RATINGS_KEY_WINDOW_MAX : 0;
    event.has_voter = row->has_voter;
    if (row->has_voter)
        memset(event.voter.hash, 0xA5, sizeof event.voter.hash);
    assert_true(ratings_append_queue(&slot, &event, NULL, P, false));
    assert_true(take(rings, 1, &taken));
    assert_int_equal(taken.partition, P);
    assert_int_equal(taken.ticket.number, slot.number);
    assert_true(taken.ticket.life != 0);
    assert_string_equal(taken.event.rating.talk_id, row->talk);
    assert_string_equal(taken.event.key.text, row->key);
    assert_int_equal(taken.event.key.window_ms, event.key.window_ms);
    assert_int_equal(taken.event.rating.value, row->value);
    assert_int_equal(taken.event.has_voter, row->has_voter);
    assert_memory_equal(&taken.event.voter, &event.voter, sizeof event.voter);
    free_rings(rings);
}

/* ---- its trace ---- */

static ratings_trace_t trace_of(size_t state_len)
{
    ratings_trace_t trace = {.state = ""};
    strcpy(trace.parent, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    memset(trace.state, 's', state_len);
    return trace;
}

static void a_trace_comes_with_the_event(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_event_t event = event_of("talk", 4);
    (void)state;
    for (size_t len = 0; len <= RATINGS_TRACE_STATE_MAX; len++) {
        const ratings_trace_t trace = trace_of(len);
        ratings_append_taken_t taken;
        ratings_append_slot_t slot = claim(rings);
        assert_true(ratings_append_queue(&slot, &event, &trace, P, false));
        assert_true(take(rings, 1, &taken));
        assert_string_equal(taken.trace.parent, trace.parent);
        assert_string_equal(taken.trace.state, trace.state);
        assert_string_equal(taken.event.rating.talk_id, "talk");
        assert_int_equal(taken.event.rating.value, 4);
    }
    free_rings(rings);
}

/* It is taken over by the writer that sends the event again. */
static void a_trace_is_sent_again(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_event_t event = event_of("talk", 4);
    const ratings_trace_t trace = trace_of(100);
    ratings_append_slot_t slot = claim(rings);
    ratings_append_taken_t taken;
    int64_t offset;
    (void)state;
    assert_true(ratings_append_queue(&slot, &event, &trace, P, false));
    assert_true(take(rings, 1, &taken));
    assert_int_equal(survey(rings, 2, &taken, &offset), RATINGS_APPEND_RESEND);
    assert_string_equal(taken.trace.parent, trace.parent);
    assert_string_equal(taken.trace.state, trace.state);
    free_rings(rings);
}

static void no_trace_is_left_to_the_next_event(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_event_t event = event_of("talk", 4);
    const ratings_trace_t trace = trace_of(RATINGS_TRACE_STATE_MAX);
    (void)state;
    for (int i = 0; i < 2 * RATINGS_APPEND_SLOTS; i++) {
        bool has_trace = i < RATINGS_APPEND_SLOTS;
        ratings_append_taken_t taken;
        ratings_append_slot_t slot = claim(rings);
        assert_true(ratings_append_queue(&slot, &event, has_trace ? &trace : NULL, P, false));
        assert_true(take(rings, 1, &taken));
        assert_string_equal(taken.trace.parent, has_trace ? trace.parent : "");
        assert_true(ratings_append_settle_durable(&slot, 1, i));
        ratings_append_free(&slot);
    }
    free_rings(rings);
}

static void each_ring_has_a_life_of_its_own(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    uint64_t life = rings->ring[0].life;
    (void)state;
    for (int i = 1; i < RATINGS_APPEND_RINGS; i++)
        assert_true(rings->ring[i].life != rings->ring[i - 1].life && rings->ring[i].life != 0);
    assert_int_equal(ratings_append_rings_init(rings), 0);
    assert_true(rings->ring[0].life == life);
    free_rings(rings);
}

/* ---- what becomes of it ---- */

static void a_durable_event_is_freed_by_its_request(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_slot_t slot = send_one(rings, 1);
    (void)state;
    assert_true(ratings_append_settle_durable(&slot, 1, 77));
    assert_slot(&slot, RATINGS_APPEND_DURABLE, 77);
    assert_int_equal(ratings_append_leave(&slot), RATINGS_APPEND_DURABLE);
    ratings_append_free(&slot);
    assert_slot(&slot, RATINGS_APPEND_FREE, 0);
    assert_int_equal(in_use(rings), 0);
    free_rings(rings);
}

static void a_failure_says_what_the_writer_says(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_slot_t slot = send_one(rings, 1);
    (void)state;
    assert_true(ratings_append_settle_failed(&slot, 1, 0xFFFF));
    assert_slot(&slot, RATINGS_APPEND_FAILED, 0xFFFF);
    ratings_append_free(&slot);
    assert_int_equal(in_use(rings), 0);
    free_rings(rings);
}

static void kafka_need_not_tell_the_offset(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_slot_t slot = send_one(rings, 1);
    (void)state;
    assert_true(ratings_append_settle_durable(&slot, 1, -1));
    assert_slot(&slot, RATINGS_APPEND_DURABLE, RATINGS_APPEND_NO_OFFSET);
    free_rings(rings);
}

static void who_leaves_before_it_is_sent_leaves_nothing(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_taken_t taken;
    ratings_append_slot_t filling = claim(rings), queued = queue(rings);
    (void)state;
    assert_int_equal(ratings_append_leave(&filling), RATINGS_APPEND_QUEUED);
    assert_int_equal(ratings_append_leave(&queued), RATINGS_APPEND_QUEUED);
    assert_int_equal(in_use(rings), 0);
    assert_false(take(rings, 1, &taken));
    free_rings(rings);
}

static void who_leaves_what_is_sent_has_it_kept_until_it_is_settled(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_slot_t slot = send_one(rings, 1);
    (void)state;
    assert_int_equal(ratings_append_leave(&slot), RATINGS_APPEND_SENT);
    assert_int_equal(in_use(rings), 1);
    assert_false(ratings_append_settle_durable(&slot, 1, 5));
    assert_int_equal(in_use(rings), 0);
    free_rings(rings);
}

static void only_who_sent_it_last_settles(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_slot_t slot = send_one(rings, 1);
    (void)state;
    take_over(rings, 2);
    assert_false(ratings_append_settle_durable(&slot, 1, 5));
    assert_false(ratings_append_settle_failed(&slot, 1, 5));
    assert_slot(&slot, RATINGS_APPEND_SENT, 2);
    assert_true(ratings_append_settle_durable(&slot, 2, 9));
    assert_slot(&slot, RATINGS_APPEND_DURABLE, 9);
    free_rings(rings);
}

/* The first copy may be in the log. */
static void what_others_have_sent_does_not_fail(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_taken_t taken;
    ratings_append_slot_t slot = send_one(rings, 1);
    (void)state;
    take_over(rings, 2);
    assert_false(ratings_append_settle_failed(&slot, 2, 5));
    assert_slot(&slot, RATINGS_APPEND_QUEUED, 0);
    assert_true(take(rings, 2, &taken));
    assert_true(ratings_append_settle_durable(&slot, 2, 6));
    free_rings(rings);
}

static void what_was_sent_before_does_not_fail_either(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_taken_t taken;
    ratings_append_slot_t slot = send_one(rings, 1);
    (void)state;
    assert_true(ratings_append_settle_again(&slot, 1));
    assert_true(take(rings, 1, &taken));
    assert_false(ratings_append_settle_failed(&slot, 1, 5));
    assert_int_equal(ratings_append_leave(&slot), RATINGS_APPEND_SENT);
    assert_true(take(rings, 1, &taken));
    free_rings(rings);
}

static void what_nobody_waits_for_is_not_sent_for_ever(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_taken_t taken;
    ratings_append_slot_t slot = send_one(rings, 1);
    (void)state;
    assert_true(ratings_append_settle_again(&slot, 1));
    assert_int_equal(ratings_append_leave(&slot), RATINGS_APPEND_SENT);
    assert_true(take(rings, 1, &taken));
    atomic_fetch_sub(&shared_slot_of(&slot)->claimed_at, GIVE_UP_US);
    assert_false(ratings_append_settle_failed(&slot, 1, 5));
    assert_int_equal(in_use(rings), 0);
    free_rings(rings);
}

static void a_report_of_an_earlier_ticket_settles_nothing(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_slot_t first = send_one(rings, 1), later = {NULL, 0, 0};
    (void)state;
    assert_true(ratings_append_settle_durable(&first, 1, 5));
    ratings_append_free(&first);
    while (later.number != first.number + RATINGS_APPEND_SLOTS) {
        later = send_one(rings, 1);
        if (later.number % RATINGS_APPEND_SLOTS != first.number)
            assert_int_equal(ratings_append_leave(&later), RATINGS_APPEND_SENT);
        if (later.number % RATINGS_APPEND_SLOTS != first.number)
            assert_false(ratings_append_settle_durable(&later, 1, 5));
    }
    assert_false(ratings_append_settle_durable(&first, 1, 5));
    assert_slot(&first, RATINGS_APPEND_FREE, 0);
    assert_slot(&later, RATINGS_APPEND_SENT, 1);
    free_rings(rings);
}

/* ---- tickets ---- */

static void a_full_ring_refuses_and_stops_no_other(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_slot_t first = claim(rings), other;
    (void)state;
    for (int i = 1; i < RATINGS_APPEND_SLOTS; i++)
        (void)claim(rings);
    assert_int_equal(ratings_append_in_use(rings, P), RATINGS_APPEND_SLOTS);
    assert_false(ratings_append_claim(rings, P, 1, &other));
    assert_true(ratings_append_claim(rings, P + 1, 1, &other));
    assert_int_equal(ratings_append_leave(&first), RATINGS_APPEND_QUEUED);
    other = claim(rings);
    assert_int_equal(other.number, RATINGS_APPEND_SLOTS);
    assert_false(ratings_append_claim(rings, P, 1, &other));
    free_rings(rings);
}

/* A request that is killed between its two swaps has a ticket, and has not moved the head on. */
static void the_next_request_moves_the_head_on(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    (void)state;
    assert_true(claim_slot(slot_at(rings, P, 0), 0, ratings_process_self()));
    assert_int_equal(claim(rings).number, 1);
    free_rings(rings);
}

/* As if that many tickets had been given, and were settled. */
static void skip_to(ratings_append_rings_t *rings, uint64_t number)
{
    atomic_store(&rings->ring[P].head, number);
    for (uint64_t i = number; i < number + RATINGS_APPEND_SLOTS; i++)
        atomic_store(&slot_at(rings, P, i)->word, word_for(RATINGS_APPEND_FREE, i, 0));
}

static void laps_come_round_and_numbers_do_not(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_taken_t taken;
    const uint64_t round = (LAP_MASK + 1) * RATINGS_APPEND_SLOTS;
    (void)state;
    skip_to(rings, 3 * round - 2);
    for (uint64_t i = 3 * round - 2; i < 3 * round + 2; i++) {
        ratings_append_slot_t slot = queue(rings);
        assert_true(slot.number == i);
        assert_true(take(rings, 1, &taken));
        assert_true(taken.ticket.number == i);
        assert_true(ratings_append_settle_durable(&slot, 1, 1));
        ratings_append_free(&slot);
    }
    /* who was stopped for whole rounds, with an old number */
    assert_true(true_number(rings, P, 1) == 3 * round + 1);
    assert_true(true_number(rings, P, 2 * round + 1) == 3 * round + 1);
    assert_true(true_number(rings, P, 3 * round + 2) == 3 * round + 2);
    free_rings(rings);
}

/* ---- passes ---- */

static void what_is_being_filled_is_taken_later(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_pass_t pass = {.number = 1};
    ratings_append_taken_t taken;
    ratings_append_slot_t filling = claim(rings), second = queue(rings);
    ratings_event_t event = event_of("talk", 1);
    (void)state;
    ratings_append_begin_pass(rings, &pass, false);
    assert_true(ratings_append_take(rings, &pass, &taken));
    assert_int_equal(taken.slot.number, second.number);
    assert_false(ratings_append_take(rings, &pass, &taken));
    assert_true(ratings_append_queue(&filling, &event, NULL, P, false));
    assert_false(ratings_append_take(rings, &pass, &taken));
    ratings_append_begin_pass(rings, &pass, false);
    assert_true(ratings_append_take(rings, &pass, &taken));
    assert_int_equal(taken.slot.number, filling.number);
    assert_false(ratings_append_take(rings, &pass, &taken));
    assert_int_equal(pass.from[P], 2);
    free_rings(rings);
}

static void what_is_queued_again_is_for_a_whole_pass(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_pass_t pass = {.number = 1};
    ratings_append_taken_t taken;
    ratings_append_slot_t slot = queue(rings);
    (void)state;
    ratings_append_begin_pass(rings, &pass, false);
    assert_true(ratings_append_take(rings, &pass, &taken));
    assert_true(ratings_append_settle_again(&slot, 1));
    ratings_append_begin_pass(rings, &pass, false);
    assert_false(ratings_append_take(rings, &pass, &taken));
    ratings_append_begin_pass(rings, &pass, true);
    assert_true(ratings_append_take(rings, &pass, &taken));
    free_rings(rings);
}

/* A survey tells each time what is durable, and later passes begin at the first slot in use. */
static void a_survey_looks_at_what_is_in_use(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_pass_t pass = {.number = 1};
    ratings_append_taken_t taken;
    ratings_append_slot_t freed = send_one(rings, 1), durable = send_one(rings, 1);
    int64_t offset;
    (void)state;
    assert_true(ratings_append_settle_durable(&freed, 1, 1));
    assert_true(ratings_append_settle_durable(&durable, 1, 2));
    ratings_append_free(&freed);
    for (int i = 0; i < 2; i++) {
        ratings_append_begin_pass(rings, &pass, false);
        assert_int_equal(ratings_append_survey(rings, &pass, true, &taken, &offset),
                         RATINGS_APPEND_IS_DURABLE);
        assert_int_equal(taken.slot.number, durable.number);
        assert_int_equal(taken.partition, P);
        assert_int_equal(offset, 2);
        assert_int_equal(ratings_append_survey(rings, &pass, true, &taken, &offset),
                         RATINGS_APPEND_NOTHING);
        assert_int_equal(pass.from[P], durable.number);
    }
    free_rings(rings);
}

static void a_survey_leaves_what_is_its_own(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_taken_t taken;
    int64_t offset;
    (void)state;
    (void)send_one(rings, 1);
    assert_int_equal(survey(rings, 1, &taken, &offset), RATINGS_APPEND_NOTHING);
    assert_int_equal(survey(rings, 2, &taken, &offset), RATINGS_APPEND_RESEND);
    assert_int_equal(survey(rings, 2, &taken, &offset), RATINGS_APPEND_NOTHING);
    free_rings(rings);
}

/* ---- requests that are dead ---- */

static pid_t fork_and_wait(ratings_append_rings_t *rings,
                           void (*leave_slots)(ratings_append_rings_t *))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        leave_slots(rings);
        (void)raise(SIGKILL);
    }
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0); /* a zombie */
    return child;
}

static void leave_one_of_each(ratings_append_rings_t *rings)
{
    ratings_append_slot_t durable = send_one(rings, 1), failed = send_one(rings, 1);
    (void)ratings_append_settle_durable(&durable, 1, 3);
    (void)ratings_append_settle_failed(&failed, 1, 3);
    (void)send_one(rings, 1);
    (void)claim(rings);
    (void)queue(rings);
}

static void make_old(ratings_append_rings_t *rings)
{
    for (int i = 0; i < RATINGS_APPEND_SLOTS; i++)
        atomic_fetch_sub(&rings->ring[P].slot[i].claimed_at, 2 * RECLAIM_US);
}

static void what_the_dead_have_left_is_reclaimed(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_taken_t taken;
    ratings_append_slot_t slot = {rings, P, 2};
    int64_t offset;
    (void)state;
    pid_t child = fork_and_wait(rings, leave_one_of_each);
    assert_int_equal(in_use(rings), 5);
    make_old(rings);
    assert_int_equal(survey(rings, 1, &taken, &offset), RATINGS_APPEND_NOTHING);
    assert_int_equal(in_use(rings), 2);
    assert_false(ratings_append_settle_durable(&slot, 1, 3));
    assert_true(take(rings, 1, &taken));
    assert_false(ratings_append_settle_durable(&taken.slot, 1, 4));
    assert_int_equal(in_use(rings), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    free_rings(rings);
}

static void what_the_living_have_is_not(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_taken_t taken;
    int64_t offset;
    (void)state;
    leave_one_of_each(rings);
    make_old(rings);
    assert_int_equal(survey(rings, 1, &taken, &offset), RATINGS_APPEND_IS_DURABLE);
    assert_int_equal(in_use(rings), 5);
    free_rings(rings);
}

static void a_process_is_told_from_a_later_one_of_its_number(void **state)
{
    const uint64_t self = ratings_process_self(), pid = self & 0x3FFFFF;
    (void)state;
    assert_int_equal(pid, getpid());
    assert_int_equal(self >> RATINGS_PROCESS_BITS, 0);
    assert_false(ratings_process_is_dead(self));
    assert_false(ratings_process_is_dead(pid)); /* it could not tell when it started */
    assert_true(ratings_process_is_dead(self ^ UINT64_C(1) << 40));
}

/* ---- threads: writers at the same time, and a log ---- */

#define PARTITIONS 5
#define REQUESTS_MAX 60000 /* of all */
#define LOG_MAX 400000

typedef enum { NO_ANSWER, ANSWERED_DURABLE, ANSWERED_NOTHING, ANSWERED_UNKNOWN } answer_e;

typedef struct {
    _Atomic bool is_whole;
    int request, partition;
    bool has_its_trace;
    ratings_ticket_t ticket;
} record_t;

/* All that is shared, of threads or processes. */
typedef struct {
    ratings_append_rings_t *rings;
    _Atomic int requests, length;
    _Atomic uint64_t writers; /* the number of the last one */
    _Atomic bool stop_requests, stop_writers;
    _Atomic unsigned char answer[REQUESTS_MAX];
    record_t log[LOG_MAX];
} world_t;

static world_t *make_world(void)
{
    world_t *world = map_shared(sizeof *world);
    world->rings = make_rings();
    return world;
}

static unsigned roll(unsigned *seed, unsigned sides)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 16) % sides;
}

/* False: the log is full. */
/* Two of three have a trace, which names the request at its end. */
static const ratings_trace_t *trace_of_request(int request, ratings_trace_t *trace)
{
    *trace = trace_of((size_t)(request % 400));
    (void)snprintf(trace->state + request % 400, 16, "%d", request);
    return request % 3 ? trace : NULL;
}

static bool has_its_trace(const ratings_append_taken_t *taken, int request)
{
    ratings_trace_t expected;
    const ratings_trace_t *trace = trace_of_request(request, &expected);
    return strcmp(taken->trace.parent, trace ? trace->parent : "") == 0 &&
           strcmp(taken->trace.state, trace ? trace->state : "") == 0;
}

static bool append(world_t *world, const ratings_append_taken_t *taken, int *offset)
{
    *offset = atomic_fetch_add(&world->length, 1);
    if (*offset >= LOG_MAX)
        return false;
    record_t *record = &world->log[*offset];
    record->request = atoi(taken->event.rating.talk_id);
    record->partition = taken->partition;
    record->has_its_trace = has_its_trace(taken, record->request);
    record->ticket = taken->ticket;
    atomic_store(&record->is_whole, true);
    return true;
}

/* Some are appended and settled, some are refused, of some nobody knows. */
static void deliver(world_t *world, const ratings_append_taken_t *taken, uint64_t number,
                    unsigned *seed)
{
    int offset = -1;
    unsigned luck = roll(seed, 16);
    if (luck == 0) {
        (void)ratings_append_settle_failed(&taken->slot, number, 1);
    } else if (luck == 1 || !append(world, taken, &offset)) {
        (void)ratings_append_settle_again(&taken->slot, number);
    } else if (luck == 2) {
        (void)append(world, taken, &offset);
        (void)ratings_append_settle_again(&taken->slot, number);
    } else {
        (void)ratings_append_settle_durable(&taken->slot, number, offset);
    }
    ratings_append_wake(&taken->slot);
}

#define BATCH_MAX 8

typedef struct {
    world_t *world;
    uint64_t number;
    unsigned seed;
    ratings_append_pass_t pass, survey;
    ratings_append_taken_t flying[BATCH_MAX];
    unsigned count;
} test_writer_t;

/* In any order. */
static void land_some(test_writer_t *writer, unsigned left)
{
    while (writer->count > left) {
        unsigned i = roll(&writer->seed, writer->count);
        deliver(writer->world, &writer->flying[i], writer->number, &writer->seed);
        writer->flying[i] = writer->flying[--writer->count];
    }
}

static void fly(test_writer_t *writer, const ratings_append_taken_t *taken)
{
    land_some(writer, BATCH_MAX - 1);
    writer->flying[writer->count++] = *taken;
}

static void write_once(test_writer_t *writer)
{
    ratings_append_rings_t *rings = writer->world->rings;
    ratings_append_taken_t taken;
    ratings_append_found_e found;
    int64_t offset;
    ratings_append_begin_pass(rings, &writer->pass, roll(&writer->seed, 4) == 0);
    while (ratings_append_take(rings, &writer->pass, &taken))
        fly(writer, &taken);
    ratings_append_begin_pass(rings, &writer->survey, false);
    while ((found = ratings_append_survey(rings, &writer->survey, roll(&writer->seed, 2), &taken,
                                          &offset)) != RATINGS_APPEND_NOTHING)
        if (found == RATINGS_APPEND_RESEND)
            fly(writer, &taken);
        else
            ratings_append_wake(&taken.slot);
    land_some(writer, roll(&writer->seed, BATCH_MAX));
}

static test_writer_t writer_of(world_t *world, uint64_t number)
{
    return (test_writer_t){.world = world,
                           .number = number,
                           .seed = (unsigned)number * 7919,
                           .pass.number = number,
                           .survey.number = number};
}

static void *run_test_writer(void *data)
{
    world_t *world = data;
    test_writer_t writer = writer_of(world, atomic_fetch_add(&world->writers, 1) + 1);
    while (!atomic_load(&world->stop_writers)) {
        uint32_t prepared = ratings_append_prepare_sleep(world->rings);
        write_once(&writer);
        ratings_append_sleep(world->rings, prepared, 2000);
    }
    land_some(&writer, 0);
    return NULL;
}

static answer_e answer_of(ratings_append_state_e state)
{
    switch (state) {
    case RATINGS_APPEND_DURABLE:
        return ANSWERED_DURABLE;
    case RATINGS_APPEND_QUEUED:
    case RATINGS_APPEND_FAILED:
        return ANSWERED_NOTHING;
    case RATINGS_APPEND_FREE:
    case RATINGS_APPEND_FILLING:
    case RATINGS_APPEND_SENT:
        break;
    }
    return ANSWERED_UNKNOWN;
}

/* A few give up soon. The answer is given before the slot is free, as a request that is killed
 * between the two has answered. */
static void request_once(world_t *world, unsigned *seed)
{
    ratings_append_slot_t slot;
    ratings_event_t event = event_of("", 1);
    ratings_trace_t of_request;
    int partition = (int)roll(seed, PARTITIONS);
    int64_t deadline = ratings_monotonic() + (roll(seed, 16) == 0 ? 200 : 30000000);
    if (!ratings_append_claim(world->rings, partition, ratings_process_self(), &slot))
        return;
    int request = atomic_fetch_add(&world->requests, 1);
    const ratings_trace_t *trace = trace_of_request(request, &of_request);
    (void)snprintf(event.rating.talk_id, sizeof event.rating.talk_id, "%d", request);
    if (request >= REQUESTS_MAX || !ratings_append_queue(&slot, &event, trace, partition, false)) {
        (void)ratings_append_leave(&slot);
        return;
    }
    ratings_append_state_e state;
    for (;;) {
        uint32_t wakes = ratings_append_wakes(&slot);
        int64_t left = deadline - ratings_monotonic();
        state = ratings_append_look(&slot).state;
        if (state == RATINGS_APPEND_DURABLE || state == RATINGS_APPEND_FAILED)
            break;
        if (left <= 0) {
            state = ratings_append_leave(&slot);
            break;
        }
        ratings_append_wait(&slot, wakes, left < 50000 ? left : 50000);
    }
    atomic_store(&world->answer[request], (unsigned char)answer_of(state));
    ratings_append_free(&slot);
}

static void *run_requests(void *data)
{
    world_t *world = data;
    unsigned seed = (unsigned)ratings_monotonic() ^ (unsigned)getpid() << 8;
    while (!atomic_load(&world->stop_requests))
        request_once(world, &seed);
    return NULL;
}

/* What the fold counts of each request, by the tickets. */
static void assert_all_count_as_answered(world_t *world)
{
    static unsigned char counts[REQUESTS_MAX];
    ratings_ticket_windows_t windows[PARTITIONS] = {{NULL, 0, 0}};
    int length = atomic_load(&world->length), requests = atomic_load(&world->requests);
    uint64_t forgotten;
    memset(counts, 0, sizeof counts);
    for (int i = 0; i < length && i < LOG_MAX; i++) {
        if (!atomic_load(&world->log[i].is_whole))
            continue;
        assert_true(world->log[i].has_its_trace);
        if (ratings_ticket_windows_check_and_note(&windows[world->log[i].partition],
                                                  &world->log[i].ticket, i,
                                                  &forgotten) == RATINGS_TICKET_COUNTS)
            counts[world->log[i].request]++;
    }
    for (int i = 0; i < requests && i < REQUESTS_MAX; i++) {
        answer_e answer = (answer_e)atomic_load(&world->answer[i]);
        assert_in_range(counts[i], answer == ANSWERED_DURABLE, answer != ANSWERED_NOTHING);
    }
    for (int i = 0; i < PARTITIONS; i++)
        ratings_ticket_windows_free(&windows[i]);
    assert_true(requests > 100);
}

static void free_world(world_t *world)
{
    free_rings(world->rings);
    munmap(world, sizeof *world);
}

/* Some are still kept for who has left: a new writer settles them. */
static void settle_the_rest(world_t *world)
{
    const int64_t until = ratings_monotonic() + 20000000;
    test_writer_t writer = writer_of(world, atomic_fetch_add(&world->writers, 1) + 1);
    while (in_use(world->rings) > 0) {
        assert_true(ratings_monotonic() < until);
        write_once(&writer);
        land_some(&writer, 0);
    }
}

#define THREADS 4

static void two_writers_at_a_time_do_no_harm(void **state)
{
    world_t *world = make_world();
    pthread_t request[THREADS], writer[2];
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&writer[i], NULL, run_test_writer, world), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&request[i], NULL, run_requests, world), 0);
    (void)usleep(1500000);
    atomic_store(&world->stop_requests, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(request[i], NULL);
    atomic_store(&world->stop_writers, true);
    for (int i = 0; i < 2; i++)
        pthread_join(writer[i], NULL);
    settle_the_rest(world);
    assert_all_count_as_answered(world);
    free_world(world);
}

/* ---- the writer's sleep ---- */

#define NAPS 20000

static void *queue_one_by_one(void *data)
{
    ratings_append_rings_t *rings = data;
    for (int i = 0; i < NAPS; i++) {
        ratings_append_slot_t slot = queue(rings);
        uint32_t wakes = ratings_append_wakes(&slot);
        while (ratings_append_look(&slot).state != RATINGS_APPEND_DURABLE) {
            ratings_append_wait(&slot, wakes, 30000000);
            wakes = ratings_append_wakes(&slot);
        }
        ratings_append_free(&slot);
    }
    return NULL;
}

/* Each of the two sleeps until the other one wakes it: a wake-up that is lost takes 30 s. */
static void no_wake_up_is_lost(void **state)
{
    ratings_append_rings_t *rings = make_rings();
    ratings_append_pass_t pass = {.number = 1};
    ratings_append_taken_t taken;
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, queue_one_by_one, rings), 0);
    for (int settled = 0; settled < NAPS;) {
        uint32_t prepared = ratings_append_prepare_sleep(rings);
        int64_t since = ratings_monotonic();
        bool any = false;
        ratings_append_begin_pass(rings, &pass, false);
        for (; ratings_append_take(rings, &pass, &taken); settled++, any = true) {
            assert_true(ratings_append_settle_durable(&taken.slot, 1, settled));
            ratings_append_wake(&taken.slot);
        }
        if (!any)
            ratings_append_sleep(rings, prepared, 30000000);
        assert_true(ratings_monotonic() - since < 20000000);
    }
    pthread_join(thread, NULL);
    free_rings(rings);
}

/* ---- processes that are killed ---- */

#define LEASE_US INT64_C(100000)

/* Leads while it has the lease, like a child of httpd. */
static void *run_candidate(void *data)
{
    world_t *world = data;
    ratings_host_lease_t *lease = ratings_append_lease(world->rings);
    ratings_host_lease_hold_t hold;
    while (!atomic_load(&world->stop_writers)) {
        if (!ratings_host_lease_acquire(lease, ratings_monotonic(), LEASE_US, &hold)) {
            (void)usleep(1000);
            continue;
        }
        atomic_store(&world->writers, hold.number);
        test_writer_t writer = writer_of(world, hold.number);
        while (!atomic_load(&world->stop_writers) &&
               ratings_host_lease_renew(lease, ratings_monotonic(), LEASE_US, &hold)) {
            uint32_t prepared = ratings_append_prepare_sleep(world->rings);
            write_once(&writer);
            ratings_append_sleep(world->rings, prepared, 2000);
        }
        land_some(&writer, 0);
        ratings_host_lease_release(lease, &hold);
    }
    return NULL;
}

static pid_t start_process(world_t *world, void *(*run)(void *))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)run(world);
        _exit(0);
    }
    return child;
}

static void kill_process(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

#define PROCESSES 5
#define WRITERS 2 /* of them */
#define KILLS 150

static void *(*role_of(int i))(void *)
{
    return i < WRITERS ? run_candidate : run_requests;
}

static void killed_at_any_moment_nothing_is_lost(void **state)
{
    world_t *world = make_world();
    pid_t child[PROCESSES];
    unsigned seed = (unsigned)getpid();
    (void)state;
    for (int i = 0; i < PROCESSES; i++)
        child[i] = start_process(world, role_of(i));
    for (int kills = 0; kills < KILLS; kills++) {
        int i = (int)roll(&seed, PROCESSES), frozen = (int)roll(&seed, WRITERS);
        assert_int_equal(kill(child[frozen], SIGSTOP), 0);
        (void)usleep(roll(&seed, 20) == 0 ? 150000 : 1 + roll(&seed, 20000));
        kill_process(child[i]);
        child[i] = start_process(world, role_of(i));
        (void)kill(child[frozen], SIGCONT);
    }
    for (int i = WRITERS; i < PROCESSES; i++)
        kill_process(child[i]);
    const int64_t until = ratings_monotonic() + 20000000;
    while (in_use(world->rings) > 0 && ratings_monotonic() < until)
        (void)usleep(1000);
    assert_int_equal(in_use(world->rings), 0);
    for (int i = 0; i < WRITERS; i++)
        kill_process(child[i]);
    assert_all_count_as_answered(world);
    free_world(world);
}

#define ADD(test) unit_add(&suite, #test, test, NULL)

int main(void)
{
    unit_suite_t suite = {.count = 0};
    memset(longest_talk, 't', RATINGS_TALK_ID_MAX);
    memset(longest_key, 'k', RATINGS_KEY_MAX);
    unit_add_rows(&suite, an_event_comes_out_as_it_went_in, ROWS(events));
    ADD(a_trace_comes_with_the_event);
    ADD(a_trace_is_sent_again);
    ADD(no_trace_is_left_to_the_next_event);
    ADD(each_ring_has_a_life_of_its_own);
    ADD(a_durable_event_is_freed_by_its_request);
    ADD(a_failure_says_what_the_writer_says);
    ADD(kafka_need_not_tell_the_offset);
    ADD(who_leaves_before_it_is_sent_leaves_nothing);
    ADD(who_leaves_what_is_sent_has_it_kept_until_it_is_settled);
    ADD(only_who_sent_it_last_settles);
    ADD(what_others_have_sent_does_not_fail);
    ADD(what_was_sent_before_does_not_fail_either);
    ADD(what_nobody_waits_for_is_not_sent_for_ever);
    ADD(a_report_of_an_earlier_ticket_settles_nothing);
    ADD(a_full_ring_refuses_and_stops_no_other);
    ADD(the_next_request_moves_the_head_on);
    ADD(laps_come_round_and_numbers_do_not);
    ADD(what_is_being_filled_is_taken_later);
    ADD(what_is_queued_again_is_for_a_whole_pass);
    ADD(a_survey_looks_at_what_is_in_use);
    ADD(a_survey_leaves_what_is_its_own);
    ADD(what_the_dead_have_left_is_reclaimed);
    ADD(what_the_living_have_is_not);
    ADD(a_process_is_told_from_a_later_one_of_its_number);
    ADD(two_writers_at_a_time_do_no_harm);
    ADD(no_wake_up_is_lost);
    ADD(killed_at_any_moment_nothing_is_lost);
    return unit_run("append_ring", &suite);
}
