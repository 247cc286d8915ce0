/* By how many partitions talks are routed: the log's first partition, the store, two hosts, each with a projector
 * that reads that partition, and requests. There is no lease here: both may project at any time. README.md says what
 * of the source each part stands for. */

#ifndef LENGTH
#define LENGTH 2 /* records, at most: events beyond them are judged, and not kept */
#endif
#ifndef OLD
#define OLD 0 /* 1: the log begins with an event of before there were routing records, when there was one partition */
#endif
#ifndef STORED
#define STORED 0 /* 1: the store of before is there, and says 1; else both are lost */
#endif
#ifndef RUNNING
#define RUNNING 0 /* 1: the first host knows it, too */
#endif
#ifndef POSTS
#define POSTS 1 /* on each host */
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef FLUSHES
#define FLUSHES 0
#endif
#ifndef KILLS
#define KILLS 0 /* of a host's projector */
#endif
#ifndef LIVES
#define LIVES 3 /* of the store */
#endif
#ifndef RESTARTS
#define RESTARTS 0 /* of a host: its shared memory is a new one */
#endif

#define CHECK(what, condition) \
    if \
    :: (condition) \
    :: else -> printf("VIOLATED: "); printf(#what); printf("\n"); assert(false) \
    fi

/* ---- the log ---- */

#define ROUTING 4                /* a record that says n is ROUTING + n; an event routed by n is n, or */
#define EITHER 3                 /* it is where it would be by any */
#define IS_ROUTING(r) ((r) > ROUTING)
byte log[LENGTH];
byte log_end;
byte partitions = 1; /* of the topic */
byte routed_by;      /* that of all events so far; 0: there is none */
bool said;           /* there is a routing record */

inline append(record) {
    if
    :: log_end < LENGTH -> log[log_end] = record; log_end++; said = said || IS_ROUTING(record)
    :: else
    fi
}

inline append_event(n) {
    CHECK(a talk lies in two partitions, routed_by == 0 || routed_by == n);
    routed_by = n;
    append(n)
}

/* ---- the store, and what each host shares ---- */

byte generation = 1, lives = 1, position, stored; /* `stored`: partitions by which talks are routed; 0: not known */
bool settled;                                     /* as the log says */
byte host[2];                                     /* the same, of each host */

typedef projector_t {
    byte generation, position, known;
    bool settled;
    bool only_1, only_2; /* an event that n = 2, or n = 1, does not explain */
    byte proposes;
    bool proposed, killed
};
projector_t p[2];
#define P p[me]

inline rebuild() {
    lives++;
    generation = lives;
    position = 0;
    stored = host[me];
    settled = false;
    printf("host %d: rebuilds the store: %d\n", me, stored)
}

inline leave() {
    P.generation = 0; P.position = 0; P.known = 0; P.settled = false;
    P.only_1 = false; P.only_2 = false; P.proposes = 0; P.proposed = false
}

#ifdef PARTLY_READ
#define IS_LOST (generation == 0)
#else
#define IS_LOST (generation == 0 || (stored == 0 && position > 0))
#endif

/* What is known; else what explains all events; else as many as there are. */
#ifdef NO_EVIDENCE
#define PROPOSAL (P.known > 0 -> P.known : partitions)
#else
#define PROPOSAL (P.known > 0 -> P.known : (P.only_1 -> 1 : partitions))
#endif
#ifdef EARLY
#define HAS_READ true
#else
#define HAS_READ (P.position == log_end)
#endif

inline settle(n) {
    d_step {
        if
        :: generation == P.generation && !settled ->
            stored = n;
            settled = true;
            P.known = n;
            P.settled = true;
            printf("host %d: the log says %d\n", me, n)
        :: generation == P.generation && settled -> P.known = stored; P.settled = true
        :: else
        fi
    }
    if
    :: d_step { P.settled -> host[me] = P.known }
    :: !P.settled -> goto end_open
    fi
}

inline apply() {
    d_step {
        if
        :: generation == P.generation && position == P.position -> position++; P.position++
        :: else -> P.generation = 0
        fi
    }
    if
    :: P.generation == 0 -> goto end_open
    :: P.generation != 0
    fi
}

proctype projector(byte me)
{
again:
    {
        skip;
end_open:
        !IS_LOST || lives < LIVES; /* two that rebuild in turn for ever are kept from it by the lease */
        d_step {
            leave();
            if
            :: IS_LOST -> rebuild()
            :: else
            fi;
            P.generation = generation; P.position = position; P.known = stored; P.settled = settled
        }
        if
        :: d_step { P.known > 0 -> host[me] = P.known; printf("host %d: the store says %d\n", me, P.known) }
        :: P.known == 0
        fi;
end_work:
        do
        :: P.position < log_end && IS_ROUTING(log[P.position]) ->
#ifdef APPLIED_FIRST
            apply();
            if
            :: !P.settled -> settle(log[P.position - 1] - ROUTING)
            :: P.settled
            fi
#else
            if
#ifdef LAST
            :: true -> d_step { stored = log[P.position] - ROUTING; P.known = stored; P.settled = true }
                host[me] = P.known
#else
            :: !P.settled -> settle(log[P.position] - ROUTING)
            :: P.settled
#endif
            fi;
            apply()
#endif
        :: P.position < log_end && !IS_ROUTING(log[P.position]) ->
            P.only_1 = P.only_1 || log[P.position] == 1;
            P.only_2 = P.only_2 || log[P.position] == 2;
            apply()
        :: d_step { HAS_READ && !P.settled && !P.proposed && P.proposes == 0 && log_end < LENGTH -> P.proposes = PROPOSAL }
        :: d_step {
               P.proposes > 0 && !P.proposed ->
               append(ROUTING + P.proposes);
               P.proposed = true;
               printf("host %d: appends that it is %d\n", me, P.proposes)
           }
#ifdef OWN
           host[me] = P.proposes
#endif
        :: atomic { P.generation != generation -> goto end_open }
        od
    } unless {
        atomic { P.killed -> P.killed = false; leave(); goto again }
    }
}

/* A host whose projector has nothing to do learns from the store. What a request has looked up may be appended
 * late. */
proctype post(byte me)
{
    byte left = POSTS, n;
end:
    do
    :: left == 0 -> break
    :: d_step { left > 0 && stored > 0 && host[me] != stored -> host[me] = stored; printf("host %d: learns: %d\n", me, stored) }
    :: d_step { left > 0 && host[me] > 0 -> left--; n = host[me] }
       d_step { append_event(n); printf("host %d: an event, routed by %d\n", me, n); n = 0 }
    od
}

proctype faults()
{
    byte left = FAULTS, flushes = FLUSHES, kills = KILLS, restarts = RESTARTS;
    do
    :: break
    :: d_step { partitions == 1 -> partitions = 2; printf("partitions are added\n") }
    :: d_step {
           left > 0 && flushes > 0 -> left--; flushes--;
           generation = 0; position = 0; stored = 0; settled = false;
           printf("FLUSH\n")
       }
    :: d_step { left > 0 && kills > 0 -> left--; kills--; p[0].killed = true }
    :: d_step { left > 0 && kills > 0 -> left--; kills--; p[1].killed = true }
    :: d_step { left > 0 && restarts > 0 -> left--; restarts--; host[0] = 0; p[0].killed = true; printf("RESTART of host 0\n") }
    :: d_step { left > 0 && restarts > 0 -> left--; restarts--; host[1] = 0; p[1].killed = true; printf("RESTART of host 1\n") }
    od;
    atomic { left = 0; flushes = 0; kills = 0; restarts = 0 }
}

proctype last()
{
end:
    timeout;
    CHECK(at rest it is not settled by how many partitions talks are routed,
          !said || (settled && stored > 0))
}

init {
    atomic {
#if OLD > 0
        log[0] = OLD;
        log_end = 1;
        routed_by = (OLD == EITHER -> 0 : OLD);
#endif
#if STORED > 0
        stored = STORED;
        position = log_end;
#else
        generation = 0;
#endif
#if RUNNING > 0
        host[0] = RUNNING;
#endif
        run projector(0);
        run projector(1);
        run post(0);
        run post(1);
        run faults();
        run last()
    }
}
