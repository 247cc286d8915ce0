/* One slot of the table that counts how often voters write: two voters vie for it, each process with one request.
 * Time does not pass, so that debts only grow. README.md says what of the source each part stands for. */

#ifndef OF_ONE
#define OF_ONE 2
#endif
#ifndef OF_OTHER
#define OF_OTHER 1
#endif
#ifndef STOPS
#define STOPS 0
#endif

#define CHECK(what, condition) \
    if \
    :: (condition) \
    :: else -> printf("VIOLATED: "); printf(#what); printf("\n"); assert(false) \
    fi

/* The two words, each with its sequence. At first the slot is one's who has gone, and who owes something. */
byte owner, owner_sequence;
byte debt = 3, state_sequence;

byte sent[3], admitted; /* requests of the voters 1 and 2; of all */
byte since;             /* requests of the slot's owner that were admitted since another one had it */
byte stops = STOPS;

inline load_owner() { d_step { seen_owner = owner; seen_owner_sequence = owner_sequence } }
inline load_state() { d_step { seen_debt = debt; seen_state_sequence = state_sequence } }

#define IS_OWNER_UNCHANGED (owner == seen_owner && owner_sequence == seen_owner_sequence)
#define IS_STATE_UNCHANGED (debt == seen_debt && state_sequence == seen_state_sequence)

/* What the owner owes before the state has followed. */
#ifdef NOT_ADMITTED
#define FIRST 0
#else
#define FIRST 1
#endif

/* One that takes the slot admits the request; the state follows. */
inline take_slot() {
    d_step {
        is_done = IS_OWNER_UNCHANGED;
        if
        :: is_done ->
            printf("voter %d takes the slot of %d\n", who, owner);
            admitted = admitted + FIRST;
            since = (owner == who -> since : 0) + FIRST;
            owner = who; owner_sequence++;
            seen_owner = owner; seen_owner_sequence = owner_sequence
        :: else
        fi
    };
    if
    :: !is_done
#ifdef NOT_ADMITTED
    :: is_done -> is_done = false
#else
    :: is_done && stops > 0 -> stops--; printf("voter %d is stopped\n", who)
    :: is_done ->
        do
        :: true ->
            load_state();
            if
            :: seen_state_sequence == seen_owner_sequence -> break
            :: else
            fi;
            if
            :: !IS_OWNER_UNCHANGED -> break
            :: else
            fi;
            d_step {
                if
                :: IS_STATE_UNCHANGED -> debt = 1; state_sequence = seen_owner_sequence; printf("voter %d owes 1\n", who)
                :: else
                fi
            }
        od
#endif
    fi
}

inline charge_slot() {
    load_state();
    if
#ifndef NO_FOLLOWING
    :: seen_state_sequence != seen_owner_sequence -> mine = FIRST
#endif
    :: else -> mine = seen_debt
    fi;
    if
#ifndef NO_SECOND_LOOK
    :: !IS_OWNER_UNCHANGED -> is_done = false
#endif
    :: else ->
        CHECK(a voter owes what another one has sent, mine < sent[who]);
        d_step {
#ifdef NO_COMPARE
            is_done = true;
#else
            is_done = IS_STATE_UNCHANGED;
#endif
            if
            :: is_done ->
                debt = mine + 1; state_sequence = seen_owner_sequence; admitted++;
                since = since + IS_OWNER_UNCHANGED;
                printf("voter %d owes %d\n", who, debt)
            :: else
            fi
        }
    fi
}

proctype request(byte who)
{
    byte seen_owner, seen_owner_sequence, seen_debt, seen_state_sequence, mine;
    bool is_done;
    sent[who]++;
    do
    :: is_done -> break
    :: !is_done ->
        load_owner();
#ifdef FOUND_ANEW
        if
        :: seen_owner != who -> load_owner(); take_slot()
        :: else -> charge_slot()
        fi
#else
        if
        :: seen_owner != who -> take_slot()
        :: else -> charge_slot()
        fi
#endif
    od
}

/* Whoever has the slot is counted exactly. */
proctype last()
{
end:
    timeout;
    CHECK(at rest not all requests were admitted, admitted == OF_ONE + OF_OTHER);
    CHECK(at rest a voter owes less than was admitted, STOPS > 0 || debt == since)
}

init {
    byte i;
    atomic {
        do
        :: i < OF_ONE -> run request(1); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < OF_OTHER -> run request(2); i++
        :: else -> break
        od;
        run last()
    }
}
