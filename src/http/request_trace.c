#include "request_trace.h"

/* httpd has joined headers of one name by then: two of traceparent are malformed, and those of
 * tracestate one list. */
const ratings_trace_t *ratings_request_trace(const request_rec *r, const ratings_config_t *config)
{
    const char *parent =
        config->trace_context ? apr_table_get(r->headers_in, RATINGS_TRACE_PARENT) : NULL;
    ratings_trace_t *trace = parent ? apr_palloc(r->pool, sizeof *trace) : NULL;
    return trace && ratings_trace_read(parent, apr_table_get(r->headers_in, RATINGS_TRACE_STATE),
                                       trace)
               ? trace
               : NULL;
}
