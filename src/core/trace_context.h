/* The trace that a request is part of, as its client names it: the headers traceparent and
 * tracestate of W3C Trace Context, Level 1 (https://www.w3.org/TR/trace-context-1/). This service
 * makes no spans of its own: it hands on what it got, to the event and to the Lambda. Pure
 * functions, any thread. */
#ifndef RATINGS_CORE_TRACE_CONTEXT_H
#define RATINGS_CORE_TRACE_CONTEXT_H

#include <stdbool.h>

#define RATINGS_TRACE_PARENT "traceparent"
#define RATINGS_TRACE_STATE "tracestate"

#define RATINGS_TRACE_PARENT_LENGTH 55 /* of version 00 */
#define RATINGS_TRACE_STATE_MAX 512    /* as many characters the specification has handed on */
#define RATINGS_TRACE_ID_LENGTH 32

typedef struct {
    char parent[RATINGS_TRACE_PARENT_LENGTH + 1]; /* of version 00; "": there is none */
    char state[RATINGS_TRACE_STATE_MAX + 1];      /* "": there is none */
} ratings_trace_t;

/* Reads the two headers of a request; NULL: it has not got that one. False, with `*trace`
 * undefined: there is no traceparent, or it is malformed.
 *
 * One of a version after 00 is read as far as 00 knows it, and becomes one of 00. A tracestate that
 * is malformed, or has more than 32 members, is dropped. Of one that is too long whole members are
 * dropped: first those of more than 128 characters, then others, from the end. */
bool ratings_trace_read(const char *parent, const char *state, ratings_trace_t *trace);

/* The trace's id, RATINGS_TRACE_ID_LENGTH characters that are followed by others. */
const char *ratings_trace_id(const ratings_trace_t *trace);

#endif
