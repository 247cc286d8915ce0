/* How POSTs of a host wait for visibility: each sleeps on its slot's word, the writer settles the slots, the barrier beside it
 * knows who waits for which offset, and the projector of the same child publishes. The child may be killed, and the next one
 * takes over. README.md says what of the source each part stands for. */

#define POSTS 2

#define CHECK(what, condition) \
    if \
    :: (condition) \
    :: else -> printf("VIOLATED: "); printf(#what); printf("\n"); assert(false) \
    fi

byte watermark;
bool durable[POSTS];  /* the slot says so */
bool woken[POSTS];    /* the slot's other word is no longer what its request has seen: a futex that does not sleep */
bool answered[POSTS];
bool entered[POSTS];  /* in the barrier, which is the child's own */
bool killed;          /* the first child */

/* The event of request i has offset i. */
#define IS_VISIBLE(i) (watermark > (i))
#define SLEEPS_ON(i) (durable[i] && IS_VISIBLE(i) && !answered[i])

proctype request(byte i)
{
    do
    :: true ->
#ifndef SEEN_LATE
        woken[i] = false;
#endif
        d_step { answered[i] = durable[i] && IS_VISIBLE(i) };
        if
        :: answered[i] -> printf("request %d: 200\n", i); break
        :: else
        fi;
#ifdef SEEN_LATE
        woken[i] = false;
#endif
end_asleep:
        woken[i]
    od
}

/* Who is not entered any more was called, or is. */
inline enter(i) {
    d_step { entered[i] = true; printf("request %d is entered\n", i) }
#ifndef NO_SECOND_LOOK
    d_step {
        if
        :: IS_VISIBLE(i) -> entered[i] = false; woken[i] = true
        :: else
        fi
    }
#endif
}

/* A delivery report. */
proctype report(byte i)
{
    {
        durable[i] = true;
        enter(i)
    } unless {
        killed
    }
}

inline notify() {
    d_step {
        i = 0;
        do
        :: i == POSTS -> break
        :: i < POSTS ->
            called[i] = entered[i] && IS_VISIBLE(i);
            entered[i] = entered[i] && !called[i];
            i++
        od;
        i = 0
    }
    do
    :: called[0] -> called[0] = false; woken[0] = true; printf("request 0 is woken\n")
    :: called[1] -> called[1] = false; woken[1] = true; printf("request 1 is woken\n")
    :: else -> break
    od
}

inline publish() {
#ifdef WAKE_FIRST
    notify();
    skip;
#endif
    d_step {
        if
        :: watermark < POSTS -> watermark++; printf("watermark %d\n", watermark)
        :: else
        fi
    }
#ifndef WAKE_FIRST
    notify()
#endif
}

/* What is applied may not be reported yet. */
proctype projector(bool is_next)
{
    byte i;
    bool called[POSTS];
    {
        do
        :: watermark == POSTS -> break
        :: watermark < POSTS -> publish()
        od
    } unless {
        killed && !is_next
    }
}

/* The next child sends again what was not settled, and enters what was. */
proctype next()
{
    byte i;
    d_step { killed = true; entered[0] = false; entered[1] = false; printf("the child is killed\n") }
    run projector(true);
    do
    :: i == POSTS -> break
    :: i < POSTS ->
        if
        :: durable[i] ->
#ifdef NO_SURVEY
            skip
#else
            enter(i)
#endif
        :: else -> durable[i] = true; enter(i)
        fi;
        i++
    od
}

proctype last()
{
end:
    timeout;
    CHECK(at rest a pending write waits that is visible, !SLEEPS_ON(0) && !SLEEPS_ON(1))
}

init {
    atomic {
        run request(0);
        run request(1);
        run report(0);
        run report(1);
        run projector(false);
        if
        :: run next()
        :: true
        fi;
        run last()
    }
}
