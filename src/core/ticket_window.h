/* Which tickets have counted, in the log of one partition: of each life the highest number, and a
 * bit for each of the RATINGS_TICKETS up to it. An event counts unless its bit is set or its number
 * is below them, as IPsec does against replays (RFC 4303, section 3.4.3; the ring of bits, which is
 * never shifted, as in RFC 6479). No event is lost by that: a ring gives no number before that of
 * RATINGS_TICKETS before it is settled (ticket.h). Unlike a deduplication window (dedup_window.h)
 * it tells repeats at any distance.
 *
 * The windows follow from the log alone. They are in the store, with the checkpoint, so that
 * whoever reads on from there comes to the same counts as one who reads from the log's beginning.
 *
 * A life ends with its shared memory, and the log does not say when. So a partition keeps the
 * RATINGS_LIVES_MAX lives whose events counted last, and forgets the one before these when another
 * one comes: an event of a life that was forgotten counts as the first of a new one, which, to the
 * fold, it is. Not by time: an idle host's life may well be a month old, topics may have no append
 * times, and a bound on time alone bounds no memory.
 *
 * Ownership: the windows are the caller's, who frees them. Threads: one at a time. */
#ifndef RATINGS_CORE_TICKET_WINDOW_H
#define RATINGS_CORE_TICKET_WINDOW_H

#include "ticket.h"

/* Of one partition. The fold depends on it, as on RATINGS_TICKETS. More than rings can be in use
 * between an event and its repetition: a life is a start of httpd on some host. */
#define RATINGS_LIVES_MAX 1024

typedef struct {
    uint64_t life;
    uint64_t highest;                       /* of the numbers that have counted */
    int64_t offset;                         /* of the event of that life that counted last */
    uint64_t counted[RATINGS_TICKETS / 64]; /* number % RATINGS_TICKETS, of those up to highest */
} ratings_ticket_window_t;

/* As the store has it: highest and offset, the most significant byte first, then the bits, the
 * lowest of each byte first. The life is the name of the field. */
#define RATINGS_TICKET_WINDOW_SIZE (16 + RATINGS_TICKETS / 8) /* bytes */
void ratings_ticket_window_pack(const ratings_ticket_window_t *window,
                                unsigned char bytes[RATINGS_TICKET_WINDOW_SIZE]);

/* Reads all but the life. False: no window has these `len` bytes. */
bool ratings_ticket_window_unpack(const void *bytes, size_t len, ratings_ticket_window_t *window);

/* The windows of a partition. All zero: no event with a ticket has come. */
typedef struct {
    ratings_ticket_window_t *window; /* in the order of their lives */
    size_t count, room;
} ratings_ticket_windows_t;

typedef enum {
    RATINGS_TICKET_COUNTS,
    RATINGS_TICKET_REPEATED, /* it has counted before, or is below the window */
    RATINGS_TICKET_NO_MEMORY /* it was not noted: the fold cannot continue */
} ratings_ticket_e;

/* Whether the event at `offset` with this ticket counts; notes it if so. Offsets must ascend.
 * `*forgotten` is the life that was forgotten for it; 0: none. */
ratings_ticket_e ratings_ticket_windows_check_and_note(ratings_ticket_windows_t *windows,
                                                       const ratings_ticket_t *ticket,
                                                       int64_t offset, uint64_t *forgotten);

/* Adds the window of a life that has none yet. False: it has, there are RATINGS_LIVES_MAX, or no
 * memory. */
bool ratings_ticket_windows_add(ratings_ticket_windows_t *windows,
                                const ratings_ticket_window_t *window);

/* Leaves no windows. */
void ratings_ticket_windows_free(ratings_ticket_windows_t *windows);

#endif
