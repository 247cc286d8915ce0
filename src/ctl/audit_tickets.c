#include "audit_tickets.h"

#include <stdlib.h>

void audit_tickets_init(audit_tickets_t *tickets)
{
    TAILQ_INIT(&tickets->lives);
    tickets->count = 0;
}

static audit_life_t *find_life(const audit_tickets_t *tickets, uint64_t life)
{
    audit_life_t *it;
    TAILQ_FOREACH(it, &tickets->lives, link)
        if (it->life == life)
            return it;
    return NULL;
}

static void forget_last(audit_tickets_t *tickets)
{
    audit_life_t *last = TAILQ_LAST(&tickets->lives, audit_lives_t);
    TAILQ_REMOVE(&tickets->lives, last, link);
    free(last);
    tickets->count--;
}

static audit_life_t *new_life(audit_tickets_t *tickets, const ratings_ticket_t *ticket)
{
    audit_life_t *it = malloc(sizeof *it);
    if (!it)
        return NULL;
    it->life = ticket->life;
    it->highest = ticket->number;
    for (int i = 0; i < RATINGS_TICKETS; i++)
        it->counted[i].offset = -1;
    if (tickets->count == AUDIT_LIVES_MAX)
        forget_last(tickets);
    TAILQ_INSERT_HEAD(&tickets->lives, it, link);
    tickets->count++;
    return it;
}

static void count_ticket(audit_tickets_t *tickets, audit_life_t *it, uint64_t number,
                         int64_t offset)
{
    it->counted[number % RATINGS_TICKETS].number = number;
    it->counted[number % RATINGS_TICKETS].offset = offset;
    if (number > it->highest)
        it->highest = number;
    TAILQ_REMOVE(&tickets->lives, it, link);
    TAILQ_INSERT_HEAD(&tickets->lives, it, link);
}

bool audit_tickets_note(audit_tickets_t *tickets, const ratings_ticket_t *ticket, int64_t offset,
                        bool *counts, int64_t *counted_at)
{
    const uint64_t number = ticket->number, place = number % RATINGS_TICKETS;
    audit_life_t *it = find_life(tickets, ticket->life);
    *counts = false;
    *counted_at = -1;
    if (!it && !(it = new_life(tickets, ticket)))
        return false;
    if (number < it->highest && it->highest - number >= RATINGS_TICKETS)
        return true;
    if (it->counted[place].offset >= 0 && it->counted[place].number == number) {
        *counted_at = it->counted[place].offset;
        return true;
    }
    *counts = true;
    count_ticket(tickets, it, number, offset);
    return true;
}

void audit_tickets_free(audit_tickets_t *tickets)
{
    while (tickets->count > 0)
        forget_last(tickets);
}
