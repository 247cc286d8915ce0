/* One writer a host, with tickets: requests put events into a ring in shared memory, each under a ticket that no
 * other event ever has, and any process may append any event any number of times, as the fold counts each ticket once. Nobody is
 * fenced, nothing is judged: who takes over sends again, at once. Messages land in any order, as late as they like.
 * README.md says what each part stands for. */

#ifndef EVENTS
#define EVENTS 2 /* requests, each with one event */
#endif
#ifndef SLOTS
#define SLOTS 1 /* of the ring: a ticket is given when that of SLOTS before is settled */
#endif
#ifndef WRITERS
#define WRITERS 2 /* at the same time, or one after the other */
#endif
#ifndef PARTITIONS
#define PARTITIONS 1
#endif
#ifndef KILLS
#define KILLS 0 /* of writers, but for the last one */
#endif
#ifndef DEATHS
#define DEATHS 0 /* of requesters */
#endif
#ifndef GIVE_UPS
#define GIVE_UPS 0 /* of requesters: their time is over */
#endif
#ifndef FAILURES
#define FAILURES 0 /* of messages that surely were not appended */
#endif
#ifndef UNKNOWNS
#define UNKNOWNS 0 /* of messages of which nobody knows whether they were appended, or will be */
#endif
#ifndef FOREIGN
#define FOREIGN 0 /* records of another host */
#endif
#ifndef REBUILDS
#define REBUILDS 0 /* of the store */
#endif

#define CHECK(what, condition) \
    if \
    :: (condition) \
    :: else -> printf("VIOLATED: "); printf(#what); printf("\n"); assert(false) \
    fi

#define PARTITION_OF(e) ((e) % PARTITIONS)

/* ---- the log ---- */

#define LENGTH (EVENTS * (WRITERS + KILLS) + (FAILURES + UNKNOWNS) * WRITERS + FOREIGN)

byte record[PARTITIONS * LENGTH], log_end[PARTITIONS];

/* An event with its ticket; another host's, whose tickets are far ahead of ours. */
#define EVENT(e, ticket) ((ticket) * 4 + (e))
#define OTHER 255
#define EVENT_OF(r) ((r) % 4)
#define TICKET_OF(r) ((r) / 4)
#define OTHER_TICKET 7

/* ---- the fold: of each host the highest ticket in a partition, plus 1, and which of a window below it have counted ---- */

#ifdef SHORT_WINDOW
#define WINDOW (SLOTS - 1)
#else
#define WINDOW SLOTS
#endif

#define IS_BELOW(ticket, top) ((ticket) + WINDOW < (top))
#define HAS_COUNTED(ticket, seen) (((seen) & (1 << (ticket))) != 0)
#ifdef NO_TICKETS
#define COUNTS(ticket, top, seen) true
#elif defined(BELOW_COUNTS)
#define COUNTS(ticket, top, seen) (!HAS_COUNTED(ticket, seen))
#else
#define COUNTS(ticket, top, seen) (!IS_BELOW(ticket, top) && !HAS_COUNTED(ticket, seen))
#endif

/* What lies below the window is forgotten. */
inline note(ticket, top, seen) {
    seen = seen | (1 << (ticket));
    top = ((ticket) + 1 > top -> (ticket) + 1 : top);
    seen = (top > WINDOW -> (seen >> (top - WINDOW)) << (top - WINDOW) : seen)
}

/* How often an event counts up to an offset; 0 between. For use within a step. */
byte each, found, top_there, seen_there;

inline look_for(e, p, upto) {
    each = 0; found = 0; top_there = 0; seen_there = 0;
    do
    :: each >= (upto) -> break
    :: else ->
        if
        :: record[(p) * LENGTH + each] == OTHER ->
#ifdef ANY_HOST
            note(OTHER_TICKET, top_there, seen_there)
#else
            skip
#endif
        :: record[(p) * LENGTH + each] != OTHER && COUNTS(TICKET_OF(record[(p) * LENGTH + each]), top_there, seen_there) ->
            found = found + (EVENT_OF(record[(p) * LENGTH + each]) == (e) -> 1 : 0);
            note(TICKET_OF(record[(p) * LENGTH + each]), top_there, seen_there)
        :: else
        fi;
        each++
    od;
    each = 0; top_there = 0; seen_there = 0
}

inline end_look() { found = 0 }

/* ---- the store ---- */

byte counts[EVENTS], checkpoint[PARTITIONS], top[PARTITIONS], seen[PARTITIONS];
byte watermark[PARTITIONS]; /* of this host: it never goes down */

byte answer[EVENTS]; /* 0: none yet */
#define VISIBLE_200 1
#define DURABLE_202 3
#define NOTHING_503 4
#define UNKNOWN_504 5
bool dead[EVENTS];
byte give_ups = GIVE_UPS; /* left */

inline check_counts(e) {
    look_for(e, PARTITION_OF(e), checkpoint[PARTITION_OF(e)]);
    CHECK(a rating is counted twice, counts[e] <= 1);
    CHECK(the counts are not the fold of the log to the checkpoint, counts[e] == found);
    CHECK(a rating counts that was answered with 503, counts[e] == 0 || answer[e] != NOTHING_503);
    end_look()
}

inline apply(p, e, ticket) {
    if
    :: COUNTS(ticket, top[p], seen[p]) -> counts[e]++; note(ticket, top[p], seen[p])
    :: else
    fi
}

inline advance(p, upto) {
    checkpoint[p] = upto;
    watermark[p] = (checkpoint[p] > watermark[p] -> checkpoint[p] : watermark[p])
}

/* ---- the ring ---- */

#define FREE 0
#define FILLING 1
#define QUEUED 2
#define SENT 3    /* by one writer last */
#define DURABLE 4 /* at an offset */
#define FAILED 5

typedef slot_t {
    byte state, ticket, by, owner, offset; /* these in one word, which is compared and swapped */
    bool is_left;                          /* in it, too: nobody waits any more */
    bool is_repeated;                      /* in it, too: sent before, by another writer or with an outcome that nobody knows */
    byte first, second                     /* the event, in two words */
};
slot_t slot[SLOTS];
byte head; /* the next ticket */
byte ticket_of[EVENTS], slot_of[EVENTS];
#define S slot[s]
#define IS_MINE (S.ticket == ticket_of[e])

inline free_slot(s) {
    slot[s].state = FREE; slot[s].by = 0; slot[s].is_left = false; slot[s].is_repeated = false; slot[s].owner = 0; slot[s].offset = 0;
    slot[s].ticket = slot[s].ticket + SLOTS
}

inline settle(s, how) {
    if
    :: slot[s].is_left -> free_slot(s)
    :: else -> slot[s].state = how; slot[s].by = 0
    fi
}

/* The slot of the next ticket is in use: the ring is full, and the ticket is not given. */
#ifdef BURNED
#define MAY_CLAIM (slot[head % SLOTS].state == FREE)
#define IS_FULL false
#define IS_BEHIND (slot[head % SLOTS].state != FREE && head < EVENTS + SLOTS)
#else
#define MAY_CLAIM (slot[head % SLOTS].state == FREE && slot[head % SLOTS].ticket == head)
#define IS_FULL (slot[head % SLOTS].ticket < head)
#define IS_BEHIND ((slot[head % SLOTS].state != FREE && slot[head % SLOTS].ticket == head) || slot[head % SLOTS].ticket > head)
#endif

/* Nobody has sent it, and nobody will when it is freed. */
#ifdef LEFT_QUEUED
#define IS_UNSENT (S.state == QUEUED)
#else
#define IS_UNSENT (S.state == QUEUED && !S.is_repeated)
#endif

proctype requester(byte e)
{
    byte s;
    {
        do
        :: d_step {
               MAY_CLAIM ->
               s = head % SLOTS;
               S.state = FILLING; S.owner = e; S.ticket = head;
               ticket_of[e] = head; slot_of[e] = s;
               printf("request %d: has ticket %d\n", e, head)
           }
           break
#ifdef NO_HELP
        :: d_step { !MAY_CLAIM -> CHECK(a request was refused though a slot was free, slot[head % SLOTS].state != FREE); answer[e] = NOTHING_503 } goto ended
#else
        :: d_step { IS_BEHIND -> head++ }
        :: d_step { IS_FULL -> answer[e] = NOTHING_503 } goto ended
#endif
        od;
        atomic {
            if
            :: head == ticket_of[e] -> head++
            :: else
            fi
        }
        S.first = e;
#ifndef FILLED_LATE
        S.second = e;
#endif
        d_step {
            if
            :: S.state == FILLING && IS_MINE -> S.state = QUEUED; printf("request %d: queued\n", e)
            :: else -> answer[e] = NOTHING_503
            fi
        }
#ifdef FILLED_LATE
        S.second = e;
#endif
        if
        :: answer[e] == NOTHING_503
        :: d_step {
               IS_MINE && S.state == DURABLE && S.offset < watermark[PARTITION_OF(e)] ->
               answer[e] = VISIBLE_200;
               printf("request %d: 200, offset %d\n", e, S.offset);
               look_for(e, PARTITION_OF(e), S.offset + 1);
               CHECK(a rating was answered with 200 and does not count, found == 1);
               end_look();
               free_slot(s)
           }
        :: d_step { IS_MINE && S.state == FAILED -> answer[e] = NOTHING_503; free_slot(s); printf("request %d: 503\n", e) }
#if GIVE_UPS > 0
        :: d_step { give_ups > 0 && IS_MINE && IS_UNSENT -> give_ups--; answer[e] = NOTHING_503; free_slot(s); printf("request %d: 503\n", e) }
        :: d_step {
               give_ups > 0 && IS_MINE && (S.state == SENT || S.state == QUEUED) && !IS_UNSENT ->
               give_ups--;
               answer[e] = UNKNOWN_504;
#ifdef FREED_UNKNOWN
               free_slot(s);
#else
               S.is_left = true;
#endif
               printf("request %d: 504\n", e)
           }
        :: d_step { give_ups > 0 && IS_MINE && S.state == DURABLE -> give_ups--; answer[e] = DURABLE_202; free_slot(s); printf("request %d: 202\n", e) }
#endif
        fi;
ended:
        skip
    } unless {
        dead[e]
    }
}

/* Whose requester has died: all but what is queued or under way, which goes on without it. */
#ifdef RECLAIM_ALIVE
#define IS_RECLAIMED(s) (slot[s].state == FILLING)
#else
#define IS_RECLAIMED(s) ((slot[s].state == FILLING || slot[s].state == DURABLE || slot[s].state == FAILED) && dead[slot[s].owner])
#endif

/* ---- messages under way, of each writer and event ---- */

#define AT(number, e) (((number) - 1) * EVENTS + (e))
#define FAILURE 255 /* of a delivery report; else 1 + offset; 0: none */
#define UNKNOWN 254
#define IS_OFFSET(report) ((report) > 0 && (report) < UNKNOWN)

bool flying[WRITERS * EVENTS], sent[WRITERS * EVENTS];
bool ghost[WRITERS * EVENTS]; /* given up as unknown: it may land without a report, at any time */
byte report[WRITERS * EVENTS];
bool killed[WRITERS + 1];
byte writers;

/* ---- writers ---- */

#ifdef NO_TICKET
#define IS_SAME(ticket_) true
#else
#define IS_SAME(ticket_) (S.ticket == (ticket_))
#endif
#ifdef FAILED_ANYWAY
#define IS_ALONE true
#else
#define IS_ALONE (!S.is_repeated)
#endif

#ifdef NEXT_ANYWAY
#define IS_NEXT(offset, p) ((offset) >= checkpoint[p])
#else
#define IS_NEXT(offset, p) ((offset) == checkpoint[p])
#endif

/* The leader applies what it has appended, when it is the next of its partition. */
#define APPLIES(i) \
    d_step { \
        IS_OFFSET(report[AT(me, i)]) && IS_NEXT(report[AT(me, i)] - 1, PARTITION_OF(i)) -> \
        APPLY_OWN(i) \
        advance(PARTITION_OF(i), report[AT(me, i)]); \
        printf("writer %d: applies event %d at %d\n", me, i, report[AT(me, i)] - 1); \
        check_counts(i) \
    }
#ifdef OWN_UNFOLDED
#define APPLY_OWN(i) counts[i]++;
#else
#define APPLY_OWN(i) apply(PARTITION_OF(i), i, ticket_of[i]);
#endif

/* What is queued is taken; what another one has sent is sent again (once by each writer, or when the other one was killed). */
#define TAKES(i) d_step { slot[i].state == QUEUED -> s = i; S.state = SENT; S.by = me; ticket = S.ticket; printf("writer %d: takes ticket %d\n", me, ticket) }
#define REPEATS(i) \
    d_step { \
        slot[i].state == SENT && slot[i].by != me && (!sent[AT(me, slot[i].owner)] || killed[slot[i].by]) -> \
        s = i; S.by = me; S.is_repeated = true; ticket = S.ticket; \
        printf("writer %d: takes over ticket %d\n", me, ticket) \
    }

inline send() {
    first = S.first;
    second = S.second;
    d_step {
        if
#ifdef NO_SECOND_LOOK
        :: true ->
#else
        :: S.state == SENT && S.by == me && S.ticket == ticket ->
#endif
            CHECK(an event is sent that was half written, first == second);
            flying[AT(me, first)] = true;
            sent[AT(me, first)] = true;
            printf("writer %d: sends event %d\n", me, first)
#ifndef NO_SECOND_LOOK
        :: else
#endif
        fi;
        first = 0; second = 0; s = 0; ticket = 0
    }
}

/* A delivery report settles what its writer was the last to send. What has failed surely was not appended, if
 * it was not sent before; else it is queued again, and so is what may have been appended. */
#define MAY_SETTLE(i) (S.state == SENT && S.by == me && IS_SAME(ticket_of[i]))
#define SETTLES(i) \
    d_step { \
        IS_OFFSET(report[AT(me, i)]) -> \
        s = slot_of[i]; \
        if \
        :: MAY_SETTLE(i) -> \
            S.offset = report[AT(me, i)] - 1; \
            settle(s, DURABLE); \
            printf("writer %d: event %d is durable at %d\n", me, i, report[AT(me, i)] - 1) \
        :: else \
        fi; \
        report[AT(me, i)] = 0; s = 0 \
    }
#define FAILS(i) \
    d_step { \
        report[AT(me, i)] == FAILURE -> \
        report[AT(me, i)] = 0; \
        s = slot_of[i]; \
        if \
        :: MAY_SETTLE(i) && IS_ALONE -> settle(s, FAILED) \
        :: MAY_SETTLE(i) && !IS_ALONE -> queue_again(i, true) \
        :: else \
        fi; \
        s = 0 \
    }
#ifdef AGAIN_ALONE
#define IS_NOTED false
#else
#define IS_NOTED true
#endif
#define SENDS_AGAIN(i) \
    d_step { \
        report[AT(me, i)] == UNKNOWN -> \
        report[AT(me, i)] = 0; \
        s = slot_of[i]; \
        if \
        :: MAY_SETTLE(i) -> queue_again(i, IS_NOTED) \
        :: else \
        fi; \
        s = 0 \
    }

/* Each writer may take it once more. */
inline queue_again(i, is_noted) {
    S.state = QUEUED; S.by = 0; S.is_repeated = S.is_repeated || is_noted;
    sent[AT(1, i)] = false; sent[AT(WRITERS, i)] = false;
#if WRITERS > 2
    sent[AT(2, i)] = false;
#endif
    printf("writer %d: event %d is queued again\n", me, i)
}

proctype writer()
{
    byte me, s, ticket, first, second;
    d_step { writers++; me = writers }
    {
end:
        do
        :: TAKES(0) send()
        :: REPEATS(0) send()
#if SLOTS > 1
        :: TAKES(1) send()
        :: REPEATS(1) send()
#endif
        :: SETTLES(0)
        :: APPLIES(0)
#if FAILURES > 0
        :: FAILS(0)
#endif
#if UNKNOWNS > 0
        :: SENDS_AGAIN(0)
#endif
#if EVENTS > 1
        :: SETTLES(1)
        :: APPLIES(1)
#if FAILURES > 0
        :: FAILS(1)
#endif
#if UNKNOWNS > 0
        :: SENDS_AGAIN(1)
#endif
#endif
#if EVENTS > 2
        :: SETTLES(2)
        :: APPLIES(2)
#if FAILURES > 0
        :: FAILS(2)
#endif
#if UNKNOWNS > 0
        :: SENDS_AGAIN(2)
#endif
#endif
        od
    } unless {
        d_step { killed[me] -> s = 0; ticket = 0; first = 0; second = 0; printf("writer %d is killed\n", me) }
    }
}

/* ---- Kafka: messages land in any order, or never, if their writer is dead ---- */

byte failures = FAILURES, unknowns = UNKNOWNS; /* left */

inline land(n, i, reported) {
    d_step {
        record[PARTITION_OF(i) * LENGTH + log_end[PARTITION_OF(i)]] = EVENT(i, ticket_of[i]);
        log_end[PARTITION_OF(i)]++;
        report[AT(n, i)] = (killed[n] || !(reported) -> report[AT(n, i)] : log_end[PARTITION_OF(i)]);
        printf("log %d: event %d of writer %d at %d\n", PARTITION_OF(i), i, n, log_end[PARTITION_OF(i)] - 1)
    }
}

proctype kafka(byte n; byte i)
{
end:
    do
    :: atomic { flying[AT(n, i)] -> flying[AT(n, i)] = false; land(n, i, true) }
    :: atomic { flying[AT(n, i)] && killed[n] -> flying[AT(n, i)] = false }
    :: d_step {
           failures > 0 && flying[AT(n, i)] && !killed[n] ->
           failures--; flying[AT(n, i)] = false; report[AT(n, i)] = FAILURE;
           printf("event %d of writer %d was not appended\n", i, n)
       }
#if UNKNOWNS > 0
    :: d_step {
           unknowns > 0 && flying[AT(n, i)] && !killed[n] && !ghost[AT(n, i)] ->
           unknowns--; flying[AT(n, i)] = false; ghost[AT(n, i)] = true; report[AT(n, i)] = UNKNOWN;
           printf("nobody knows of event %d of writer %d\n", i, n)
       }
    :: atomic { ghost[AT(n, i)] -> ghost[AT(n, i)] = false; land(n, i, false) }
    :: atomic { ghost[AT(n, i)] -> ghost[AT(n, i)] = false }
#endif
    od
}

/* ---- whoever projects, of any host ---- */

proctype projector(byte p)
{
    byte now;
end:
    do
    :: d_step {
           checkpoint[p] < log_end[p] ->
           now = record[p * LENGTH + checkpoint[p]];
           advance(p, checkpoint[p] + 1);
           printf("log %d is applied to %d\n", p, checkpoint[p]);
           if
           :: now != OTHER -> apply(p, EVENT_OF(now), TICKET_OF(now)); check_counts(EVENT_OF(now))
           :: else ->
#ifdef ANY_HOST
               note(OTHER_TICKET, top[p], seen[p])
#else
               skip
#endif
           fi;
           now = 0
       }
    od
}

/* ---- what happens ---- */

inline lose_store() {
    each = 0;
    do
    :: each >= EVENTS -> break
    :: else -> counts[each] = 0; each++
    od;
    each = 0;
    do
    :: each >= PARTITIONS -> break
    :: else -> checkpoint[each] = 0; top[each] = 0; seen[each] = 0; each++
    od;
    each = 0;
    printf("the store is rebuilt\n")
}

proctype reclaimer(byte s)
{
end:
    do
    :: d_step { IS_RECLAIMED(s) -> free_slot(s); printf("slot %d is reclaimed\n", s) }
    :: d_step {
           (slot[s].state == QUEUED || slot[s].state == SENT) && dead[slot[s].owner] && !slot[s].is_left ->
           slot[s].is_left = true; printf("slot %d is left by the dead\n", s)
       }
    od
}

#define MAY_DIE(i) (deaths > 0 && answer[i] == 0 && !dead[i])
#define MAY_BE_KILLED(i) (kills > 0 && writers >= (i) && (i) < WRITERS && !killed[i])

proctype faults()
{
    byte kills = KILLS, deaths = DEATHS, foreign = FOREIGN, rebuilds = REBUILDS;
    do
    :: break
    :: d_step { MAY_BE_KILLED(1) -> kills--; killed[1] = true }
#if WRITERS > 2
    :: d_step { MAY_BE_KILLED(2) -> kills--; killed[2] = true }
#endif
    :: d_step { MAY_DIE(0) -> deaths--; dead[0] = true; printf("request 0 dies\n") }
#if EVENTS > 1
    :: d_step { MAY_DIE(1) -> deaths--; dead[1] = true; printf("request 1 dies\n") }
#endif
    :: d_step { foreign > 0 -> foreign--; record[log_end[0]] = OTHER; log_end[0]++; printf("log 0: event of another host\n") }
    :: d_step { rebuilds > 0 -> rebuilds--; lose_store() }
#ifdef TICKETS_APART
    :: d_step { top[0] > 0 -> top[0] = 0; seen[0] = 0; printf("another leader knows no tickets\n") }
#endif
    od;
    atomic { kills = 0; deaths = 0; foreign = 0; rebuilds = 0 }
}

/* When nobody can do anything any more: the last writer lives on. */
proctype last()
{
    byte i;
end:
    timeout;
    do
    :: i == EVENTS -> break
    :: i < EVENTS ->
        CHECK(at rest a request waits, answer[i] != 0 || dead[i]);
        CHECK(at rest an acknowledged rating does not count, (answer[i] != VISIBLE_200 && answer[i] != DURABLE_202) || counts[i] == 1);
        i++
    od;
    CHECK(at rest a slot is not free, slot[0].state == FREE && slot[SLOTS - 1].state == FREE)
}

init {
    byte i, n;
    atomic {
        do
        :: i == SLOTS -> break
        :: i < SLOTS -> slot[i].ticket = i; run reclaimer(i); i++
        od;
        i = 0;
        do
        :: i == EVENTS -> break
        :: i < EVENTS ->
            run requester(i);
            n = 1;
            do
            :: n > WRITERS -> break
            :: n <= WRITERS -> run kafka(n, i); n++
            od;
            i++
        od;
        n = 0;
        do
        :: n == WRITERS -> break
        :: n < WRITERS -> run writer(); n++
        od;
        i = 0;
        do
        :: i == PARTITIONS -> break
        :: i < PARTITIONS -> run projector(i); i++
        od;
        i = 0; n = 0;
        run faults();
        run last()
    }
}
