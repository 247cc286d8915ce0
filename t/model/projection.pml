/* The protocol of one partition: its log, the store, the shared memory of one host, projectors, and
 * requests of that host. README.md says what of the source each part stands for; the configurations and
 * what each rule's absence must show are in the table of `run`. */

/* ---- the bounds of a configuration ---- */

#ifndef EVENTS
#define EVENTS 2 /* at most, in each log */
#endif
#ifndef START
#define START 0 /* events that are in the log, applied and published at the start */
#endif
#ifndef APPENDS
#define APPENDS EVENTS /* events from elsewhere */
#endif
#ifndef POSTS
#define POSTS 0 /* ratings that are posted on this host, each waiting until it is visible */
#endif
#ifndef GETS
#define GETS 0 /* reading children; the first reads twice */
#endif
#ifndef POSITIONS
#define POSITIONS 0 /* 1: reading children carry positions */
#endif
#ifndef LEAVES
#define LEAVES 0 /* 1: the leader leaves the counts of what it has applied for the GETs of its host */
#endif
#ifndef PROJECTORS
#define PROJECTORS 2
#endif
#ifndef HOSTS
#define HOSTS 1 /* 2: the second projector is another host's */
#endif
#ifndef FAULTS
#define FAULTS 2 /* in all; each kind has its own bound, too */
#endif
#ifndef FLUSHES
#define FLUSHES 0
#endif
#ifndef LOSSES
#define LOSSES 0 /* of ratings:log alone */
#endif
#ifndef ROLLBACKS
#define ROLLBACKS 0
#endif
#ifndef KILLS
#define KILLS 0
#endif
#ifndef EXPIRIES
#define EXPIRIES 0
#endif
#ifndef LATE
#define LATE 0 /* 1: Redis runs the script of a projector that was killed, however late */
#endif
#ifndef HOST_LEASE
#define HOST_LEASE 0 /* 1: both projectors are of one host, whose lease decides who asks */
#endif
#ifndef RESTARTS
#define RESTARTS 0 /* of httpd on this host: its shared memory is a new one */
#endif
#ifndef AWAYS
#define AWAYS 0 /* openings that find the store, but not the log */
#endif
#ifndef REMAKES
#define REMAKES 0 /* of the topic */
#endif
#ifndef STOPS
#define STOPS 0 /* of a script, after any of its writes */
#endif

#define NONE 0
#define EMPTY 3 /* in place of a log's identity: it had no record */
#define NOBODY 0
#ifdef NO_LOG_ID
#define LOG_ID(l) ((l) == NONE -> NONE : 1)
#else
#define LOG_ID(l) l
#endif

/* What must hold; a replay says by name what does not. */
#define CHECK(what, condition) \
    if \
    :: (condition) \
    :: else -> printf("VIOLATED: "); printf(#what); printf("\n"); assert(false) \
    fi

/* ---- the log ---- */

byte log = 1;  /* its identity: another one once the topic was recreated */
byte log_next; /* its end */

/* Each event is a rating of a value of its own, so that the counts tell which were counted, and how
 * often: two bits an event. */
#define ONE(l, offset) (1 << (2 * (((l) - 1) * EVENTS + (offset))))
#define UPTO(n) (((1 << (2 * (n))) - 1) / 3)
#define FOLD(l, checkpoint) ((checkpoint) == 0 -> 0 : UPTO(checkpoint) << (2 * ((l) - 1) * EVENTS))
#define RUN(l, from, to) (FOLD(l, to) - FOLD(l, from))
#define LOG1 (UPTO(EVENTS))
#define LOG2 (UPTO(EVENTS) << (2 * EVENTS))
/* Two talks to a sweep: those of every other event. */
#define EVEN 819
#define ODD 3276

/* ---- the store ---- */

typedef store_t {
    byte generation; /* NONE: no checkpoint either */
    byte claim;
    byte swept; /* steps of the sweep under this claim */
    byte checkpoint;
    byte fingerprint;  /* of which log the last record applied is; its offset is checkpoint - 1 */
    byte first; /* of which log the first one is: the log's identity, or EMPTY */
    bool behind; /* a rebuild that is not complete: not to be shown */
    bool rebuild_request; /* another host has found it wrong */
    bool applying; /* a script that adds to the counts has begun, and has not ended */
    short counts
};
byte stops = STOPS; /* left */
store_t store;
store_t replica; /* what a rollback brings back */
bool replicated;
byte lease;
byte host; /* who holds the host's lease, a word in shared memory */

inline check_store() {
    CHECK(the counts are not the fold of the log to the checkpoint,
          store.generation == NONE || store.applying ||
              (store.counts == FOLD(store.first, store.checkpoint) &&
               (store.checkpoint == 0 || store.fingerprint == store.first)))
}

inline copy(to, from) {
    to.generation = from.generation;
    to.claim = from.claim;
    to.swept = from.swept;
    to.checkpoint = from.checkpoint;
    to.fingerprint = from.fingerprint;
    to.first = from.first;
    to.behind = from.behind;
    to.rebuild_request = from.rebuild_request;
    to.applying = from.applying;
    to.counts = from.counts
}

inline clear_log(where) {
    where.generation = NONE;
    where.claim = NONE;
    where.swept = 0;
    where.checkpoint = 0;
    where.fingerprint = NONE;
    where.first = NONE;
    where.behind = false;
    where.rebuild_request = false;
    where.applying = false
}

/* ---- the shared memory of this host ---- */

byte log_id, high; /* one word, and so are these: */
byte watermark_log_id, watermark;
bool rebuild_request[HOSTS]; /* of each host; all else is of this one */

/* What has been shown, or answered with 200: later answers must count it. */
short visible;

/* The response cache of all children, for the talk that is rated. An entry is valid while epoch and change
 * counter are what they were when the child that made it looked at them (`looked`): raising either ends it. */
bool entry;
short entry_counts;
bool looked[2];
byte reading; /* GETs that are under way */
byte aways = AWAYS;

#if LEAVES > 0
/* The counts that the leader has left: valid in the same way. */
bool are_left;
short left_counts;
bool leaving[2]; /* those of a projector that has looked at the counters */
#endif

inline raise_counter() {
    entry = false;
    entry_counts = 0;
    looked[0] = false;
    looked[1] = false
#if LEAVES > 0
    ;
#ifndef LEFT_KEPT
    are_left = false;
    left_counts = 0;
#endif
    leaving[0] = false;
    leaving[1] = false
#endif
}

/* A checkpoint is news if it is of another log, which begins anew, or further on in the same. One of a log
 * that is not known says nothing. */
#ifdef LOWERED
#define IS_NEWS(word_log_id, word, t, checkpoint_) ((t) != NONE && ((t) != word_log_id || (checkpoint_) != word))
#else
#define IS_NEWS(word_log_id, word, t, checkpoint_) ((t) != NONE && ((t) != word_log_id || (checkpoint_) > word))
#endif
/* High is no longer told of an empty log once it knows a record: a store that was restored to its
 * beginning is that of an empty log, too. */
#ifdef EMPTY_ANYWAY
#define IS_HIGH_NEWS(t, checkpoint_) IS_NEWS(log_id, high, t, checkpoint_)
#else
#define IS_HIGH_NEWS(t, checkpoint_) (IS_NEWS(log_id, high, t, checkpoint_) && ((t) != EMPTY || log_id == NONE))
#endif
#define IS_WATERMARK_NEWS(t, checkpoint_) IS_NEWS(watermark_log_id, watermark, t, checkpoint_)

/* ---- the projectors ---- */

typedef projector_t {
    byte generation, claim, checkpoint, fingerprint, first; /* ratings:log as it was loaded */
    bool behind, rebuild_request, applying;                /* the same */
    byte next;                                     /* the end of the log when it was opened */
    byte target;                                   /* and what a rebuild has to reach */
    byte seen_log_id, seen_high;                      /* high before that end was asked for */
    byte watermark_log_id, watermark;                 /* to be forgotten, if still that */
    byte token;                                    /* of the rebuild */
    byte read_log, read_next;                      /* what the reader has fetched; NONE: nothing */
#if LEAVES > 0
    short counts; /* what the script has replied, if it was asked */
    bool leaves;
#endif
    bool verified, rebuild_reason, broken, killed
};
projector_t p[PROJECTORS];

#define P p[me]
#define TOKEN (me + 1)
#if HOST_LEASE && !defined(TAKEN_BY_ANYBODY)
#define MAY_ASK (host == TOKEN)
#else
#define MAY_ASK true
#endif
#if HOSTS == 2
#define HERE (me == 0)
#define REQUESTED rebuild_request[me]
#define ON_THIS_HOST if :: !HERE :: else ->
#define ON_THIS_HOST_END fi
#else
#define HERE true
#define REQUESTED rebuild_request[0]
#define ON_THIS_HOST
#define ON_THIS_HOST_END
#endif

#define USED_BY(i, t) (p[i].generation == t || p[i].claim == t || p[i].token == t)
#if PROJECTORS == 2
#define USED_BY_OTHER(t) USED_BY(1 - me, t)
#else
#define USED_BY_OTHER(t) false
#endif
#define IS_KNOWN(t) \
    (store.generation == t || store.claim == t || replica.generation == t || replica.claim == t || \
     P.generation == t || P.claim == t || USED_BY_OTHER(t))

/* A random one: nobody knows it. */
inline make_token() {
    P.token = 1;
    do
    :: IS_KNOWN(P.token) -> P.token++
    :: else -> break
    od
}

inline load() {
    P.generation = store.generation;
    P.claim = store.claim;
    P.checkpoint = store.checkpoint;
    P.fingerprint = store.fingerprint;
    P.first = store.first;
    P.behind = store.behind;
    P.rebuild_request = store.rebuild_request;
    P.applying = store.applying
}

inline forget_loaded() {
    P.generation = NONE;
    P.claim = NONE;
    P.checkpoint = 0;
    P.fingerprint = NONE;
    P.first = NONE;
    P.behind = false;
    P.rebuild_request = false;
    P.applying = false
}

/* Given up; or its holder is dead, so that the next child of its host takes it over. */
inline lose_lease() {
    if
    :: lease == TOKEN -> lease = NOBODY
    :: else
    fi
}

inline leave() {
    printf("projector %d: leaves\n", me);
    lose_lease();
    forget_loaded();
    P.next = 0;
    P.target = 0;
    P.seen_log_id = NONE;
    P.seen_high = 0;
    P.watermark_log_id = NONE;
    P.watermark = 0;
    P.token = NONE;
    P.read_log = NONE;
    P.read_next = 0;
#if LEAVES > 0
    P.counts = 0;
    P.leaves = false;
    leaving[me] = false;
#endif
    P.verified = false;
    P.broken = false
}

mtype = { EPOCH, COUNTER };

/* ---- publishing ---- */

inline publish_high() {
    d_step {
        if
        :: IS_HIGH_NEWS(LOG_ID(P.first), P.checkpoint) -> log_id = LOG_ID(P.first); high = P.checkpoint
        :: else
        fi;
        printf("projector %d: high (%d, %d)\n", me, log_id, high)
    }
}

inline publish_watermark() {
    d_step {
        if
        :: IS_WATERMARK_NEWS(LOG_ID(P.first), P.checkpoint) ->
            watermark_log_id = LOG_ID(P.first);
            watermark = P.checkpoint
        :: else
        fi;
        printf("projector %d: watermark (%d, %d)\n", me, watermark_log_id, watermark)
    }
}

#if GETS == 0
#define publish_counter(name) skip
#else
inline publish_counter(name) {
    d_step { raise_counter(); printf("projector %d: %e\n", me, name) }
}
#endif

#if LEAVES > 0
/* If the high watermark is that of these counts after the counters were looked at: whoever publishes more raises
 * it, and then the counter. */
inline look_at_counters() {
    d_step { leaving[me] = true; printf("projector %d: looks at the counters\n", me) }
}

inline look_at_high_again() {
    d_step {
#ifdef LEFT_LOOKED_LATE
        P.leaves = log_id == LOG_ID(P.first) && high == P.checkpoint;
#elif !defined(LEFT_ANYWAY)
        leaving[me] = leaving[me] && log_id == LOG_ID(P.first) && high == P.checkpoint;
#endif
        printf("projector %d: high is (%d, %d) still\n", me, log_id, high)
    }
}

inline leave_counts() {
    if
    :: P.leaves ->
#ifdef LEFT_LOOKED_LATE
        look_at_high_again();
        look_at_counters();
#else
        look_at_counters();
        look_at_high_again();
#endif
        d_step {
            if
            :: P.leaves && leaving[me] ->
                are_left = true;
                left_counts = P.counts;
                printf("projector %d: leaves counts %x\n", me, left_counts)
            :: else
            fi;
            P.counts = 0;
            P.leaves = false;
            leaving[me] = false
        }
    :: else
    fi
}
#else
#define leave_counts() skip
#endif

/* What the projector applied itself. */
inline publish_applied() {
    ON_THIS_HOST
#ifdef COUNTER_FIRST
        publish_counter(COUNTER);
#endif
        publish_high();
#if !defined(COUNTER_FIRST) && !defined(COUNTER_LATE)
        publish_counter(COUNTER);
#endif
        leave_counts();
        publish_watermark()
#ifdef COUNTER_LATE
        ; publish_counter(COUNTER)
#endif
    ON_THIS_HOST_END
}

/* The checkpoint that the store claims, for a host that knows nothing and cannot ask the log. */
inline publish_bootstrap() {
    publish_counter(EPOCH);
    d_step {
        if
        :: log_id == NONE -> log_id = LOG_ID(P.first); high = P.checkpoint
        :: else
        fi;
        printf("projector %d: the log is unavailable: high (%d, %d)\n", me, log_id, high)
    }
}

/* A checkpoint that the projector found. */
inline publish_external() {
    ON_THIS_HOST
#ifdef EPOCH_FIRST
        publish_counter(EPOCH);
#endif
        publish_high();
#if !defined(EPOCH_FIRST) && !defined(EPOCH_LATE)
        publish_counter(EPOCH);
#endif
        publish_watermark()
#ifdef EPOCH_LATE
        ; publish_counter(EPOCH)
#endif
    ON_THIS_HOST_END
}

/* Whether a checkpoint of the store is not what this host knows: a publication was late, or never came. */
#ifdef TOLD_AGAIN_ALWAYS
#define IS_UNTOLD(t, checkpoint_) true
#else
#define IS_UNTOLD(t, checkpoint_) (IS_HIGH_NEWS(t, 0) || IS_WATERMARK_NEWS(t, checkpoint_))
#endif

/* A log that ends at `next` was not applied any further: high that is beyond it, and still what it was
 * before that end was asked for, is of another log. The watermark goes after it, if it is still what it
 * was before. */
#ifdef FORGET_LATE
#define IS_SEEN true
#else
#define IS_SEEN (log_id == P.seen_log_id && high == P.seen_high)
#endif

inline forget_high() {
    if
    :: HERE && IS_SEEN && high > P.next ->
        if
        :: watermark_log_id == log_id -> P.watermark_log_id = watermark_log_id; P.watermark = watermark
        :: else
        fi;
        log_id = NONE;
        high = 0;
        printf("projector %d: high was of another log\n", me)
    :: else
    fi
}

inline forget_watermark() {
    if
    :: watermark_log_id == P.watermark_log_id && watermark == P.watermark ->
        watermark_log_id = NONE;
        watermark = 0;
        printf("projector %d: the watermark was of another log\n", me)
    :: else
    fi;
    P.watermark_log_id = NONE;
    P.watermark = 0
}

/* ---- opening ---- */

/* The log's first record is younger than the one that was applied first. */
#ifdef NO_YOUNGER
#define IS_ANOTHER(l) false
#else
#define IS_ANOTHER(l) ((l) != NONE && (l) != EMPTY && log != (l) && log_next > 0)
#endif

#define REASON (P.generation == NONE || P.applying || P.checkpoint > P.next || P.rebuild_reason || REQUESTED)

#if defined(NO_CLAIM)
#define IS_MINE(steps) true
#elif defined(NO_SWEPT)
#define IS_MINE(steps) (store.claim == P.token)
#else
#define IS_MINE(steps) (store.claim == P.token && store.swept == steps)
#endif

inline store_has_moved() {
    printf("projector %d: the store has changed\n", me);
    leave();
    goto end_standby
}

inline claim_store() {
    make_token();
    clear_log(store);
    store.claim = P.token;
    printf("projector %d: claims a rebuild: %d\n", me, P.token);
    forget_loaded()
}

/* Deletes one talk: that of `events`. */
inline sweep(step, events) {
    store.counts = store.counts & ~events;
    store.swept++;
    printf("projector %d: sweeps, step %d\n", me, step);
    check_store()
}

inline open_store() {
    clear_log(store);
    store.generation = P.token;
    store.first = (P.next == 0 -> EMPTY : NONE);
    store.behind = (P.next > 0);
    printf("projector %d: opens the store: generation %d\n", me, P.token);
    P.token = NONE;
    check_store()
}

/* Claiming and opening delete ratings:log before they write it. */
inline lose_log() {
    stops--;
    clear_log(store);
    printf("projector %d: is stopped, ratings:log is gone\n", me);
    store_has_moved()
}

inline rebuild() {
    if
    :: d_step { store.generation == P.generation && store.claim == P.claim -> claim_store() }
#if STOPS > 0
    :: atomic { stops > 0 && store.generation == P.generation && store.claim == P.claim -> lose_log() }
#endif
    :: atomic { !(store.generation == P.generation && store.claim == P.claim) -> store_has_moved() }
    fi;
    if
    :: d_step { IS_MINE(0) -> sweep(1, EVEN) }
#if STOPS > 0
    :: atomic { stops > 0 && IS_MINE(0) -> stops--; store.counts = store.counts & ~EVEN; store_has_moved() }
#endif
    :: atomic { !IS_MINE(0) -> store_has_moved() }
    fi;
    if
    :: d_step { IS_MINE(1) -> sweep(2, ODD) }
    :: atomic { !IS_MINE(1) -> store_has_moved() }
    fi;
    if
    :: d_step { IS_MINE(2) -> open_store() }
#if STOPS > 0
    :: atomic { stops > 0 && IS_MINE(2) -> lose_log() }
#endif
    :: atomic { !IS_MINE(2) -> store_has_moved() }
    fi;
    if
    :: d_step {
           store.generation != NONE && !store.applying ->
           load();
           printf("projector %d: loads ratings:log\n", me)
       }
    :: atomic { store.generation == NONE || store.applying -> store_has_moved() }
    fi
#if POSTS > 0
    ; REQUESTED = false /* whoever raised it */
#endif
}

/* ---- applying ---- */

#ifdef NO_COMPARE
#define SAME_CHECKPOINT true
#else
#define SAME_CHECKPOINT (store.checkpoint == P.checkpoint)
#endif
#if defined(NO_FINGERPRINT) || defined(NO_COMPARE)
#define SAME_FINGERPRINT true
#else
#define SAME_FINGERPRINT (store.fingerprint == P.fingerprint)
#endif
#define MAY_APPLY \
    (store.generation != NONE && !store.applying && store.generation == P.generation && SAME_CHECKPOINT && \
     SAME_FINGERPRINT)

inline drop_read() {
    P.read_log = NONE;
    P.read_next = 0
}

inline add_counts() {
    store.counts = store.counts + RUN(P.read_log, P.checkpoint, P.read_next)
}

inline move_checkpoint() {
    if
    :: P.checkpoint == 0 -> P.first = P.read_log; store.first = P.read_log
    :: else
    fi;
    P.fingerprint = P.read_log;
    P.checkpoint = P.read_next;
    store.fingerprint = P.fingerprint;
    store.checkpoint = P.checkpoint
}

/* Redis does not undo what a script has written when something stops it. Of the writes of apply.lua
 * the first says that more is to come, and the last that all is done. */
#ifdef NOT_MARKED
#define BEGIN_APPLYING skip
#else
#define BEGIN_APPLYING store.applying = true
#endif

/* It is stopped before or after what is read is counted. */
inline apply_in_part() {
    stops--;
    BEGIN_APPLYING;
    if
    :: true
    :: add_counts()
    fi;
    printf("projector %d: is stopped applying log %d from %d to %d: counts %x\n", me, P.read_log, P.checkpoint,
           P.read_next, store.counts);
    check_store()
}

#ifdef LEFT_BEHIND
#define MAY_LEAVE HERE
#else
#define MAY_LEAVE (HERE && !P.behind)
#endif

inline apply() {
    add_counts();
    move_checkpoint();
    printf("projector %d: applies log %d to %d: counts %x\n", me, P.read_log, P.checkpoint, store.counts);
    check_store();
#if LEAVES > 0
    if
    :: MAY_LEAVE -> P.leaves = true; P.counts = store.counts
    :: else
    fi;
#endif
    drop_read()
}

/* ---- between ---- */

#ifdef NO_LOOK
#define HAS_MOVED false
#else
#define HAS_MOVED \
    (store.generation != P.generation || store.applying || store.checkpoint != P.checkpoint || \
     log_next < P.checkpoint || store.rebuild_request || IS_ANOTHER(store.first))
#endif

/* From where it is read: at the record applied last, until that was found in the log. */
#define FROM (P.verified -> P.checkpoint : P.checkpoint - 1)
#ifdef NO_VERIFYING
#define VERIFIED true
#else
#define VERIFIED (P.checkpoint == 0)
#endif

#define IS_COMPLETE (P.behind && !IS_READ && P.checkpoint >= P.target)
#define IS_READ (P.read_log != NONE)
#define IS_TO_APPLY (IS_READ && P.verified && P.read_next > P.checkpoint)

proctype projector(byte me)
{
again:
    {
        skip;
end_standby:
        if
#if HOST_LEASE
        :: atomic { host == NOBODY -> host = TOKEN; goto end_standby }
        :: MAY_ASK && lease != TOKEN -> /* and may have lost it when it gets the lease, or takes it over */
           atomic { lease = TOKEN; printf("projector %d: has the lease\n", me) }
#else
        :: atomic { lease == NOBODY -> lease = TOKEN; printf("projector %d: has the lease\n", me) }
#endif
#if HOSTS == 2
        :: d_step { /* standby: the projector of the other host leads */
               HERE && lease != NOBODY && store.generation != NONE && !store.applying &&
                   IS_UNTOLD(LOG_ID(store.first), store.checkpoint) ->
               load();
               printf("projector %d: learns (%d, %d)\n", me, P.first, P.checkpoint)
           }
           publish_external();
           atomic { leave(); goto end_standby }
        :: d_step { /* and hears that it is wrong */
               HERE && lease != NOBODY && store.generation != NONE && REQUESTED ->
               P.generation = store.generation
           }
           d_step {
               if
               :: store.generation == P.generation -> store.rebuild_request = true
               :: else
               fi
           }
           REQUESTED = false;
           atomic { leave(); goto end_standby }
#endif
        fi;
        d_step {
            load();
            printf("projector %d: loads ratings:log: generation %d claim %d first %d checkpoint %d\n", me,
                   P.generation, P.claim, P.first, P.checkpoint);
            REQUESTED = REQUESTED || P.rebuild_request
        }
#if AWAYS > 0
        if
        :: atomic { HERE && aways > 0 && log_id == NONE && P.first != NONE -> aways-- }
           publish_bootstrap();
           atomic { leave(); goto end_standby }
        :: true
        fi;
#endif
        d_step {
            if
            :: HERE -> P.seen_log_id = log_id; P.seen_high = high
            :: else
            fi
        }
        d_step {
            P.next = log_next;
            P.rebuild_reason = P.rebuild_reason || IS_ANOTHER(P.first);
            P.broken = false;
            printf("projector %d: the log ends at %d\n", me, P.next)
        }
        if
        :: atomic { REASON -> P.rebuild_reason = false }
           rebuild()
        :: !(REASON)
        fi;
        d_step {
            P.claim = NONE;
            P.verified = VERIFIED;
            forget_high();
            P.target = (P.behind -> P.next : 0);
            P.next = 0;
            P.seen_log_id = NONE;
            P.seen_high = 0
        }
        if
        :: d_step { P.watermark_log_id != NONE -> forget_watermark() }
        :: P.watermark_log_id == NONE
        fi;
        if
        :: P.verified -> publish_external()
        :: else
        fi;
end_work:
        do
        :: d_step {
               !IS_READ && !P.broken && FROM < log_next ->
               P.read_log = log;
               P.read_next = log_next;
               printf("projector %d: reads log %d, %d to %d\n", me, log, FROM, log_next)
           }
        :: d_step { /* a batch that is full */
               !IS_READ && !P.broken && P.checkpoint + 1 < log_next ->
               P.read_log = log;
               P.read_next = P.checkpoint + 1;
               printf("projector %d: reads log %d, %d to %d\n", me, log, FROM, P.read_next)
           }
        :: atomic {
               (!IS_READ && P.broken) || lease != TOKEN || !MAY_ASK || HAS_MOVED || REQUESTED ->
               leave();
               goto end_standby
           }
#ifndef NO_TELLING_AGAIN
        :: HERE && P.verified && !HAS_MOVED && IS_UNTOLD(LOG_ID(P.first), P.checkpoint) ->
           publish_external()
#endif
        :: d_step { IS_READ && !P.verified && P.fingerprint == P.read_log -> P.verified = true }
           publish_external()
        :: atomic {
               IS_READ && !P.verified && P.fingerprint != P.read_log ->
               P.rebuild_reason = true;
               printf("projector %d: the record applied last is not in the log\n", me);
               leave();
               goto end_standby
           }
        :: d_step { IS_READ && P.verified && P.read_next <= P.checkpoint -> drop_read() }
#ifdef POSITION_APART
        :: d_step { IS_TO_APPLY && MAY_APPLY -> add_counts(); printf("projector %d: adds\n", me) }
           d_step { move_checkpoint(); check_store(); drop_read() }
           publish_applied()
#else
        :: d_step { IS_TO_APPLY && MAY_APPLY -> apply() }
           publish_applied()
#endif
#if STOPS > 0
        :: atomic { IS_TO_APPLY && MAY_APPLY && stops > 0 -> apply_in_part(); store_has_moved() }
#endif
        :: atomic { IS_TO_APPLY && !MAY_APPLY -> store_has_moved() }
        :: d_step { !HAS_MOVED && store.behind != P.behind -> P.behind = store.behind }
        :: d_step {
               IS_COMPLETE && store.generation == P.generation ->
               store.behind = false;
               P.behind = false;
               printf("projector %d: the rebuild is complete\n", me)
           }
        :: atomic { IS_COMPLETE && store.generation != P.generation -> store_has_moved() }
        od
    } unless {
        atomic {
            P.killed ->
            P.killed = false;
            P.rebuild_reason = false;
            printf("projector %d: KILLED\n", me);
            host = (host == TOKEN -> NOBODY : host);
#if LATE > 0
            if
            :: IS_TO_APPLY -> lose_lease(); goto late
            :: true
            fi;
#endif
            leave();
            goto again
        }
    }
#if LATE > 0
late:
    skip;
    d_step { /* what it has sent; nobody publishes that */
        if
        :: MAY_APPLY -> apply()
        :: else
        fi
    }
    atomic { leave(); goto again }
#endif
}

/* ---- requests ---- */

/* Making a topic again takes longer than it takes the consumers to be told that theirs is gone. */
#if defined(SUDDEN_REMAKE) || !REMAKES
#define NOTICED true
#elif PROJECTORS == 2
#define NOTICED (!p[0].broken && !p[1].broken)
#else
#define NOTICED (!p[0].broken)
#endif

/* A rating is not appended to another log than was there when its request came. */
#ifdef STRADDLING
#define MAY_STRADDLE true
#else
#define MAY_STRADDLE (log == of_log)
#endif

/* How it waits: waiters.pml. */
proctype post()
{
    byte floor, offset, of_log;
end_unnoticed:
    d_step { NOTICED -> floor = watermark; of_log = log }
end_full:
    if
    :: log != of_log -> printf("POST: 503 or 504, the topic was recreated\n"); goto done
    :: d_step {
           log_next < EVENTS && MAY_STRADDLE ->
           offset = log_next;
           of_log = log;
           log_next++;
           printf("POST: appended to log %d at %d\n", log, offset)
       }
    fi;
    if
    :: offset < floor -> rebuild_request[0] = true; printf("POST: 202, the topic was recreated\n")
    :: else ->
end_wait:
        d_step {
            watermark > offset ->
            visible = visible | ONE(of_log, offset);
            printf("POST: 200 for log %d, %d\n", of_log, offset)
        }
    fi;
done:
    atomic { floor = 0; offset = 0; of_log = 0 }
}

/* An answer counts all that must be counted; but once the topic was recreated, it may be of the new
 * log alone. */
inline answer(must_, counts_) {
    printf("GET %d: answers counts %x\n", me, counts_);
    CHECK(an answer lacks what was answered before,
          (must_ & LOG2 & ~(counts_)) == 0 &&
              ((must_ & LOG1 & ~(counts_)) == 0 || (log != 1 && (counts_ & LOG1) == 0)));
    visible = visible | counts_
}

/* What is read is on the way to being shown: nothing older may be, from then on. Whoever has raised the
 * watermark has raised the counters before; what is beyond it may be in no counter yet. */
#ifdef SHOWN_BY_HIGH
#define IS_UNKNOWN (shown_log_id == log_id && checkpoint > high)
#else
#define IS_UNKNOWN (shown_log_id != watermark_log_id || checkpoint > watermark)
#endif

#ifdef GET_AGAINST_WATERMARK
#define SEEN_LOG_ID watermark_log_id
#define SEEN_HIGH watermark
#else
#define SEEN_LOG_ID log_id
#define SEEN_HIGH high
#endif

inline raise_counter_of_talk() {
    d_step { raise_counter(); printf("GET %d: COUNTER\n", me) }
}

inline raise_high_shown() {
    d_step {
        if
        :: shown_log_id == log_id && checkpoint > high -> high = checkpoint
        :: else
        fi;
        printf("GET %d: high (%d, %d)\n", me, log_id, high)
    }
}

/* What the leader has left, in the place of the store. */
inline take_left() {
    requests--;
    reading++;
    counts = left_counts;
    looked[me] = true;
    printf("GET %d: takes what was left\n", me)
}

inline end_request() {
    must = 0; counts = 0; checkpoint = 0; shown_log_id = 0; seen_log_id = 0; seen_high = 0; reading--;
    looked[me] = false
}

inline answer_from_store() {
    answer(must, counts);
    if
    :: looked[me] -> entry = true; entry_counts = counts
    :: else
    fi;
    end_request()
}

/* What has just been raised here has ended the entry that is about to be made. It is made all the same
 * if the counters, as they are now, are older than a `high` that still is what the answer has. */
inline look_again() {
    d_step { looked[me] = true; printf("GET %d: looks at the counters again\n", me) }
#ifndef NO_HIGH_AGAIN
    d_step {
        looked[me] = looked[me] && log_id == shown_log_id && high == checkpoint;
        printf("GET %d: high is (%d, %d) still\n", me, log_id, high)
    }
#endif
}

inline look_at_high() {
    seen_log_id = SEEN_LOG_ID;
    seen_high = SEEN_HIGH;
    printf("GET %d: high is (%d, %d)\n", me, seen_log_id, seen_high)
}

#ifdef BEHIND_SHOWN
#define IS_HIDDEN false
#else
#define IS_HIDDEN (store.behind || store.applying)
#endif
#define IS_FRESH (shown_log_id == seen_log_id && shown_log_id != NONE && checkpoint >= seen_high && IS_AT_POSITION)

/* A position: of any event that is in the log, whoever has appended it, and whether or not it is applied yet.
 * The answer has to count it, and all before it. */
#if POSITIONS > 0
#ifdef POSITION_OF_ANY_LOG
#define IS_OF_POSITION(t) true
#else
#define IS_OF_POSITION(t) ((t) == LOG_ID(of_log))
#endif
#ifdef POSITION_NOT_OF_STORE
#define IS_AT_POSITION true
#else
#define IS_AT_POSITION (upto == 0 || (IS_OF_POSITION(shown_log_id) && checkpoint >= upto))
#endif
#if defined(POSITION_NOT_OF_CACHE)
#define IS_REACHED true
#elif defined(POSITION_BY_HIGH)
#define IS_REACHED (IS_OF_POSITION(log_id) && high >= upto)
#else
#define IS_REACHED (IS_OF_POSITION(watermark_log_id) && watermark >= upto)
#endif
#define CARRIED FOLD(of_log, upto)
#ifdef LEFT_AT_ANY_POSITION
#define MAY_TAKE true
#else
#define MAY_TAKE (reached || upto == 0)
#endif
#else
#define IS_AT_POSITION true
#define CARRIED 0
#define MAY_TAKE true
#endif

#if GETS > 0
proctype get(byte me; byte requests)
{
    byte seen_log_id, seen_high, shown_log_id, checkpoint;
    short must, counts;
#if POSITIONS > 0
    byte of_log, upto; /* what it carries, if it does; a later request the same, or one further on */
#endif
#if POSITIONS > 0 || LEAVES > 0
    bool reached;
#endif
    do
    :: requests == 0 -> break
#if POSITIONS > 0
    :: d_step {
           requests > 0 && !reached && log_next > upto && (of_log == NONE || of_log == log) ->
           of_log = log;
           upto++;
           printf("GET %d: carries (%d, %d)\n", me, of_log, upto)
       }
#ifdef POSITION_LATE
    :: d_step { requests > 0 && upto > 0 && !reached && entry -> reached = true; must = visible; counts = entry_counts }
    :: d_step { reached && IS_REACHED -> requests--; answer((must | CARRIED), counts); reached = false; must = 0; counts = 0 }
#else
    :: d_step {
           requests > 0 && upto > 0 && !reached && IS_REACHED ->
           reached = true;
           must = visible;
           printf("GET %d: sees that the position is applied\n", me)
       }
    :: d_step { reached && entry -> requests--; answer((must | CARRIED), entry_counts); reached = false; must = 0 }
#endif
    :: d_step { requests > 0 && upto == 0 && entry -> requests--; answer(visible, entry_counts) }
#else
    :: d_step { requests > 0 && entry -> requests--; answer(visible, entry_counts) }
#endif
#if LEAVES > 0
    :: d_step {
           requests > 0 && are_left && MAY_TAKE ->
           must = (reached -> must : visible) | CARRIED;
           reached = false;
           take_left()
       }
       d_step { answer_from_store() }
#endif
    :: d_step { /* without an entry, or with one that is too old */
           requests > 0 ->
           requests--;
           reading++;
           must = visible | CARRIED;
           looked[me] = true;
#if POSITIONS > 0
           reached = false;
#endif
           printf("GET %d: looks at the counters\n", me)
       }
       d_step { look_at_high() }
       d_step {
           counts = store.counts;
           checkpoint = store.checkpoint;
           shown_log_id = (IS_HIDDEN -> NONE : LOG_ID(store.first));
           printf("GET %d: reads the store: (%d, %d) counts %x\n", me, shown_log_id, checkpoint, counts)
       }
       if
       :: d_step { !IS_FRESH -> printf("GET %d: 503\n", me); end_request() }
       :: d_step { IS_FRESH && !IS_UNKNOWN -> answer_from_store() }
       :: IS_FRESH && IS_UNKNOWN ->
#ifdef SHOWN_COUNTER_FIRST
          raise_counter_of_talk();
#endif
#ifndef SHOWN_NOT_HIGH
          raise_high_shown();
#endif
#if !defined(SHOWN_COUNTER_FIRST) && !defined(SHOWN_NOT_COUNTER)
          raise_counter_of_talk();
#endif
          look_again();
          d_step { answer_from_store() }
       fi
    od
}
#endif

/* ---- what happens to it ---- */

proctype append()
{
    byte left = APPENDS;
end:
    do
    :: d_step {
           left > 0 && log_next < EVENTS -> log_next++; left--;
           printf("log %d ends at %d\n", log, log_next)
       }
    :: break
    od;
    left = 0
}

#define IS_DUE(kind) left > 0 && kind > 0 -> left--; kind--

proctype faults()
{
    byte left = FAULTS, flushes = FLUSHES, losses = LOSSES, rollbacks = ROLLBACKS, kills = KILLS,
         expiries = EXPIRIES, remakes = REMAKES, restarts = RESTARTS;
    do
    :: break
    :: d_step {
           IS_DUE(flushes);
           clear_log(store);
           store.counts = 0;
           lease = NOBODY;
           printf("FLUSH\n")
       }
    :: d_step { IS_DUE(losses); clear_log(store); printf("LOSS of ratings:log\n") }
    :: d_step {
           left > 0 && rollbacks > 0 && !replicated ->
           replicated = true;
           copy(replica, store);
           printf("the replica is as the store is now\n")
       }
    :: d_step {
           replicated && IS_DUE(rollbacks);
           copy(store, replica);
           clear_log(replica);
           replica.counts = 0;
           lease = NOBODY;
           printf("ROLLBACK\n")
       }
    :: d_step { IS_DUE(kills); p[0].killed = true }
#if PROJECTORS == 2
    :: d_step { IS_DUE(kills); p[1].killed = true }
#endif
    :: d_step { lease != NOBODY && IS_DUE(expiries); lease = NOBODY; printf("the lease expires\n") }
#if HOST_LEASE
    :: d_step { host != NOBODY && IS_DUE(expiries); host = NOBODY; printf("the lease of the host expires\n") }
#endif
    :: d_step {
           reading == 0 && IS_DUE(restarts);
           log_id = NONE; high = 0; watermark_log_id = NONE; watermark = 0;
           rebuild_request[0] = false;
           raise_counter();
           printf("RESTART of httpd\n");
           p[0].killed = true
#if PROJECTORS == 2 && HOSTS == 1
           ; p[1].killed = true
#endif
       }
    :: d_step {
           IS_DUE(remakes);
           log = 2;
           log_next = 0;
           printf("REMAKE: log 2\n");
#ifndef SILENT_REMAKE
           p[0].broken = true
#if PROJECTORS == 2
           ; p[1].broken = true
#endif
#endif
       }
    od;
    atomic { /* no difference where there is none */
        left = 0; flushes = 0; losses = 0; rollbacks = 0; kills = 0; expiries = 0; remakes = 0; restarts = 0; aways = 0;
        clear_log(replica);
        replica.counts = 0
    }
}

/* When nobody can do anything any more. */
proctype last()
{
end:
    timeout;
    CHECK(at rest the store has not caught up with the log,
          store.generation != NONE && !store.behind && !store.applying && store.checkpoint == log_next &&
              store.counts == FOLD(log, log_next));
    CHECK(at rest the host does not know the checkpoint of the store,
          log_next == 0 || /* that a log has no record any more may be told when it has one */
          (log_id == LOG_ID(store.first) && high == store.checkpoint &&
              watermark_log_id == log_id && watermark == store.checkpoint))
}

init {
    atomic {
#if START > 0
        log_next = START;
        store.generation = 1;
        store.checkpoint = START;
        store.fingerprint = log;
        store.first = log;
        store.counts = FOLD(log, START);
        log_id = LOG_ID(log); high = START;
        watermark_log_id = LOG_ID(log); watermark = START;
#endif
        run projector(0);
#if PROJECTORS == 2
        run projector(1);
#endif
#if POSTS > 0
        run post();
#endif
#if POSTS > 1
        run post();
#endif
#if APPENDS > 0
        run append();
#endif
#if GETS > 0
        run get(0, 2);
#endif
#if GETS > 1
        run get(1, 1);
#endif
        run faults();
        run last()
    }
}
