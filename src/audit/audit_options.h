/* What the command line and the environment say. One thread. */
#ifndef RATINGS_AUDIT_OPTIONS_H
#define RATINGS_AUDIT_OPTIONS_H

#include "audit_failure.h"
#include "audit_stream.h"

typedef struct {
    audit_stream_options_t stream;
    const char *store;  /* redis://... */
    const char **talks; /* these alone; all when there are none */
    int talks_count;
    int timeout_ms; /* milliseconds, of each wait for Redis or Kafka */
    bool json, repair, rebuild;
} audit_options_t;

typedef enum {
    AUDIT_OPTIONS_GOOD,
    AUDIT_OPTIONS_SHOWN, /* --help or --version: there is nothing more to do */
    AUDIT_OPTIONS_BAD
} audit_options_e;

/* `*out` must be freed in any case; it points into `argv` and the environment. AUDIT_OPTIONS_BAD:
 * `why` has a line about the first option that is wrong, which repeats no value, since that may
 * hold a password. */
audit_options_e audit_options_read(int argc, char **argv, audit_options_t *out,
                                   audit_failure_t *why);
void audit_options_free(audit_options_t *options);

#endif
