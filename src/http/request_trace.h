/* The trace that a request is part of: the headers of W3C Trace Context. */
#ifndef RATINGS_HTTP_REQUEST_TRACE_H
#define RATINGS_HTTP_REQUEST_TRACE_H

#include "../config/config.h"
#include "../core/trace_context.h"

#include <httpd.h>

/* In the request's pool. NULL: RatingsTraceContext is off, or the request names no trace, or not as
 * the specification has it. */
const ratings_trace_t *ratings_request_trace(const request_rec *r, const ratings_config_t *config);

#endif
