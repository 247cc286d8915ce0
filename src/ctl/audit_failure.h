/* Why the audit could not look: one line for standard error, without any password. Written by one
 * thread. */
#ifndef RATINGS_AUDIT_FAILURE_H
#define RATINGS_AUDIT_FAILURE_H

#include <stdbool.h>

typedef struct {
    char text[512];
} audit_failure_t;

/* Keeps the reason, cut to the room there is, and made printable. Always false, for `return
 * audit_fail(...)`. */
bool audit_fail(audit_failure_t *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool audit_no_memory(audit_failure_t *why);

#endif
