/* What is wrong with a schedule, and where. */
#ifndef RATINGS_SCHEDULE_FAULT_H
#define RATINGS_SCHEDULE_FAULT_H

#include <stdbool.h>

typedef struct {
    int line;       /* the first is 1; 0: of no line */
    char field[64]; /* as the format names it; "": of none */
    char text[256];
} schedule_fault_t;

/* Keeps it, cut to the room there is. Always false, for `return schedule_fail(...)`. `field` may be
 * NULL. */
bool schedule_fail(schedule_fault_t *fault, int line, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

bool schedule_no_memory(schedule_fault_t *fault);

#endif
