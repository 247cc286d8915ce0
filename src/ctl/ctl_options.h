/* What the command line and the environment say. */
#ifndef RATINGS_CTL_OPTIONS_H
#define RATINGS_CTL_OPTIONS_H

#include "audit_failure.h"
#include "audit_stream.h"

typedef struct {
    audit_stream_options_t stream;
    const char *store;  /* redis://... */
    const char **talks; /* these alone; all when there are none */
    int talks_count;
    int timeout_ms;
    bool json, repair, rebuild;
} audit_options_t;

typedef enum {
    AUDIT_OPTIONS_GOOD,
    AUDIT_OPTIONS_SHOWN, /* --help or --version: there is nothing more to do */
    AUDIT_OPTIONS_BAD
} audit_options_e;

/* `*out` must be freed in any case; it points into `argv` and the environment. No reason repeats a
 * value, which may hold a password. */
audit_options_e audit_options_read(int argc, char **argv, audit_options_t *out,
                                   audit_failure_t *why);
void audit_options_free(audit_options_t *options);

#endif
