/* One writer a host, with fences: requests put events into slots of shared memory, one process appends them for all, and
 * another one takes over at any time, while the one before it may be dead, or only late. Nothing of one event happens at
 * a certain time: its messages land in any order, as late as they like. README.md says what each part stands for. */

#ifndef EVENTS
#define EVENTS 2 /* requests, each with one event */
#endif
#ifndef SLOTS
#define SLOTS 1
#endif
#ifndef WRITERS
#define WRITERS 2 /* of this host, one after the other */
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

#define LENGTH (EVENTS * WRITERS + WRITERS + FOREIGN)

byte record[PARTITIONS * LENGTH], log_end[PARTITIONS];

/* An event of this host with its writer's number, from 1 on; a fence of this host; an event or a fence of another. */
#define EVENT(e, number) ((e) * 4 + (number))
#define FENCE(number) (16 + (number))
#define OTHER 32
#define OTHER_FENCE 33

#define IS_EVENT(r) ((r) < 16)
#define EVENT_OF(r) ((r) / 4)
#define NUMBER_OF(r) ((r) % 4)
#ifdef ANY_HOST
#define IS_FENCE(r) (((r) > 16 && (r) < 32) || (r) == OTHER_FENCE)
#define FENCE_OF(r) ((r) == OTHER_FENCE -> 3 : (r) - 16)
#else
#define IS_FENCE(r) ((r) > 16 && (r) < 32)
#define FENCE_OF(r) ((r) - 16)
#endif

inline append(p, r) {
    record[(p) * LENGTH + log_end[p]] = r;
    log_end[p]++
}

/* Rule 1: from a fence on, events of a lower number do not count. */
#ifdef NO_FENCE
#define COUNTS(number, fence) true
#else
#define COUNTS(number, fence) ((number) >= (fence))
#endif

/* How often an event counts between two offsets, and where; 0 between. For use within a step. */
byte each, fence_there, found, found_at;

inline look_for(e, p, from, upto) {
    each = 0; fence_there = 0; found = 0; found_at = 0;
    do
    :: each >= (upto) -> break
    :: else ->
        if
        :: IS_FENCE(record[(p) * LENGTH + each]) ->
            fence_there = (FENCE_OF(record[(p) * LENGTH + each]) > fence_there -> FENCE_OF(record[(p) * LENGTH + each]) : fence_there)
        :: IS_EVENT(record[(p) * LENGTH + each]) && EVENT_OF(record[(p) * LENGTH + each]) == (e) &&
               COUNTS(NUMBER_OF(record[(p) * LENGTH + each]), fence_there) && each >= (from) ->
            found++;
            found_at = each
        :: else
        fi;
        each++
    od;
    each = 0; fence_there = 0
}

inline end_look() { found = 0; found_at = 0 }

/* ---- the store ---- */

byte counts[EVENTS], checkpoint[PARTITIONS], fence[PARTITIONS];
byte watermark[PARTITIONS]; /* of this host: it never goes down */

/* ---- requests ---- */

byte answer[EVENTS]; /* 0: none yet */
#define VISIBLE_200 1
#define DURABLE_202 3
#define NOTHING_503 4
#define UNKNOWN_504 5
bool dead[EVENTS];
byte give_ups = GIVE_UPS; /* left */

inline check_counts(e) {
    look_for(e, PARTITION_OF(e), 0, checkpoint[PARTITION_OF(e)]);
    CHECK(a rating is counted twice, counts[e] <= 1);
    CHECK(the counts are not the fold of the log to the checkpoint, counts[e] == found);
    CHECK(a rating counts that was answered with 503, counts[e] == 0 || answer[e] != NOTHING_503);
    end_look()
}

inline count(p, e, number) {
    if
    :: COUNTS(number, fence[p]) -> counts[e]++
    :: else
    fi
}

inline advance(p, upto) {
    checkpoint[p] = upto;
    watermark[p] = (checkpoint[p] > watermark[p] -> checkpoint[p] : watermark[p])
}

/* ---- the slots ---- */

#define FREE 0
#define FILLING 1
#define QUEUED 2
#define SENT 3
#define ACKED 4
#define VISIBLE 5
#define FAILED 6

typedef slot_t {
    byte state, sequence, by, owner; /* these in one word, which is compared and swapped */
    bool is_left;                    /* in it, too: nobody waits any more */
    byte floor;                      /* the checkpoint at which it was handed over */
    byte first, second               /* the event, in two words */
};
slot_t slot[SLOTS];
byte slot_of[EVENTS], sequence_of[EVENTS];
#define S slot[s]
#define IS_OF(e) (slot[slot_of[e]].sequence == sequence_of[e])

#define IS_UNDER_WAY(s) (slot[s].state == SENT || slot[s].state == ACKED)

inline free_slot(s) {
    slot[s].state = FREE; slot[s].by = 0; slot[s].is_left = false; slot[s].owner = 0;
    slot[s].sequence++
}

inline settle(s, how) {
    if
    :: slot[s].is_left -> free_slot(s)
    :: else -> slot[s].state = how
    fi
}

#define CLAIM(i) \
    d_step { \
        slot[i].state == FREE -> \
        slot[i].state = FILLING; slot[i].owner = e; \
        s = i; slot_of[e] = i; sequence_of[e] = slot[i].sequence; \
        printf("request %d: has slot %d\n", e, i) \
    }

#define IS_MINE (S.sequence == sequence_of[e])

inline fill_first() { d_step { S.first = e; S.floor = watermark[PARTITION_OF(e)] } }

proctype requester(byte e)
{
    byte s;
    {
        if
        :: CLAIM(0)
#if SLOTS > 1
        :: CLAIM(1)
        :: d_step { slot[0].state != FREE && slot[1].state != FREE -> answer[e] = NOTHING_503 } goto ended
#else
        :: d_step { slot[0].state != FREE -> answer[e] = NOTHING_503 } goto ended
#endif
        fi;
        fill_first();
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
        :: d_step { IS_MINE && S.state == VISIBLE -> answer[e] = VISIBLE_200; free_slot(s) }
           d_step {
               look_for(e, PARTITION_OF(e), 0, watermark[PARTITION_OF(e)]);
               printf("request %d: 200\n", e);
               CHECK(a rating was answered with 200 and does not count, found == 1);
               end_look()
           }
        :: d_step { IS_MINE && S.state == FAILED -> answer[e] = NOTHING_503; free_slot(s); printf("request %d: 503\n", e) }
#if GIVE_UPS > 0
        :: d_step { give_ups > 0 && IS_MINE && S.state == QUEUED -> give_ups--; answer[e] = NOTHING_503; free_slot(s); printf("request %d: 503\n", e) }
        :: d_step { give_ups > 0 && IS_MINE && S.state == SENT -> give_ups--; answer[e] = UNKNOWN_504; S.is_left = true; printf("request %d: 504\n", e) }
        :: d_step {
               give_ups > 0 && IS_MINE && S.state == ACKED ->
               give_ups--;
               answer[e] = DURABLE_202;
#ifdef FREED_AFTER_202
               free_slot(s);
#else
               S.is_left = true;
#endif
               printf("request %d: 202\n", e)
           }
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
#define IS_RECLAIMED(s) ((slot[s].state == FILLING || slot[s].state == VISIBLE || slot[s].state == FAILED) && dead[slot[s].owner])
#endif

/* ---- messages under way, of each writer and event ---- */

#define AT(number, e) (((number) - 1) * EVENTS + (e))
#define FAILURE 255 /* of a delivery report; else 1 + offset; 0: none */

bool flying[WRITERS * EVENTS], fence_flying[WRITERS * PARTITIONS];
byte report[WRITERS * EVENTS];
byte fence_at[WRITERS * PARTITIONS]; /* 1 + offset of the fence that has been read back */
bool killed[WRITERS + 1];
byte writers; /* the last number that was given */

#define FENCE_AT(number, p) fence_at[((number) - 1) * PARTITIONS + (p)]

/* Rule 2: slots are judged when the fence has been read back. */
#ifdef JUDGED_EARLY
#define MAY_JUDGE(p) true
#define JUDGED_TO(p) log_end[p]
#elif defined(JUDGED_BY_ANY)
#define MAY_JUDGE(p) (FENCE_AT(me, 0) > 0)
#define JUDGED_TO(p) log_end[p]
#else
#define MAY_JUDGE(p) (FENCE_AT(me, p) > 0)
#define JUDGED_TO(p) (FENCE_AT(me, p) - 1)
#endif

/* Rule 3: from the checkpoint at which they were handed over. */
#ifdef JUDGED_FROM_CHECKPOINT
#define JUDGED_FROM(s, p) checkpoint[p]
#else
#define JUDGED_FROM(s, p) slot[s].floor
#endif

/* Rule 4: a record that is applied counts unless a later writer's fence stands before it. */
#ifdef ANSWERED_UNSEEN
#define IS_DROPPED_AT(e, offset) false
#else
#define IS_DROPPED_AT(e, offset) (found == 0)
#endif

/* Rule 5: a slot is settled by compare-and-set, on its writer's number and its sequence number. */
#ifdef NO_NUMBER
#define IS_BY(number) true
#else
#define IS_BY(number) (S.by == (number))
#endif
#ifdef NO_SEQUENCE
#define IS_SAME(number) true
#else
#define IS_SAME(number) (S.sequence == (number))
#endif
#ifdef SETTLED_BLINDLY
#define IS_UNCHANGED(by_, sequence_) (S.state == SENT || S.state == ACKED)
#else
#define IS_UNCHANGED(by_, sequence_) (IS_UNDER_WAY(s) && IS_BY(by_) && IS_SAME(sequence_))
#endif

/* The leader applies what it has appended, when it is the next of its partition. */
#ifdef NEXT_ANYWAY
#define IS_NEXT(offset, p) ((offset) >= checkpoint[p])
#else
#define IS_NEXT(offset, p) ((offset) == checkpoint[p])
#endif

inline apply_own(e, p, offset) {
#ifdef OWN_UNFOLDED
    counts[e]++;
#else
    count(p, e, me);
#endif
    advance(p, (offset) + 1);
    printf("writer %d: applies event %d at %d\n", me, e, offset);
    check_counts(e)
}

#define TAKES(i) d_step { slot[i].state == QUEUED -> s = i; S.state = SENT; S.by = me; sequence = S.sequence; printf("writer %d: takes slot %d\n", me, i) }
#define JUDGES(i) \
    d_step { \
        (slot[i].state == SENT || slot[i].state == ACKED) && slot[i].by < me && MAY_JUDGE(PARTITION_OF(slot[i].first)) -> \
        s = i; e = S.first; by = S.by; sequence = S.sequence; \
        look_for(e, PARTITION_OF(e), JUDGED_FROM(s, PARTITION_OF(e)), JUDGED_TO(PARTITION_OF(e))); \
        is_there = found > 0; offset = found_at; \
        end_look(); \
        printf("writer %d: finds event %d of writer %d: %d\n", me, e, by, is_there) \
    }

/* The event is copied, then the slot's word looked at again: it may be another one's by now. */
inline send() {
    first = S.first;
    second = S.second;
    d_step {
        if
#ifdef NO_SECOND_LOOK
        :: true ->
#else
        :: S.state == SENT && S.by == me && S.sequence == sequence ->
#endif
            CHECK(an event is sent that was half written, first == second);
            flying[AT(me, first)] = true;
            printf("writer %d: sends event %d\n", me, first)
#ifndef NO_SECOND_LOOK
        :: else
#endif
        fi;
        first = 0; second = 0; s = 0; sequence = 0
    }
}

/* What is applied is settled; what a later writer's fence has made void is left to that one. */
#define SETTLES(i) \
    d_step { \
        report[AT(me, i)] > 0 && report[AT(me, i)] != FAILURE && report[AT(me, i)] <= watermark[PARTITION_OF(i)] -> \
        e = i; s = slot_of[e]; offset = report[AT(me, e)] - 1; \
        look_for(e, PARTITION_OF(e), offset, offset + 1); \
        is_there = !IS_DROPPED_AT(e, offset); \
        end_look(); \
        report[AT(me, e)] = 0; offset = 0 \
    }
#define APPLIES(i) \
    d_step { \
        report[AT(me, i)] > 0 && report[AT(me, i)] != FAILURE && IS_NEXT(report[AT(me, i)] - 1, PARTITION_OF(i)) -> \
        apply_own(i, PARTITION_OF(i), report[AT(me, i)] - 1) \
    }
#define FAILS(i) \
    d_step { \
        report[AT(me, i)] == FAILURE -> \
        report[AT(me, i)] = 0; \
        s = slot_of[i]; \
        if \
        :: IS_UNCHANGED(me, sequence_of[i]) -> settle(s, FAILED) \
        :: else \
        fi; \
        s = 0 \
    }

#define ACKS(i) \
    d_step { \
        report[AT(me, i)] > 0 && report[AT(me, i)] != FAILURE && IS_OF(i) && slot[slot_of[i]].state == SENT && \
            slot[slot_of[i]].by == me -> \
        slot[slot_of[i]].state = ACKED \
    }

inline forget() { s = 0; e = 0; by = 0; sequence = 0; offset = 0; is_there = false }

inline settle_applied() {
    d_step {
        if
        :: is_there && IS_UNCHANGED(me, sequence_of[e]) -> settle(s, VISIBLE); printf("writer %d: settles event %d\n", me, e)
        :: else
        fi;
        forget()
    }
}

/* What was judged: what counts waits until it is applied, what does not is sent under the new number. */
inline take_over() {
    if
    :: d_step {
           is_there && offset < watermark[PARTITION_OF(e)] ->
           if
           :: IS_UNCHANGED(by, sequence) -> settle(s, VISIBLE); printf("writer %d: settles event %d\n", me, e)
           :: else
           fi;
           forget()
       }
    :: d_step {
           !is_there ->
           if
           :: IS_UNCHANGED(by, sequence) -> S.state = SENT; S.by = me; is_there = true; e = 0; by = 0; offset = 0
           :: else
           fi
       }
       if
       :: is_there -> is_there = false; send()
       :: else -> forget()
       fi
    fi
}

proctype writer()
{
    byte me, s, e, by, sequence, first, second, offset;
    bool is_there;
    d_step {
        writers++;
        me = writers;
        printf("writer %d\n", me);
        if
        :: me > 1 ->
            fence_flying[(me - 1) * PARTITIONS] = true;
#if PARTITIONS > 1
            fence_flying[(me - 1) * PARTITIONS + 1] = true
#endif
        :: else
        fi
    }
    {
end:
        do
        :: TAKES(0) send()
#if SLOTS > 1
        :: TAKES(1) send()
#endif
        :: JUDGES(0) take_over()
#if SLOTS > 1
        :: JUDGES(1) take_over()
#endif
        :: SETTLES(0) settle_applied()
        :: APPLIES(0)
#if GIVE_UPS > 0
        :: ACKS(0)
#endif
#if FAILURES > 0
        :: FAILS(0)
#endif
#if EVENTS > 1
        :: SETTLES(1) settle_applied()
        :: APPLIES(1)
#if GIVE_UPS > 0
        :: ACKS(1)
#endif
#if FAILURES > 0
        :: FAILS(1)
#endif
#endif
        od;
    } unless {
        d_step { killed[me] -> s = 0; e = 0; by = 0; sequence = 0; first = 0; second = 0; offset = 0; is_there = false; printf("writer %d is killed\n", me) }
    }
}

/* ---- Kafka: messages land in any order, or never, if their writer is dead ---- */

byte failures = FAILURES; /* left */

#define LANDS(n, i) \
    d_step { \
        flying[AT(n, i)] -> \
        flying[AT(n, i)] = false; \
        append(PARTITION_OF(i), EVENT(i, n)); \
        report[AT(n, i)] = (killed[n] -> 0 : log_end[PARTITION_OF(i)]); \
        printf("log %d: event %d of writer %d at %d\n", PARTITION_OF(i), i, n, log_end[PARTITION_OF(i)] - 1) \
    }
#define VANISHES(n, i) d_step { flying[AT(n, i)] && killed[n] -> flying[AT(n, i)] = false }
#define IS_REFUSED(n, i) \
    d_step { \
        failures > 0 && flying[AT(n, i)] && !killed[n] -> \
        failures--; flying[AT(n, i)] = false; report[AT(n, i)] = FAILURE; \
        printf("event %d of writer %d was not appended\n", i, n) \
    }
#define FENCE_LANDS(n, p) \
    d_step { \
        fence_flying[((n) - 1) * PARTITIONS + (p)] -> \
        fence_flying[((n) - 1) * PARTITIONS + (p)] = false; \
        append(p, FENCE(n)); \
        FENCE_AT(n, p) = log_end[p]; \
        printf("log %d: fence of writer %d at %d\n", p, n, log_end[p] - 1) \
    }
#define FENCE_VANISHES(n, p) d_step { fence_flying[((n) - 1) * PARTITIONS + (p)] && killed[n] -> fence_flying[((n) - 1) * PARTITIONS + (p)] = false }

proctype kafka()
{
end:
    do
    :: LANDS(1, 0)
    :: LANDS(2, 0)
    :: FENCE_LANDS(2, 0)
#if WRITERS > 2
    :: LANDS(3, 0)
    :: FENCE_LANDS(3, 0)
#endif
#if PARTITIONS > 1
    :: FENCE_LANDS(2, 1)
#endif
#if EVENTS > 1
    :: LANDS(1, 1)
    :: LANDS(2, 1)
#if WRITERS > 2
    :: LANDS(3, 1)
#endif
#endif
#if KILLS > 0
    :: VANISHES(1, 0)
#if EVENTS > 1
    :: VANISHES(1, 1)
#endif
#if WRITERS > 2
    :: VANISHES(2, 0)
    :: FENCE_VANISHES(2, 0)
#if EVENTS > 1
    :: VANISHES(2, 1)
#endif
#endif
#endif
#if FAILURES > 0
    :: IS_REFUSED(1, 0)
    :: IS_REFUSED(2, 0)
#if EVENTS > 1
    :: IS_REFUSED(1, 1)
    :: IS_REFUSED(2, 1)
#endif
#endif
    od
}

/* ---- whoever projects, of any host ---- */

#define PROJECTS(p) \
    d_step { \
        checkpoint[p] < log_end[p] -> \
        now = record[(p) * LENGTH + checkpoint[p]]; \
        if \
        :: IS_FENCE(now) -> fence[p] = (FENCE_OF(now) > fence[p] -> FENCE_OF(now) : fence[p]) \
        :: IS_EVENT(now) -> count(p, EVENT_OF(now), NUMBER_OF(now)) \
        :: else \
        fi; \
        advance(p, checkpoint[p] + 1); \
        printf("log %d is applied to %d\n", p, checkpoint[p]); \
        if \
        :: IS_EVENT(now) -> check_counts(EVENT_OF(now)) \
        :: else \
        fi; \
        now = 0 \
    }

proctype projector()
{
    byte now;
end:
    do
    :: PROJECTS(0)
#if PARTITIONS > 1
    :: PROJECTS(1)
#endif
    od
}

/* ---- what happens ---- */

inline lose_store() {
    counts[0] = 0;
#if EVENTS > 1
    counts[1] = 0;
#endif
    checkpoint[0] = 0; fence[0] = 0;
#if PARTITIONS > 1
    checkpoint[1] = 0; fence[1] = 0;
#endif
    printf("the store is rebuilt\n")
}

#define RECLAIMS(i) d_step { IS_RECLAIMED(i) -> free_slot(i); printf("slot %d is reclaimed\n", i) }

proctype reclaimer()
{
end:
    do
    :: RECLAIMS(0)
#if SLOTS > 1
    :: RECLAIMS(1)
#endif
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
    :: d_step { foreign > 0 -> foreign--; append(0, OTHER) }
    :: d_step { foreign > 0 -> foreign--; append(0, OTHER_FENCE); printf("log 0: fence of another host\n") }
    :: d_step { rebuilds > 0 -> rebuilds--; lose_store() }
#ifdef FENCE_APART
    :: d_step { fence[0] > 0 && rebuilds == 0 -> fence[0] = 0; printf("another leader knows no fence\n") }
#endif
    od;
    atomic { kills = 0; deaths = 0; foreign = 0; rebuilds = 0 }
}

/* When nobody can do anything any more: the last writer lives on. */
#define IS_AT_REST(i) \
    CHECK(at rest a request waits, answer[i] != 0 || dead[i]); \
    CHECK(at rest an acknowledged rating does not count, (answer[i] != VISIBLE_200 && answer[i] != DURABLE_202) || counts[i] == 1)

proctype last()
{
end:
    timeout;
    IS_AT_REST(0);
#if EVENTS > 1
    IS_AT_REST(1);
#endif
    CHECK(at rest a slot is not free, slot[0].state == FREE && slot[SLOTS - 1].state == FREE)
}

init {
    byte i;
    atomic {
        do
        :: i < EVENTS -> run requester(i); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < WRITERS -> run writer(); i++
        :: else -> break
        od;
        run kafka();
        run projector();
        run reclaimer();
        run faults();
        run last()
    }
}
