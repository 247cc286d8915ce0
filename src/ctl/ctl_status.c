#include "ctl_status.h"

#include "../core/backend_names.h"
#include "../core/clock.h"
#include "ctl_command.h"
#include "ctl_printable.h"
#include "ctl_probe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *software;
} backends[CTL_BACKENDS] = {
    [CTL_BACKEND_TALKS] = {RATINGS_TALKS_NAME, "PostgreSQL"},
    [CTL_BACKEND_STATS] = {RATINGS_STATS_NAME, "Lambda"},
    [CTL_BACKEND_STREAM] = {RATINGS_STREAM_NAME, "Kafka"},
    [CTL_BACKEND_STORE] = {RATINGS_STORE_NAME, "Redis"},
};

const char *ctl_backend_name(ctl_backend_e backend)
{
    return backends[backend].name;
}

const char *ctl_backend_software(ctl_backend_e backend)
{
    return backends[backend].software;
}

bool ctl_status_has_lags(const ctl_status_t *status)
{
    return status->backend[CTL_BACKEND_STREAM].reached &&
           status->backend[CTL_BACKEND_STORE].reached;
}

/* ---- asking the backends ---- */

static bool ask_talks(ctl_status_t *status, audit_failure_t *why)
{
    return ctl_probe_talks(status->options->talks_url, status->options->stream.timeout_ms, why);
}

static bool ask_stats(ctl_status_t *status, audit_failure_t *why)
{
    return ctl_probe_stats(&status->options->stats, status->options->stream.timeout_ms, why);
}

static bool ask_stream(ctl_status_t *status, audit_failure_t *why)
{
    status->stream = audit_stream_open(&status->options->stream, &status->partitions, why);
    return status->stream != NULL;
}

/* The state of as many partitions as the topic has; of one where nobody knows. */
static bool ask_store(ctl_status_t *status, audit_failure_t *why)
{
    status->store = audit_store_new(status->options->store, &status->options->store_tls,
                                    status->options->stream.timeout_ms);
    if (!status->store ||
        !audit_state_init(&status->state, status->partitions > 0 ? status->partitions : 1))
        return audit_no_memory(why);
    return audit_store_read(status->store, &status->state, NULL, 0, why) &&
           audit_store_lease(status->store, &status->lease, why);
}

static void ask_backend(ctl_status_t *status, ctl_backend_e backend,
                        bool (*ask)(ctl_status_t *status, audit_failure_t *why), bool is_known)
{
    ctl_reached_t *out = &status->backend[backend];
    int64_t begun = ratings_monotonic();
    out->asked = is_known;
    out->reached = is_known && ask(status, &out->why);
    out->us = ratings_monotonic() - begun;
}

/* ---- the lag ---- */

static int64_t age_ms(int64_t timestamp_ms)
{
    int64_t age = ratings_wall_clock() / 1000 - timestamp_ms;
    return timestamp_ms >= 0 && age > 0 ? age : 0;
}

static bool measure_lag(ctl_status_t *status, int p, int64_t first, int64_t end,
                        audit_failure_t *why)
{
    ctl_lag_t *lag = &status->partition[p];
    int64_t checkpoint = status->state.checkpoint[p], timestamp;
    int64_t from = checkpoint > first ? checkpoint : first;
    *lag = (ctl_lag_t){.checkpoint = checkpoint, .end = end, .lag = end > from ? end - from : 0};
    if (lag->lag == 0)
        return true;
    if (!audit_stream_time_of(status->stream, p, from, &timestamp, why))
        return false;
    lag->lag_ms = age_ms(timestamp);
    return true;
}

static bool measure_between(ctl_status_t *status, int64_t *first, int64_t *end,
                            audit_failure_t *why)
{
    bool good = audit_stream_ends(status->stream, status->partitions, status->state.checkpoint,
                                  first, end, why);
    for (int p = 0; p < status->partitions && good; p++)
        good = measure_lag(status, p, first[p], end[p], why);
    return good;
}

static bool measure_lags(ctl_status_t *status, audit_failure_t *why)
{
    size_t count = (size_t)status->partitions;
    int64_t *first = calloc(count, sizeof *first), *end = calloc(count, sizeof *end);
    status->partition = calloc(count, sizeof *status->partition);
    bool good = false;
    if (first && end && status->partition)
        good = measure_between(status, first, end, why);
    else
        audit_no_memory(why);
    free(first);
    free(end);
    return good;
}

/* ---- what is wrong ---- */

__attribute__((format(printf, 2, 3))) static void note_problem(ctl_status_t *status,
                                                               const char *format, ...)
{
    va_list arguments;
    if (status->problems == CTL_PROBLEMS_MAX)
        return;
    char *problem = status->problem[status->problems++];
    va_start(arguments, format);
    (void)vsnprintf(problem, sizeof status->problem[0], format, arguments);
    va_end(arguments);
    ctl_make_printable(problem); /* it may have been cut */
}

static void judge_store(ctl_status_t *status)
{
    const audit_state_t *state = &status->state;
    if (!state->present)
        note_problem(status,
                     "the store has no ratings:log: it was lost, and the leader rebuilds it");
    else if (state->claim[0] || state->behind)
        note_problem(status, "the store is being rebuilt: GET answers 503 until it is");
    else if (strcmp(state->topic, status->options->stream.topic) != 0)
        note_problem(status, "the store holds the ratings of topic '%s', not of '%s'", state->topic,
                     status->options->stream.topic);
    if (state->requested)
        note_problem(status, "a rebuild of the store is requested, and not begun");
    if (!status->lease.token[0])
        note_problem(status, "no projector holds the lease: ratings are durable but not counted");
}

static void judge_lags(ctl_status_t *status)
{
    for (int p = 0; p < status->partitions; p++) {
        const ctl_lag_t *lag = &status->partition[p];
        if (lag->checkpoint > lag->end)
            note_problem(status,
                         "partition %d: the log ends before the store's checkpoint: it was "
                         "truncated or recreated",
                         p);
        else if (lag->lag_ms > (int64_t)status->options->max_lag_s * 1000)
            note_problem(status,
                         "partition %d: the store has not applied what is %" PRId64 " s old", p,
                         lag->lag_ms / 1000);
    }
}

static void judge_backends(ctl_status_t *status)
{
    for (int b = 0; b < CTL_BACKENDS; b++)
        if (status->backend[b].asked && !status->backend[b].reached)
            note_problem(status, "%s", status->backend[b].why.text);
}

/* ---- the command ---- */

ctl_leader_t ctl_status_leader(const ctl_status_t *status)
{
    ctl_leader_t leader = {"", ""};
    if (sscanf(status->lease.token, "%31[0-9a-f]:%31[0-9]:", leader.host, leader.process) != 2)
        return (ctl_leader_t){"", ""};
    return leader;
}

static void inquire(ctl_status_t *status)
{
    const ctl_options_t *options = status->options;
    ask_backend(status, CTL_BACKEND_TALKS, ask_talks, options->talks_url && options->talks_url[0]);
    ask_backend(status, CTL_BACKEND_STATS, ask_stats, options->stats.url && options->stats.url[0]);
    ask_backend(status, CTL_BACKEND_STREAM, ask_stream, true);
    ask_backend(status, CTL_BACKEND_STORE, ask_store, true);
    if (ctl_status_has_lags(status)) {
        ctl_reached_t *stream = &status->backend[CTL_BACKEND_STREAM];
        stream->reached = measure_lags(status, &stream->why);
    }
}

static void judge_status(ctl_status_t *status)
{
    judge_backends(status);
    if (status->backend[CTL_BACKEND_STORE].reached)
        judge_store(status);
    if (ctl_status_has_lags(status))
        judge_lags(status);
}

static void free_status(ctl_status_t *status)
{
    audit_stream_close(status->stream);
    audit_store_free(status->store);
    audit_state_free(&status->state);
    free(status->partition);
}

ctl_exit_e ctl_status(ctl_options_t *options, audit_failure_t *why)
{
    ctl_status_t status = {.options = options};
    bool good = true;
    inquire(&status);
    judge_status(&status);
    if (options->json)
        good = ctl_status_json(&status, why);
    else
        ctl_status_text(&status);
    ctl_exit_e code = !good ? CTL_EXIT_FAILED : status.problems ? CTL_EXIT_DIFFERS : CTL_EXIT_GOOD;
    free_status(&status);
    return code;
}
