/* How POSTs of one child wait for visibility: their tickets, the watcher, and who publishes. README.md
 * says what of the source each part stands for. */

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

mtype = { PENDING, WAITING, VISIBLE };
mtype state[POSTS] = PENDING;

/* The event of ticket i has offset i. */
#define IS_VISIBLE(i) (watermark > (i))

/* Its report may come at any time after it was appended, also after it was applied, and in any order:
 * tickets of one child are of several partitions. */
proctype post(byte i)
{
    appended[i] = true;
    d_step { state[i] = WAITING; printf("ticket %d is enlisted\n", i) }
    d_step {
        if
#ifndef NO_SECOND_LOOK
        :: IS_VISIBLE(i) -> state[i] = VISIBLE; printf("ticket %d is visible\n", i)
#endif
        :: else -> arrived = true
        fi
    }
end:
    state[i] == VISIBLE
}

/* Under the lock of the tickets, which is given up only to sleep. */
inline settle_due() {
    d_step {
        any = false;
        i = 0;
        do
        :: i == POSTS -> break
        :: i < POSTS ->
            if
            :: state[i] == WAITING && IS_VISIBLE(i) -> state[i] = VISIBLE
            :: state[i] == WAITING && !IS_VISIBLE(i) -> any = true
            :: else
            fi;
            i++
        od;
        i = 0;
        arrived = false;
        printf("watcher: has settled; somebody waits: %d\n", any)
    }
}

proctype watcher()
{
    bool any;
    byte i;
    do
    :: true ->
#ifndef SEEN_LATE
        news = false;
#endif
        settle_due();
#ifdef SEEN_LATE
        news = false;
#endif
end_asleep:
        if
        :: any && news
        :: !any && arrived
        fi
    od
}

/* Some projector, which may be held up for good anywhere but between the two steps of publishing: if it
 * is there, the watcher looks again by itself, a little later. */
proctype publisher()
{
    do
    :: break
    :: watermark < POSTS && appended[watermark] ->
#ifdef WAKE_FIRST
        news = true;
#endif
        d_step { watermark++; printf("watermark %d\n", watermark) }
#ifndef WAKE_FIRST
        news = true
#endif
    od
}

#define SLEEPS_ON(i) (state[i] == WAITING && IS_VISIBLE(i))

proctype last()
{
end:
    timeout;
    CHECK(at rest a ticket waits that is visible, !SLEEPS_ON(0) && !SLEEPS_ON(1))
}

init {
    atomic {
        run post(0);
        run post(1);
        run watcher();
        run publisher();
        run last()
    }
}
