/* May the leader apply what it has appended before it has read it back? One partition on two brokers: what is appended is
 * replicated, committed, acknowledged to an idempotent producer, and applied, either by its delivery report or as it is
 * read; leaders die and others are elected. README.md says what each part stands for. */

#ifndef DEATHS
#define DEATHS 2 /* of a broker that leads, which comes back with its log */
#endif
#ifndef LOSSES
#define LOSSES 0 /* of one that does not */
#endif
#ifndef UNCLEAN
#define UNCLEAN 0 /* elections of a broker that is not in sync, as there is no other */
#endif
#ifndef MIN_INSYNC
#define MIN_INSYNC 1
#endif
#ifndef LAGS
#define LAGS 1 /* of a broker, so that it is not in sync for a while */
#endif
#ifndef DIRECT
#define DIRECT 1 /* 0: all is read back */
#endif

#define CHECK(what, condition) \
    if \
    :: (condition) \
    :: else -> printf("VIOLATED: "); printf(#what); printf("\n"); assert(false) \
    fi

#define OWN 2   /* records of this producer: 1 and 2 */
#define OTHER 3 /* of another one */
#define LENGTH 3
#define NOBODY 2

/* ---- brokers ---- */

byte record[2 * LENGTH], log_end[2];
bool is_down[2], is_lost[2], in_sync[2];
byte leader;     /* or NOBODY */
byte committed;  /* the high watermark of the leader: consumers read up to it */
byte readable;   /* the highest that it has been */
bool was_unclean;

#define IN_SYNC (in_sync[0] + in_sync[1])
#define IS_IN_SYNC(i, upto) (!in_sync[i] || (!is_down[i] && log_end[i] >= (upto)))
#define OF(i, offset) record[(i) * LENGTH + (offset)]

byte each; /* for loops within a step; 0 between */
byte found;

/* 1 + the offset of a record in the leader's log; 0: it is not there. */
inline look_for(what) {
    each = 0; found = 0;
    do
    :: each >= log_end[leader] -> break
    :: else -> found = (OF(leader, each) == (what) -> each + 1 : found); each++
    od;
    each = 0
}

/* A broker that begins to follow drops what the leader does not have. */
inline follow(i) {
    each = 0;
    do
    :: each >= log_end[i] || each >= log_end[leader] || OF(i, each) != OF(leader, each) -> break
    :: else -> each++
    od;
    log_end[i] = each;
    do
    :: each >= LENGTH -> break
    :: else -> OF(i, each) = 0; each++
    od;
    each = 0
}

inline append(what) {
    OF(leader, log_end[leader]) = what;
    log_end[leader]++
}

/* ---- the producer ---- */

byte waits[OWN + 1];    /* 1 + offset of what was appended and is not acknowledged yet */
bool repeats[OWN + 1];  /* it was there already: the broker knows the producer's sequence numbers */
byte report[OWN + 1];   /* 1 + offset of a delivery report; UNKNOWN: librdkafka says -1 */
bool is_applied[OWN + 1];
#define UNKNOWN 255

#ifdef ACKS_ONE
#define IS_ACKED(e) true
#else
#define IS_ACKED(e) (committed >= waits[e] && IN_SYNC >= MIN_INSYNC)
#endif

/* ---- the store: what was applied, in order ---- */

byte applied[LENGTH], checkpoint;

inline drop_store() {
    each = 0;
    do
    :: each >= LENGTH -> break
    :: else -> applied[each] = 0; each++
    od;
    each = 0;
    checkpoint = 0
}

/* The record applied last is not in the log. */
#ifdef NO_FINGERPRINT
#define IS_ANOTHER (log_end[leader] < checkpoint)
#else
#define IS_ANOTHER (checkpoint > 0 && (log_end[leader] < checkpoint || OF(leader, checkpoint - 1) != applied[checkpoint - 1]))
#endif

#ifdef UNKNOWN_IS_NEXT
#define IS_NEXT(e) (report[e] == checkpoint + 1 || report[e] == UNKNOWN)
#elif defined(NEXT_ANYWAY)
#define IS_NEXT(e) (report[e] > checkpoint && report[e] != UNKNOWN)
#else
#define IS_NEXT(e) (report[e] == checkpoint + 1)
#endif

/* Elections of brokers in sync keep what was committed, and so what was applied. */
inline check_applied() {
    each = 0;
    do
    :: each >= checkpoint || leader == NOBODY || was_unclean -> break
    :: else ->
        CHECK(what was applied is not in the log, each < log_end[leader] && applied[each] == OF(leader, each));
        each++
    od;
    each = 0
}

proctype producer(byte e)
{
end:
    do
    :: d_step {
           leader != NOBODY && waits[e] == 0 && report[e] == 0 && IN_SYNC >= MIN_INSYNC ->
           look_for(e);
           repeats[e] = found > 0;
           if
           :: found == 0 -> append(e); printf("record %d is appended at %d\n", e, log_end[leader] - 1)
           :: else -> printf("record %d was appended before\n", e)
           fi;
           waits[e] = (found > 0 -> found : log_end[leader]);
           found = 0
       }
    :: d_step {
           waits[e] > 0 && leader != NOBODY && IS_ACKED(e) ->
           report[e] = (repeats[e] -> UNKNOWN : waits[e]);
           printf("record %d is acknowledged\n", e);
           waits[e] = 0; repeats[e] = false
       }
    od
}

proctype other()
{
end:
    d_step { leader != NOBODY -> append(OTHER); printf("record %d of another host is appended at %d\n", OTHER, log_end[leader] - 1) }
}

/* Replication, and what the controller does. */
#define REPLICATES(i) d_step { leader == 1 - (i) && !is_down[i] && log_end[i] < log_end[1 - (i)] -> OF(i, log_end[i]) = OF(1 - (i), log_end[i]); log_end[i]++ }
#define LEAVES(i) d_step { (lags > 0 || is_down[i]) && leader == 1 - (i) && in_sync[i] -> lags = (is_down[i] -> lags : lags - 1); in_sync[i] = false; printf("broker %d is not in sync\n", i) }
#define JOINS(i) d_step { leader == 1 - (i) && !in_sync[i] && !is_down[i] && log_end[i] == log_end[1 - (i)] -> in_sync[i] = true }
#define RETURNS(i) d_step { is_down[i] && !is_lost[i] -> is_down[i] = false; printf("broker %d comes up\n", i); if :: leader != NOBODY -> follow(i) :: else fi }
/* The new leader may know less of what is committed than the one before. */
inline elect(i) {
    leader = i;
    if
    :: !is_down[1 - i] -> follow(1 - i)
    :: else
    fi;
    committed = (committed > log_end[i] -> log_end[i] : committed);
    printf("broker %d is elected\n", i);
    check_applied()
}
#define IS_ELECTED(i) d_step { leader == NOBODY && in_sync[i] && !is_down[i] -> elect(i) }
#define IS_ELECTED_LATE(i) d_step { leader == NOBODY && in_sync[i] && !is_down[i] && committed > 0 -> committed--; elect(i) }
#define IS_ELECTED_UNCLEAN(i) \
    d_step { \
        leader == NOBODY && !is_down[i] && !in_sync[i] && in_sync[1 - (i)] && is_down[1 - (i)] && unclean > 0 -> \
        unclean--; \
        was_unclean = true; in_sync[i] = true; in_sync[1 - (i)] = false; \
        printf("unclean: "); \
        elect(i); \
        readable = committed \
    }

proctype brokers()
{
    byte unclean = UNCLEAN, lags = LAGS;
end:
    do
    :: REPLICATES(0)
    :: REPLICATES(1)
    :: LEAVES(0)
    :: LEAVES(1)
    :: JOINS(0)
    :: JOINS(1)
    :: RETURNS(0)
    :: RETURNS(1)
    :: IS_ELECTED(0)
    :: IS_ELECTED(1)
    :: IS_ELECTED_LATE(0)
    :: IS_ELECTED_LATE(1)
    :: IS_ELECTED_UNCLEAN(0)
    :: IS_ELECTED_UNCLEAN(1)
    :: d_step {
           leader != NOBODY && committed < log_end[leader] && IS_IN_SYNC(0, committed + 1) && IS_IN_SYNC(1, committed + 1) ->
           committed++;
           readable = (committed > readable -> committed : readable)
       }
    od
}

proctype projector()
{
end:
    do
#if DIRECT
    :: d_step {
           report[1] > 0 && !is_applied[1] && IS_NEXT(1) ->
           applied[checkpoint] = 1; checkpoint = (report[1] == UNKNOWN -> checkpoint + 1 : report[1]); is_applied[1] = true;
           printf("record 1 is applied by its report, at %d\n", checkpoint - 1);
           CHECK(a record is applied that nobody could have read, readable >= checkpoint || was_unclean);
           check_applied()
       }
    :: d_step {
           report[2] > 0 && !is_applied[2] && IS_NEXT(2) ->
           applied[checkpoint] = 2; checkpoint = (report[2] == UNKNOWN -> checkpoint + 1 : report[2]); is_applied[2] = true;
           printf("record 2 is applied by its report, at %d\n", checkpoint - 1);
           CHECK(a record is applied that nobody could have read, readable >= checkpoint || was_unclean);
           check_applied()
       }
#endif
    :: d_step {
           leader != NOBODY && checkpoint < committed && !IS_ANOTHER ->
           applied[checkpoint] = OF(leader, checkpoint);
           checkpoint++;
           printf("record %d is applied as it is read, at %d\n", applied[checkpoint - 1], checkpoint - 1);
           check_applied()
       }
    :: d_step { leader != NOBODY && IS_ANOTHER -> drop_store(); printf("the store is rebuilt\n") }
    od
}

proctype faults()
{
    byte deaths = DEATHS, losses = LOSSES;
    do
    :: break
    :: d_step {
           leader != NOBODY && deaths > 0 ->
           deaths--;
           is_down[leader] = true;
           printf("broker %d dies\n", leader);
           leader = NOBODY;
           waits[1] = 0; waits[2] = 0; repeats[1] = false; repeats[2] = false
       }
    :: d_step {
           leader != NOBODY && losses > 0 ->
           losses--;
           is_down[leader] = true; is_lost[leader] = true;
           printf("broker %d is lost\n", leader);
           leader = NOBODY;
           waits[1] = 0; waits[2] = 0; repeats[1] = false; repeats[2] = false
       }
    od;
    atomic { deaths = 0; losses = 0 }
}

#define IS_THERE(e) (OF(leader, 0) == e || OF(leader, 1) == e || OF(leader, 2) == e)

proctype last()
{
end:
    timeout;
    if
    :: leader == NOBODY
    :: else ->
        CHECK(at rest an acknowledged rating is not in the log, (report[1] == 0 || IS_THERE(1)) && (report[2] == 0 || IS_THERE(2)));
        CHECK(at rest the store is not the log,
              checkpoint == log_end[leader] && (checkpoint < 1 || applied[0] == OF(leader, 0)) &&
                  (checkpoint < 2 || applied[1] == OF(leader, 1)) && (checkpoint < 3 || applied[2] == OF(leader, 2)))
    fi
}

init {
    atomic {
        in_sync[0] = true; in_sync[1] = true;
        run producer(1);
        run producer(2);
        run other();
        run brokers();
        run projector();
        run faults();
        run last()
    }
}
