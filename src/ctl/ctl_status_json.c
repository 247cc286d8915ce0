#include "audit_json.h"
#include "ctl_status.h"

/* A row that could not be made makes the whole fail, so that nothing is left out silently. */
static json_t *add_to(json_t *array, json_t *row)
{
    if (array && json_array_append_new(array, row) == 0)
        return array;
    json_decref(array);
    return NULL;
}

static json_t *backend_row(const ctl_reached_t *it)
{
    return json_pack("{s:b, s:b, s:o, s:s?}", "asked", it->asked, "reached", it->reached, "ms",
                     it->reached ? json_real((double)it->us / 1000) : json_null(), "problem",
                     it->asked && !it->reached ? it->why.text : NULL);
}

static json_t *backend_rows(const ctl_status_t *status)
{
    json_t *rows = json_object();
    for (int b = 0; b < CTL_BACKENDS && rows; b++)
        if (json_object_set_new(rows, ctl_backend_name((ctl_backend_e)b),
                                backend_row(&status->backend[b])) != 0) {
            json_decref(rows);
            rows = NULL;
        }
    return rows;
}

static json_t *leader_row(const ctl_status_t *status)
{
    ctl_leader_t leader = ctl_status_leader(status);
    if (!leader.process[0])
        return json_null();
    return json_pack("{s:s, s:s, s:I}", "host", leader.host, "process", leader.process, "leaseMs",
                     (json_int_t)status->lease.ttl_ms);
}

static json_t *store_row(const ctl_status_t *status)
{
    const audit_state_t *state = &status->state;
    if (!status->backend[CTL_BACKEND_STORE].reached)
        return json_null();
    return json_pack("{s:s, s:s, s:b, s:b}", "topic", state->topic, "generation", state->generation,
                     "rebuilding", state->claim[0] || state->behind, "rebuildRequested",
                     state->requested);
}

static json_t *lag_rows(const ctl_status_t *status)
{
    json_t *rows = json_array();
    int count = ctl_status_has_lags(status) ? status->partitions : 0;
    for (int p = 0; p < count && rows; p++) {
        const ctl_lag_t *lag = &status->partition[p];
        rows = add_to(rows,
                      json_pack("{s:i, s:I, s:I, s:I, s:f}", "partition", p, "checkpoint",
                                (json_int_t)lag->checkpoint, "logEnd", (json_int_t)lag->end, "lag",
                                (json_int_t)lag->lag, "lagSeconds", (double)lag->lag_ms / 1000));
    }
    return rows;
}

static json_t *problem_rows(const ctl_status_t *status)
{
    json_t *rows = json_array();
    for (int i = 0; i < status->problems && rows; i++)
        rows = add_to(rows, json_string(status->problem[i]));
    return rows;
}

bool ctl_status_json(const ctl_status_t *status, audit_failure_t *why)
{
    return audit_json_write(
        json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "healthy", status->problems == 0, "problems",
                  problem_rows(status), "backends", backend_rows(status), "leader",
                  leader_row(status), "store", store_row(status), "partitions", lag_rows(status)),
        why);
}
