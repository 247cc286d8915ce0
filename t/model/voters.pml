/* One voter, one rating: the log of one partition with the events of one talk, the store, and projectors that fold the
 * log into it. One voter sets, changes and withdraws a rating, and may be barred; others rate anonymously; events repeat. There is no
 * lease here: both projectors may write at any time. README.md says what of the source each part stands for. */

#ifndef LENGTH
#define LENGTH 3 /* events, at most */
#endif
#ifndef PROJECTORS
#define PROJECTORS 2
#endif
#ifndef FAULTS
#define FAULTS 1 /* in all; each kind has its own bound, too */
#endif
#ifndef FLUSHES
#define FLUSHES 0
#endif
#ifndef LOSSES
#define LOSSES 0 /* of the voters' key alone */
#endif
#ifndef ROLLBACKS
#define ROLLBACKS 0
#endif
#ifndef KILLS
#define KILLS 0 /* of a projector */
#endif
#ifndef STOPS
#define STOPS 0 /* of a script, after any of its writes */
#endif
#ifndef OLDER
#define OLDER 0 /* steps of a version that knows no voters */
#endif
#ifndef BARS
#define BARS 0 /* 1: records bar the voter, and end that */
#endif
#ifndef BAR_LOSSES
#define BAR_LOSSES 0 /* of the key that says that the voter is barred, alone */
#endif
#ifndef READS
#define READS 0 /* of the voter's own rating */
#endif
#ifndef FILLS
#define FILLS 0 /* batches that are written in parts, at most */
#endif
#ifndef LIVES
#define LIVES 4 /* of the store */
#endif

#define CHECK(what, condition) \
    if \
    :: (condition) \
    :: else -> printf("VIOLATED: "); printf(#what); printf("\n"); assert(false) \
    fi

/* ---- the log ---- */

/* What a record does: the voter sets the rating to 1 or 2, or withdraws it; or one more anonymous 1; or, no event, the
 * voter is barred from there on, or no longer. */
#define WITHDRAWN 0
#define ANONYMOUS 3
#define NOTHING 4
#define BARRED 5
#define UNBARRED 6
#define IS_BAR(what) ((what) == BARRED || (what) == UNBARRED)
#define IS_RATING(what) ((what) == 1 || (what) == 2)

byte does[LENGTH], name[LENGTH]; /* a name that was there before: the event repeats */
bool keyed[LENGTH];              /* it repeats by its idempotency key, else by its CloudEvents id */
byte log_end;

/* Whether an event has the name of one before it, from `from` on. */
inline look_for_repeat(at, since, found) {
    other = since;
    found = false;
    do
    :: other >= at -> break
    :: else -> found = found || name[other] == name[at]; other++
    od;
    other = 0
}

/* ---- the fold, as it must be ---- */

byte fold_one, fold_two, fold_vote;      /* of the log up to a checkpoint */
bool fold_barred;
byte fold_uses;                          /* the keys with which an event has counted, a bit for each name */
byte each, other, shut;                  /* for loops within a step; 0 between */
bool repeats;

inline fold(upto) {
    fold_one = 0; fold_two = 0; fold_vote = WITHDRAWN; fold_barred = false; fold_uses = 0;
    each = 0;
    do
    :: each >= upto -> break
    :: else ->
        look_for_repeat(each, 0, repeats);
        if
        :: !repeats && IS_BAR(does[each]) -> fold_barred = does[each] == BARRED
        :: fold_barred && IS_RATING(does[each])
        :: (keyed[each] -> (fold_uses & (1 << name[each])) != 0 : repeats)
        :: else ->
            fold_uses = fold_uses | (keyed[each] -> 1 << name[each] : 0);
            if
            :: does[each] == ANONYMOUS -> fold_one++
            :: else -> fold_vote = does[each]
            fi
        fi;
        each++
    od;
    each = 0;
    repeats = false;
    fold_one = fold_one + (fold_vote == 1 -> 1 : 0);
    fold_two = fold_two + (fold_vote == 2 -> 1 : 0)
}

inline end_fold() { fold_one = 0; fold_two = 0; fold_vote = 0; fold_barred = false; fold_uses = 0 }

/* ---- the store ---- */

#define ABSENT 255

typedef store_t {
    byte generation, claim, swept, checkpoint;
    bool applying;
    byte one, two;   /* counts of the talk */
    byte anonymous;  /* ABSENT: the talk never had a voter */
    byte vote;       /* of the voter; WITHDRAWN: the voters' key has no such field */
    byte uses;       /* the idempotency keys that hold, a bit for each name */
    byte voters_to;  /* the checkpoint up to which events of voters are counted as such; or ABSENT */
    bool barred;     /* a key of its own: the voter is */
    bool barred_said /* how many are, in ratings:log */
};
store_t store, replica;
bool replicated;
byte lives = 1;
byte stops = STOPS; /* left */
byte fills = FILLS; /* left */

#define KNOWS_VOTERS(s) (s.voters_to == s.checkpoint || s.checkpoint == 0)
#define VOTERS(s) (s.vote != WITHDRAWN -> 1 : 0)
#define SUM_IS_RIGHT(s) (s.one + s.two == (s.anonymous == ABSENT -> s.one + s.two : s.anonymous) + VOTERS(s))

inline check_store() {
    fold(store.checkpoint);
    CHECK(the counts are not the fold of the log to the checkpoint,
          store.generation == 0 || store.applying || !KNOWS_VOTERS(store) ||
              (store.one == fold_one && store.two == fold_two));
    CHECK(who is barred is not as the log says up to the checkpoint,
          store.generation == 0 || store.applying || !KNOWS_VOTERS(store) || store.barred_said == fold_barred);
    end_fold()
}

inline copy(to, from) {
    to.generation = from.generation; to.claim = from.claim; to.swept = from.swept;
    to.checkpoint = from.checkpoint; to.applying = from.applying;
    to.one = from.one; to.two = from.two; to.anonymous = from.anonymous; to.vote = from.vote;
    to.uses = from.uses; to.voters_to = from.voters_to; to.barred = from.barred; to.barred_said = from.barred_said
}

inline clear_log(s) {
    s.generation = 0; s.claim = 0; s.swept = 0; s.checkpoint = 0; s.applying = false;
    s.uses = 0; s.voters_to = ABSENT; s.barred_said = false
}

inline clear_talk(s) { s.one = 0; s.two = 0; s.anonymous = ABSENT }

/* ---- the projectors ---- */

typedef projector_t {
    byte generation, checkpoint; /* of the store, as it was loaded */
    byte from;                   /* where reading began */
    byte token;                  /* of a rebuild */
    byte next, anonymous, vote, uses; /* the batch: its end, and what it does; NOTHING: no vote */
    byte vote_at;                /* 1 + offset of the event that the vote is from */
    bool barred, was_barred, bars; /* where it has read to; where the batch begins; the batch changes it */
    bool wrong, killed
};
projector_t p[PROJECTORS];
#define P p[me]

inline drop_batch() { P.next = 0; P.anonymous = 0; P.vote = NOTHING; P.uses = 0; P.vote_at = 0; P.was_barred = false; P.bars = false }
inline leave() { P.generation = 0; P.checkpoint = 0; P.from = 0; P.token = 0; P.barred = false; drop_batch() }

/* Reading begins a deduplication window before the checkpoint. */
#ifdef NO_WINDOW
#define FROM P.checkpoint
#else
#define FROM 0
#endif

#ifdef NO_ORDER
#define IS_LAST(at) true
#else
#define IS_LAST(at) ((at) + 1 > P.vote_at)
#endif

/* An event of a barred voter counts for nothing: whether that is so where the event is. */
#ifdef NO_BARS
#define IS_SHUT(at) false
#else
#define IS_SHUT(at) (P.barred && IS_RATING(does[at]))
#endif
#ifdef BARRED_AT_END
#define WAS_SHUT(at) IS_SHUT(at)
#else
#define WAS_SHUT(at) ((shut & (1 << (at))) != 0)
#endif
#ifdef KEY_OF_BARRED
#define USES_KEY(at) true
#else
#define USES_KEY(at) (!WAS_SHUT(at))
#endif

inline fold_event(at) {
    if
    :: does[at] == ANONYMOUS -> P.anonymous++
    :: does[at] != ANONYMOUS && IS_LAST(at) -> P.vote = does[at]; P.vote_at = at + 1
    :: else
    fi
}

/* Events without a key as they are read; then those with one, as the store knows their keys. */
inline fold_batch() {
    drop_batch();
    P.next = batch_end;
    P.uses = store.uses;
    P.was_barred = P.barred;
    each = P.checkpoint;
    do
    :: each >= P.next -> break
    :: else ->
        look_for_repeat(each, P.from, repeats);
        if
        :: !repeats && IS_BAR(does[each]) -> P.barred = does[each] == BARRED; P.bars = true
        :: keyed[each] -> shut = shut | (IS_SHUT(each) -> 1 << each : 0)
        :: !keyed[each] && !repeats && !IS_BAR(does[each]) && !IS_SHUT(each) -> fold_event(each)
        :: else
        fi;
        each++
    od;
    each = P.checkpoint;
    do
    :: each >= P.next -> break
    :: else ->
        if
        :: keyed[each] && (P.uses & (1 << name[each])) == 0 ->
            P.uses = P.uses | (USES_KEY(each) -> 1 << name[each] : 0);
            if
            :: WAS_SHUT(each)
            :: else -> fold_event(each)
            fi
        :: else
        fi;
        each++
    od;
    each = 0; repeats = false; shut = 0;
    printf("projector %d: folds to %d: %d anonymous, vote %d\n", me, P.next, P.anonymous, P.vote)
}

#define IS_CURRENT (store.generation == P.generation && store.checkpoint == P.checkpoint && !store.applying)
#ifdef NO_COMPARE
#define MAY_APPLY (store.generation == P.generation && !store.applying)
#else
#define MAY_APPLY IS_CURRENT
#endif

/* What the script finds out before it writes. */
#ifdef NO_SUM
#define IS_SOUND true
#else
#define IS_SOUND SUM_IS_RIGHT(store)
#endif
#ifdef NO_VOTERS_TO
#define IS_COUNTED true
#else
#define IS_COUNTED KNOWS_VOTERS(store)
#endif
/* Who is barred: as many are said to be as the batch was folded with, and are. */
#ifdef NO_BARRED_NUMBER
#define IS_BARRED_SOUND true
#else
#define IS_BARRED_SOUND (store.barred_said == P.was_barred && (!P.bars && !P.was_barred || store.barred == store.barred_said))
#endif
#define OLD_COUNT(value) (store.vote == value -> 1 : 0)
#ifdef NO_OLD_VOTE
#define OUT(value) 0
#else
#define OUT(value) OLD_COUNT(value)
#endif
#define IS_CORRUPT (!IS_BARRED_SOUND || (P.bars && !IS_COUNTED) || \
                    (P.vote != NOTHING && (!IS_SOUND || !IS_COUNTED || store.one < OLD_COUNT(1) || store.two < OLD_COUNT(2))))

inline move_counts() {
    if
    :: store.anonymous == ABSENT && P.vote != NOTHING -> store.anonymous = store.one + store.two
    :: else
    fi;
    if
    :: store.anonymous != ABSENT -> store.anonymous = store.anonymous + P.anonymous
    :: else
    fi;
    store.one = store.one + P.anonymous;
    if
    :: P.vote != NOTHING ->
        store.one = store.one - OUT(1) + (P.vote == 1 -> 1 : 0);
        store.two = store.two - OUT(2) + (P.vote == 2 -> 1 : 0)
    :: else
    fi
}

inline write_vote() {
    if
    :: P.vote != NOTHING -> store.vote = P.vote
    :: else
    fi
}

inline write_barred() {
    if
    :: P.bars -> store.barred = P.barred; store.barred_said = P.barred
    :: else
    fi
}

inline write_log() {
    store.uses = P.uses;
#ifdef NO_VOTERS_TO
    store.voters_to = P.next;
#else
    if
    :: KNOWS_VOTERS(store) -> store.voters_to = P.next
    :: else
    fi;
#endif
    store.checkpoint = P.next;
    store.applying = false
}

inline end_apply() {
    P.checkpoint = P.next;
    printf("projector %d: applies to %d: counts %d %d, vote %d\n", me, store.checkpoint, store.one, store.two, store.vote);
    drop_batch();
    check_store()
}

/* A step of a rebuild, if the store is where this one has left it. */
#define IS_MINE(steps) (store.claim == P.token && store.swept == steps)

inline load() { P.generation = store.generation; P.checkpoint = store.checkpoint; P.from = FROM; P.barred = store.barred_said && store.barred }

/* Who is said to be barred is, and no older version has counted since. */
#ifdef NO_BARRED_NUMBER
#define IS_BARRED_LOST false
#else
#define IS_BARRED_LOST (store.barred_said && (!store.barred || store.voters_to != store.checkpoint))
#endif

#define IS_LOST (store.generation == 0 || store.applying || P.wrong || IS_BARRED_LOST)

/* ---- a batch in parts ---- */

/* While no vote can be in the store, what is read of the log is folded until it is much, and goes in parts: the
 * anonymous ratings; the vote; and all that is not of a talk. Nothing is looked up. */
#ifdef FILL_ANYWHERE
#define IS_UNVOTED true
#else
#define IS_UNVOTED (P.checkpoint == 0)
#endif
#ifdef FILL_NO_TOKEN
#define FILL_TOKEN 100
#else
#define FILL_TOKEN (100 + fills)
#endif
#ifdef FILL_NO_PARTS
#define HAS_PARTS(n) (store.swept > 0)
#else
#define HAS_PARTS(n) (store.swept == n)
#endif
#ifdef FILL_KEEPS_GENERATION
#define IS_FILLED_BY_ME(parts) (store.generation == P.generation && store.checkpoint == P.checkpoint && !store.applying && \
                                store.claim == P.token && HAS_PARTS(parts))
#else
#define IS_FILLED_BY_ME(parts) (store.generation == 0 && store.checkpoint == P.checkpoint && !store.applying && \
                                store.claim == P.token && HAS_PARTS(parts))
#endif

inline fill_anonymous() {
    P.token = FILL_TOKEN;
    fills--;
    store.claim = P.token;
    store.swept = 1;
#ifndef FILL_KEEPS_GENERATION
    store.generation = 0;
#endif
    store.one = store.one + P.anonymous;
    if
    :: P.vote != NOTHING && store.anonymous == ABSENT -> store.anonymous = store.one + store.two
    :: store.anonymous != ABSENT -> store.anonymous = store.anonymous + P.anonymous
    :: else
    fi;
    printf("projector %d: fills the store up to %d: %d anonymous\n", me, P.next, P.anonymous)
}

inline fill_vote() {
    store.swept = 2;
    if
    :: P.vote == 1 -> store.one++; store.vote = 1
    :: P.vote == 2 -> store.two++; store.vote = 2
    :: else
    fi;
    printf("projector %d: fills the store up to %d: vote %d\n", me, P.next, P.vote)
}

inline fill_log() {
    write_barred();
    write_log();
    store.generation = P.generation;
    store.claim = 0;
    store.swept = 0;
    P.token = 0;
    end_apply()
}

#ifdef BARRED_KEPT
inline end_barred() { skip }
#else
inline end_barred() { store.barred = false }
#endif

inline rebuild() {
    d_step {
        lives++;
        P.token = lives;
        clear_log(store);
        store.claim = P.token;
        P.wrong = false;
        printf("projector %d: claims the store\n", me)
    }
    if
    :: d_step { IS_MINE(0) -> clear_talk(store); store.swept = 1 }
    :: !IS_MINE(0) -> leave(); goto end_open
    fi;
    if
#ifdef VOTERS_KEPT
    :: d_step { IS_MINE(1) -> store.swept = 2 }
#else
    :: d_step { IS_MINE(1) -> store.vote = WITHDRAWN; store.swept = 2 }
#endif
    :: !IS_MINE(1) -> leave(); goto end_open
    fi;
    if
    :: d_step { IS_MINE(2) -> end_barred(); store.claim = 0; store.swept = 0; store.generation = P.token; P.token = 0; load() }
    :: !IS_MINE(2) -> leave(); goto end_open
    fi
}

proctype projector(byte me)
{
    byte batch_end;
again:
    {
        skip;
end_open:
        lives < LIVES || !IS_LOST;
        d_step { leave(); batch_end = 0 }
        if
        :: IS_LOST -> rebuild()
        :: d_step { !IS_LOST -> load() }
        fi;
end_work:
        do
        :: d_step { P.next == 0 && IS_CURRENT && P.checkpoint < log_end -> batch_end = log_end; fold_batch(); batch_end = 0 }
        :: d_step { P.next == 0 && IS_CURRENT && P.checkpoint + 1 < log_end -> batch_end = P.checkpoint + 1; fold_batch(); batch_end = 0 }
        :: atomic { store.generation != P.generation || store.checkpoint != P.checkpoint || store.applying -> goto end_open }
        :: atomic {
               P.next > 0 && MAY_APPLY && IS_CORRUPT ->
               P.wrong = true;
               printf("projector %d: the store is corrupt\n", me);
               goto end_open
           }
#ifdef VOTE_APART
        :: d_step { P.next > 0 && MAY_APPLY && !IS_CORRUPT -> move_counts(); write_log() }
           d_step { write_vote(); end_apply() }
#elif defined(BARRED_APART)
        :: d_step { P.next > 0 && MAY_APPLY && !IS_CORRUPT -> move_counts(); write_vote(); write_log() }
           d_step { write_barred(); end_apply() }
#else
        :: d_step { P.next > 0 && MAY_APPLY && !IS_CORRUPT -> move_counts(); write_vote(); write_barred(); write_log(); end_apply() }
#endif
#if FILLS > 0
        :: d_step { P.next > 0 && IS_UNVOTED && IS_CURRENT && !IS_CORRUPT && fills > 0 -> fill_anonymous() }
           if
           :: d_step { IS_FILLED_BY_ME(1) -> fill_vote() }
#if STOPS > 0
           :: d_step { IS_FILLED_BY_ME(1) && stops > 0 -> stops--; store.applying = true; fill_vote() } goto end_open
#endif
           :: !IS_FILLED_BY_ME(1) -> goto end_open
           fi;
           if
           :: d_step { IS_FILLED_BY_ME(2) -> fill_log() }
           :: !IS_FILLED_BY_ME(2) -> goto end_open
           fi
#endif
#if STOPS > 0
        :: atomic {
               P.next > 0 && MAY_APPLY && !IS_CORRUPT && stops > 0 ->
               stops--;
               store.applying = true;
               if
               :: true
               :: true -> move_counts()
               :: true -> move_counts(); write_vote()
               fi;
               printf("projector %d: is stopped applying to %d: counts %d %d, vote %d\n", me, P.next, store.one, store.two, store.vote);
               goto end_open
           }
#endif
        od
    } unless {
        atomic { P.killed -> P.killed = false; P.wrong = false; leave(); batch_end = 0; goto again }
    }
}

/* ---- the voter's own rating ---- */

#ifdef OWN_UNCHECKED
#define IS_SHOWN true
#else
#define IS_SHOWN (SUM_IS_RIGHT(store) && (KNOWS_VOTERS(store) || store.anonymous == ABSENT))
#endif

#if READS > 0
proctype own()
{
    byte left = READS;
    do
    :: left == 0 -> break
    :: d_step {
           left > 0 ->
           left--;
           if
           :: store.generation != 0 && !store.applying && IS_SHOWN && KNOWS_VOTERS(store) ->
               fold(store.checkpoint);
               CHECK(a voter is shown another rating than the own one, store.vote == fold_vote);
               end_fold()
           :: else
           fi
       }
    od
}
#endif

/* ---- what happens to it ---- */

proctype append()
{
    byte names;
end:
    do
    :: d_step { log_end < LENGTH -> does[log_end] = 1; names++; name[log_end] = names; log_end++; printf("log: 1\n") }
    :: d_step { log_end < LENGTH -> does[log_end] = 2; names++; name[log_end] = names; log_end++; printf("log: 2\n") }
    :: d_step { log_end < LENGTH -> does[log_end] = 1; names++; name[log_end] = names; keyed[log_end] = true; log_end++; printf("log: 1 with a key\n") }
    :: d_step { log_end < LENGTH -> does[log_end] = WITHDRAWN; names++; name[log_end] = names; log_end++; printf("log: withdrawn\n") }
    :: d_step { log_end < LENGTH -> does[log_end] = ANONYMOUS; names++; name[log_end] = names; log_end++; printf("log: anonymous\n") }
#if BARS > 0
    :: d_step { log_end < LENGTH -> does[log_end] = BARRED; names++; name[log_end] = names; log_end++; printf("log: barred\n") }
    :: d_step { log_end < LENGTH -> does[log_end] = UNBARRED; names++; name[log_end] = names; log_end++; printf("log: barred no longer\n") }
    :: d_step {
           log_end > 1 && log_end < LENGTH ->
           does[log_end] = does[1]; name[log_end] = name[1]; keyed[log_end] = keyed[1]; log_end++;
           printf("log: the second one again\n")
       }
#endif
    :: d_step { /* the first one repeats, whatever came between */
           log_end > 0 && log_end < LENGTH ->
           does[log_end] = does[0]; name[log_end] = name[0]; keyed[log_end] = keyed[0]; log_end++;
           printf("log: the first one again\n")
       }
    od
}

#if OLDER > 0
/* It counts each rating as anonymous, and skips withdrawals; it leaves `voters_to` and the voters' key as they are. */
proctype older()
{
    byte left = OLDER;
    do
    :: break
    :: d_step {
           left > 0 && store.generation != 0 && !store.applying && store.checkpoint < log_end ->
           left--;
           look_for_repeat(store.checkpoint, 0, repeats);
           if
           :: repeats || does[store.checkpoint] == WITHDRAWN || IS_BAR(does[store.checkpoint])
           :: !repeats && does[store.checkpoint] == 2 -> store.two++
           :: else -> store.one++
           fi;
           if
           :: keyed[store.checkpoint] -> store.uses = store.uses | (1 << name[store.checkpoint])
           :: else
           fi;
           repeats = false;
           store.checkpoint++;
           printf("an older version applies to %d: counts %d %d\n", store.checkpoint, store.one, store.two)
       }
    :: d_step {
           left > 0 && store.generation == 0 && lives < LIVES ->
           left--;
           lives++;
           clear_log(store);
           clear_talk(store);
           store.generation = lives;
           printf("an older version rebuilds the store\n")
       }
    od;
    left = 0
}
#endif

#define IS_DUE(kind) left > 0 && kind > 0 -> left--; kind--

proctype faults()
{
    byte left = FAULTS, flushes = FLUSHES, losses = LOSSES, rollbacks = ROLLBACKS, kills = KILLS, bar_losses = BAR_LOSSES;
    do
    :: break
    :: d_step { IS_DUE(flushes); clear_log(store); clear_talk(store); store.vote = WITHDRAWN; store.barred = false; printf("FLUSH\n") }
    :: d_step { store.vote != WITHDRAWN && IS_DUE(losses); store.vote = WITHDRAWN; printf("LOSS of the voters' key\n") }
    :: d_step { store.barred && IS_DUE(bar_losses); store.barred = false; printf("LOSS of who is barred\n") }
    :: d_step {
           left > 0 && rollbacks > 0 && !replicated ->
           replicated = true;
           copy(replica, store);
           printf("the replica is as the store is now\n")
       }
    :: d_step {
           replicated && IS_DUE(rollbacks);
           copy(store, replica);
           clear_log(replica); clear_talk(replica); replica.vote = WITHDRAWN; replica.barred = false;
           printf("ROLLBACK to %d\n", store.checkpoint)
       }
    :: d_step { IS_DUE(kills); p[0].killed = true; printf("KILL\n") }
    od;
    atomic {
        left = 0; flushes = 0; losses = 0; rollbacks = 0; kills = 0; bar_losses = 0;
        clear_log(replica); clear_talk(replica); replica.vote = WITHDRAWN; replica.barred = false
    }
}

/* Two that rebuild in turn for ever are kept from it by the lease, which is not modelled here. */
#if PROJECTORS == 2
#define HAS_NO_MORE_LIVES (lives >= LIVES)
#else
#define HAS_NO_MORE_LIVES false
#endif

/* When nobody can do anything any more. */
proctype last()
{
end:
    timeout;
    CHECK(at rest the store has not caught up with the log,
          HAS_NO_MORE_LIVES ||
              (store.generation != 0 && !store.applying && store.checkpoint == log_end))
}

init {
    atomic {
        clear_log(store); clear_talk(store); clear_log(replica); clear_talk(replica);
        store.generation = 1;
        run projector(0);
#if PROJECTORS == 2
        run projector(1);
#endif
#if READS > 0
        run own();
#endif
#if OLDER > 0
        run older();
#endif
        run append();
        run faults();
        run last()
    }
}
