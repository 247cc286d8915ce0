/* What access logs can tell of a request: httpd's notes, as %{ratings-outcome}n of mod_log_config
 * shows them. docs/operations.md lists them. Where RatingsNotes is off there are none. In the
 * thread that has the request. */
#ifndef RATINGS_HTTP_NOTES_H
#define RATINGS_HTTP_NOTES_H

#include "../config/config.h"
#include "../service/use_cases.h"

#include <httpd.h>

/* The response cache answers. */
void ratings_note_cached(request_rec *r, const ratings_config_t *config);

/* The call has ended so. Of a request that makes several calls the last one's notes are left. */
void ratings_note_call(request_rec *r, const ratings_call_t *call, ratings_outcome_e outcome);

#endif
