/* Which electorate votes: the log's first partition, the store, two hosts with different secrets, each with a projector
 * that reads that partition, requests of voters, and an operator who begins a new electorate. There is no lease here:
 * both may project at any time. README.md says what of the source each part stands for. */

#ifndef LENGTH
#define LENGTH 3 /* records, at most: votes beyond them are judged, and not kept */
#endif
#ifndef OPERATORS
#define OPERATORS 1 /* records that an operator appends */
#endif
#ifndef POSTS
#define POSTS 1 /* on each host */
#endif
#ifndef FAULTS
#define FAULTS 1 /* in all; each kind has its own bound, too */
#endif
#ifndef FLUSHES
#define FLUSHES 0
#endif
#ifndef ROLLBACKS
#define ROLLBACKS 0
#endif
#ifndef KILLS
#define KILLS 0 /* of a projector */
#endif
#ifndef OLDER
#define OLDER 0 /* records that a version applies which knows no electorates */
#endif
#ifndef LIVES
#define LIVES 3 /* of the store */
#endif

#define CHECK(what, condition) \
    if \
    :: (condition) \
    :: else -> printf("VIOLATED: "); printf(#what); printf("\n"); assert(false) \
    fi

#define SECRET(me) ((me) + 1)
#define NEW 2 /* the electorate that an operator begins: that of the second host's secret */

/* ---- the log ---- */

byte begins[LENGTH], follows[LENGTH]; /* of a record that begins an electorate; else 0: a vote */
byte log_end;
byte stands, stands_at;         /* the fold of the whole log, and the offset after the record that says so */
bool on_purpose;                /* a record of an operator's has counted */
byte voted;                     /* the electorate of the votes so far; 0: there is none */

#ifdef LAST
#define COUNTS(who, after, now) true
#else
#define COUNTS(who, after, now) ((now) == 0 || (after) == (now) || (who) == (now))
#endif

inline append_electorate(who, after, by_operator) {
    if
    :: log_end < LENGTH ->
        begins[log_end] = who;
        follows[log_end] = after;
        log_end++;
        if
        :: COUNTS(who, after, stands) -> stands = who; stands_at = log_end; on_purpose = on_purpose || by_operator
        :: else
        fi
    :: else
    fi
}

inline append_vote(who) {
    CHECK(everybody can vote twice, voted == 0 || voted == who || on_purpose);
    voted = who;
    if
    :: log_end < LENGTH -> log_end++
    :: else
    fi
}

/* ---- the store, and what each host shares ---- */

typedef store_t {
    byte generation, position, target, voters_to, standing, since;
    bool behind
};
store_t store, old; /* `old`: as it was at some time before */
byte lives = 1;

byte host[2], high[2];
byte learnt[2]; /* stands_at when the host learnt last: what it believes must not go back */

inline copy_store(to, from) {
    to.generation = from.generation; to.position = from.position; to.target = from.target;
    to.voters_to = from.voters_to; to.standing = from.standing; to.since = from.since;
    to.behind = from.behind
}

typedef projector_t {
    byte generation, position, read, standing, since, was_since;
    bool proposes, proposed, killed
};
projector_t p[2];
#define P p[me]

inline leave() {
    P.generation = 0; P.position = 0; P.read = 0; P.standing = 0; P.since = 0; P.was_since = 0;
    P.proposes = false; P.proposed = false
}

/* ---- what a host believes ---- */

#define IS_WHOLE (!store.behind)
#ifdef LOWER_SHOWN
#define IS_HIGH(me, position) true
#else
#define IS_HIGH(me, position) ((position) >= high[me])
#endif

inline believe(me, who, after_record) {
    CHECK(a host goes back to an electorate of before, after_record >= learnt[me]);
    host[me] = who;
    learnt[me] = after_record
}

/* ---- projectors ---- */

#ifdef UNNOTICED
#define IS_LOST (store.generation == 0)
#else
#define IS_LOST (store.generation == 0 || (store.position > 0 && store.voters_to != store.position))
#endif

#define IS_READ (P.read < log_end)
#define READS_ELECTORATE (begins[P.read] > 0 && COUNTS(begins[P.read], follows[P.read], P.standing))

#ifdef APART
/* A script of its own, before the record is applied. */
inline settle() {
    d_step {
        if
        :: store.generation == P.generation && store.since == P.was_since ->
            store.standing = P.standing;
            store.since = P.since;
            P.was_since = P.since
        :: else -> P.generation = 0
        fi
    }
}
#endif

inline apply() {
    d_step {
        if
        :: store.generation == P.generation && store.position == P.position ->
            if
            :: store.voters_to == store.position -> store.voters_to = P.read
            :: else
            fi;
            store.position = P.read;
            P.position = P.read;
#ifndef APART
            if
            :: P.since != P.was_since -> store.standing = P.standing; store.since = P.since; P.was_since = P.since
            :: else
            fi;
#endif
            if
            :: P.position > high[me] -> high[me] = P.position
            :: else
            fi
        :: else -> P.generation = 0
        fi
    }
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
            :: IS_LOST ->
                lives++;
                store.generation = lives; store.position = 0; store.voters_to = 0; store.standing = 0; store.since = 0;
                store.target = log_end; store.behind = log_end > 0;
                printf("host %d: rebuilds the store\n", me)
            :: else
            fi;
            P.generation = store.generation; P.position = store.position; P.read = store.position;
            P.standing = store.standing; P.since = store.since; P.was_since = store.since
        }
end_work:
        do
        :: d_step {
               P.generation != 0 && IS_READ && READS_ELECTORATE ->
               P.standing = begins[P.read];
               P.read++;
               P.since = P.read;
               printf("host %d: the log says %d\n", me, P.standing)
           }
        :: d_step { P.generation != 0 && IS_READ && !READS_ELECTORATE -> P.read++ }
#ifdef APART
        :: P.generation != 0 && P.since != P.was_since -> settle()
        :: P.generation != 0 && P.read > P.position && P.since == P.was_since -> apply()
#else
        :: P.generation != 0 && P.read > P.position -> apply()
#endif
        :: d_step {
               P.generation != 0 && P.generation == store.generation && store.behind && P.position >= store.target ->
               store.behind = false
           }
        :: d_step {
               P.generation != 0 && P.generation == store.generation && IS_WHOLE && IS_HIGH(me, P.position) &&
                   P.since == store.since && P.was_since == P.since && host[me] != P.standing ->
               believe(me, P.standing, P.since);
               if
               :: P.position > high[me] -> high[me] = P.position
               :: else
               fi
           }
        :: d_step { P.generation != 0 && P.position == log_end && P.standing == 0 && !P.proposed && log_end < LENGTH -> P.proposes = true; P.proposed = true }
        :: d_step {
               P.proposes ->
               P.proposes = false;
               append_electorate(SECRET(me), 0, false);
               printf("host %d: appends %d as the first\n", me, SECRET(me))
           }
#ifdef OWN
           host[me] = SECRET(me)
#endif
        :: atomic { P.generation != store.generation || P.position != store.position || IS_LOST -> goto end_open }
        od
    } unless {
        atomic { P.killed -> P.killed = false; leave(); goto again }
    }
}

/* ---- requests, and a host whose projector has nothing to do, which learns from the store ---- */

proctype post(byte me)
{
    byte left = POSTS;
end:
    do
    :: d_step {
           store.generation > 0 && IS_WHOLE && IS_HIGH(me, store.position) && host[me] != store.standing ->
           believe(me, store.standing, store.since);
           if
           :: store.position > high[me] -> high[me] = store.position
           :: else
           fi;
           printf("host %d: learns: %d\n", me, host[me])
       }
    :: atomic {
           left > 0 && host[me] == SECRET(me) ->
           left--;
           d_step { append_vote(SECRET(me)); printf("host %d: a vote under %d\n", me, SECRET(me)) }
       }
    od
}

/* ---- operators and faults ---- */

proctype operator()
{
    byte left = OPERATORS, seen;
end:
    do
    :: left == 0 -> break
    :: left > 0 && store.generation > 0 && !store.behind && store.standing > 0 && store.standing != NEW ->
        seen = store.standing;
        d_step { left--; append_electorate(NEW, seen, true); printf("an operator: %d after %d\n", NEW, seen); seen = 0 }
    od
}

proctype faults()
{
    byte left = FAULTS, flushes = FLUSHES, rollbacks = ROLLBACKS, kills = KILLS, older = OLDER;
    do
    :: break
    :: d_step { left > 0 && rollbacks > 0 && old.generation == 0 && store.generation > 0 -> copy_store(old, store) }
    :: d_step {
           left > 0 && rollbacks > 0 && old.generation > 0 && old.generation == store.generation ->
           left--; rollbacks--;
           copy_store(store, old);
           printf("ROLLBACK\n")
       }
    :: d_step {
           left > 0 && flushes > 0 -> left--; flushes--;
           store.generation = 0; store.position = 0; store.voters_to = 0; store.standing = 0; store.since = 0;
           store.behind = false;
           printf("FLUSH\n")
       }
    :: d_step { left > 0 && kills > 0 -> left--; kills--; p[0].killed = true }
    :: d_step { left > 0 && kills > 0 -> left--; kills--; p[1].killed = true }
    :: d_step {
           older > 0 && store.generation > 0 && store.position < log_end ->
           older--;
           store.position++;
           printf("an older version applies a record\n")
       }
    od;
    atomic { left = 0; flushes = 0; rollbacks = 0; kills = 0; older = 0 }
}

proctype last()
{
end:
    timeout;
    CHECK(at rest the store does not name the electorate that stands,
          store.generation == 0 || lives == LIVES || (store.standing == stands && store.position == log_end));
    CHECK(at rest a host does not know the electorate that stands,
          store.generation == 0 || lives == LIVES || (host[0] == store.standing && host[1] == store.standing))
}

init {
    atomic {
        run projector(0);
        run projector(1);
        run post(0);
        run post(1);
        run operator();
        run faults();
        run last()
    }
}
