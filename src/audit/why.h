/* Why the audit could not look: one line for standard error, without any password. */
#ifndef RATINGS_AUDIT_WHY_H
#define RATINGS_AUDIT_WHY_H

#include <stdbool.h>

typedef struct {
    char text[512];
} audit_why_t;

/* Keeps the reason, cut to the room there is. Always false, for `return audit_fail(...)`. */
bool audit_fail(audit_why_t *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool audit_no_memory(audit_why_t *why);

#endif
