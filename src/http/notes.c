#include "notes.h"

#include <apr_strings.h>

static const char outcome_note[] = "ratings-outcome", cache_note[] = "ratings-cache",
                  trace_note[] = "ratings-trace";

static const char *const time_notes[RATINGS_BACKENDS] = {
    [RATINGS_BACKEND_TALKS] = "ratings-" RATINGS_TALKS_NAME "-us",
    [RATINGS_BACKEND_STORE] = "ratings-" RATINGS_STORE_NAME "-us",
    [RATINGS_BACKEND_STREAM] = "ratings-" RATINGS_STREAM_NAME "-us",
    [RATINGS_BACKEND_STATS] = "ratings-" RATINGS_STATS_NAME "-us",
};

/* As ratings_submitted_total has them, which counts no others. */
static const char *const outcome_words[] = {
    RATINGS_OUTCOMES_OF_RATINGS,
    [RATINGS_OUTCOME_NO_RANKING] = "no_ranking",
    [RATINGS_OUTCOME_OTHER_VOTERS] = "other_voters",
    [RATINGS_OUTCOME_NOT_REACHED] = "not_reached",
};

static const char *outcome_word(const request_rec *r, ratings_outcome_e outcome)
{
    return outcome == RATINGS_OUTCOME_DONE && r->method_number == M_GET ? "read"
                                                                        : outcome_words[outcome];
}

static void note_times(request_rec *r, const ratings_call_t *call)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        if (call->spent[i] > 0)
            apr_table_setn(r->notes, time_notes[i],
                           apr_psprintf(r->pool, "%" APR_INT64_T_FMT, call->spent[i]));
}

void ratings_note_cached(request_rec *r, const ratings_config_t *config)
{
    if (!config->notes)
        return;
    apr_table_setn(r->notes, outcome_note, outcome_word(r, RATINGS_OUTCOME_DONE));
    apr_table_setn(r->notes, cache_note, "hit");
}

void ratings_note_call(request_rec *r, const ratings_call_t *call, ratings_outcome_e outcome)
{
    if (!ratings_config_of_server(r->server)->notes)
        return;
    apr_table_setn(r->notes, outcome_note, outcome_word(r, outcome));
    note_times(r, call);
    if (call->cache)
        apr_table_setn(r->notes, cache_note, call->cache);
    if (call->trace)
        apr_table_setn(
            r->notes, trace_note,
            apr_pstrndup(r->pool, ratings_trace_id(call->trace), RATINGS_TRACE_ID_LENGTH));
}
