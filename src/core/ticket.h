/* A ticket: what tells an event of ours from all others, for ever. It is the event's CloudEvents
 * id, LIFE-NUMBER, each 16 lower-case hexadecimal digits: the life of one ring of slots in the
 * shared memory of one host, at random, and the number that this ring gave the event when it came.
 * An event may be appended by any process, any number of times, as late as can be: its ticket
 * counts once (ticket_window.h). The protocol is t/model/tickets.pml. Pure functions, any thread.
 */
#ifndef RATINGS_CORE_TICKET_H
#define RATINGS_CORE_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Slots of a ring: number N is given when the event of N - RATINGS_TICKETS is settled. The fold
 * tells as many apart, so this is part of what the log means: it may not be raised. */
#define RATINGS_TICKETS 1024

/* CloudEvents source of the events that have one. */
#define RATINGS_EVENT_SOURCE "/mod_ratings"

typedef struct {
    uint64_t life; /* never 0; 0 says that there is no ticket */
    uint64_t number;
} ratings_ticket_t;

#define RATINGS_LIFE_TEXT_SIZE 17 /* with its end */
void ratings_life_print(uint64_t life, char text[RATINGS_LIFE_TEXT_SIZE]);

/* Reads `len` bytes of such a text. False: they are none. */
bool ratings_life_parse(const char *text, size_t len, uint64_t *life);

#define RATINGS_TICKET_TEXT_SIZE 34 /* the same */
void ratings_ticket_print(const ratings_ticket_t *ticket, char text[RATINGS_TICKET_TEXT_SIZE]);

/* Reads `len` bytes of such a text. False, with life and number 0, if they are none. */
bool ratings_ticket_parse(const char *text, size_t len, ratings_ticket_t *ticket);

#endif
