/* How POSTs of one child wait for visibility: the pending writes, the watcher, and who publishes: the
 * child's own projector, and those of others. README.md says what of the source each part stands for. */

#define POSTS 2

#define CHECK(what, condition) \
    if \
    :: (condition) \
    :: else -> printf("VIOLATED: "); printf(#what); printf("\n"); assert(false) \
    fi

byte watermark;
bool appended[POSTS];
bool news;    /* `published` is no longer what the watcher has seen: a futex that does not sleep */
bool arrived; /* the child's own condition was signalled since the watcher last looked */
bool served;  /* the child's projector looks by itself after what it publishes */

mtype = { PENDING, WAITING, VISIBLE };
mtype state[POSTS] = PENDING;

/* The event of pending write i has offset i. */
#define IS_VISIBLE(i) (watermark > (i))
#define SLEEPS_ON(i) (state[i] == WAITING && IS_VISIBLE(i))
#define NEEDS_WATCHER ((state[0] == WAITING || state[1] == WAITING) && !served)

/* Its report may come at any time after it was appended, also after it was applied, and in any order:
 * writes of one child are of several partitions. */
proctype post(byte i)
{
    appended[i] = true;
    d_step { state[i] = WAITING; printf("pending write %d is queued\n", i) }
    d_step {
        if
#ifndef NO_SECOND_LOOK
        :: state[i] == WAITING && IS_VISIBLE(i) -> state[i] = VISIBLE; printf("pending write %d is visible\n", i)
#endif
        :: else -> arrived = arrived || NEEDS_WATCHER
        fi
    }
end:
    state[i] == VISIBLE
}

/* Under the lock of the queues. */
inline look() {
    d_step {
        i = 0;
        do
        :: i == POSTS -> break
        :: i < POSTS ->
            if
            :: SLEEPS_ON(i) -> state[i] = VISIBLE; printf("pending write %d is woken\n", i)
            :: else
            fi;
            i++
        od;
        i = 0
    }
}

proctype watcher()
{
    bool needed;
    byte i;
    do
    :: true ->
        d_step { arrived = false; needed = NEEDS_WATCHER };
        if
        :: !needed ->
end_idle:
            arrived
        :: needed ->
#ifndef SEEN_LATE
            news = false;
#endif
            look();
#ifdef SEEN_LATE
            news = false;
#endif
            needed = NEEDS_WATCHER;
            if
            :: needed ->
end_asleep:
                news
            :: !needed
            fi
        fi
    od
}

/* What both kinds of publishers do; the watermark never goes back. */
inline publish() {
#ifdef WAKE_FIRST
    news = true;
#endif
    d_step {
        if
        :: watermark < POSTS && appended[watermark] -> watermark++; printf("watermark %d\n", watermark)
        :: else
        fi
    }
#ifndef WAKE_FIRST
    news = true
#endif
}

/* Some projector of another child, which may be stopped for good anywhere but between the two steps of
 * publishing: if it is there, the watcher looks again by itself, a little later. */
proctype publisher()
{
    do
    :: break
    :: watermark < POSTS && appended[watermark] -> publish()
    od
}

/* The child's own. It looks after each turn, also when others have published. */
proctype projector()
{
    byte i;
    d_step { served = true; arrived = true };
    do
    :: break
    :: watermark < POSTS && appended[watermark] -> publish(); look()
    :: SLEEPS_ON(0) || SLEEPS_ON(1) -> look()
    od;
    printf("the projector ends\n");
    d_step {
        served = false;
#ifndef SILENT_END
        arrived = true
#endif
    }
}

proctype last()
{
end:
    timeout;
    CHECK(at rest a pending write waits that is visible, !SLEEPS_ON(0) && !SLEEPS_ON(1))
}

init {
    atomic {
        run post(0);
        run post(1);
        run watcher();
        run publisher();
        run projector();
        run last()
    }
}
