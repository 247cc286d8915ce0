/* The tickets that have counted in the log of one partition. All zero: none. Not thread-safe.
 *
 * Of each life (../core/ticket.h) the audit keeps the numbers that counted last themselves, and
 * where: in a ring, each in its place, until RATINGS_TICKETS later another one takes that. The
 * service keeps bits (../core/ticket_window.h): a fault of one is not repeated in the other. */
#ifndef RATINGS_AUDIT_TICKETS_H
#define RATINGS_AUDIT_TICKETS_H

#include "../core/ticket.h"

#include <sys/queue.h>

/* The lives whose events counted last; others are forgotten. */
#define AUDIT_LIVES_MAX 1024

typedef struct audit_life_t {
    uint64_t life, highest;
    struct {
        uint64_t number;
        int64_t offset; /* -1: none has counted in this place */
    } counted[RATINGS_TICKETS];
    TAILQ_ENTRY(audit_life_t) link;
} audit_life_t;

typedef TAILQ_HEAD(audit_lives_t, audit_life_t) audit_lives_t;

typedef struct {
    audit_lives_t lives; /* the one that counted last first */
    int count;
} audit_tickets_t;

void audit_tickets_init(audit_tickets_t *tickets);

/* Whether the event at `offset` counts: then it is noted, and `*counted_at` is -1. Else that is
 * where its ticket counted, -1 if that is not known any more. False when memory ran out. */
bool audit_tickets_note(audit_tickets_t *tickets, const ratings_ticket_t *ticket, int64_t offset,
                        bool *counts, int64_t *counted_at);

void audit_tickets_free(audit_tickets_t *tickets);

#endif
