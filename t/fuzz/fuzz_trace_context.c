#include "../../src/core/trace_context.h"
#include "fuzz.h"

#include <string.h>

/* What is read is within its bounds, of version 00, and is read as itself again. */
static void check(const ratings_trace_t *trace)
{
    ratings_trace_t again;

    MUST(strlen(trace->parent) == RATINGS_TRACE_PARENT_LENGTH);
    MUST(strncmp(trace->parent, "00-", 3) == 0);
    MUST(strlen(trace->state) <= RATINGS_TRACE_STATE_MAX);
    MUST(ratings_trace_read(trace->parent, trace->state, &again));
    MUST(strcmp(again.parent, trace->parent) == 0 && strcmp(again.state, trace->state) == 0);
}

/* The first line of the input is traceparent, the rest tracestate. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ratings_trace_t trace;
    char *parent = calloc(1, size + 1), *state;

    MUST(parent);
    memcpy(parent, data, size);
    state = strchr(parent, '\n');
    if (state)
        *state++ = '\0';
    if (ratings_trace_read(parent, state, &trace))
        check(&trace);
    free(parent);
    return 0;
}
