#include "audit_json.h"
#include "ctl_voter.h"

/* A row that could not be made makes the whole fail. */
static json_t *add_row_to(json_t *array, json_t *row)
{
    if (array && json_array_append_new(array, row) == 0)
        return array;
    json_decref(array);
    return NULL;
}

static json_t *changed_partitions(const ctl_voter_t *it)
{
    json_t *rows = json_array();
    for (int p = 0; p < it->log.fold.partitions; p++)
        if (it->changed[p])
            rows = add_row_to(rows, json_integer(p));
    return rows;
}

static json_t *withdrawn_ratings(const ctl_voter_t *it)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < it->standings; i++) {
        const ctl_standing_t *standing = &it->standing[i];
        rows = add_row_to(rows, json_pack("{s:s, s:i, s:i}", "talk", standing->talk, "partition",
                                          standing->partition, "value", standing->value));
    }
    return rows;
}

bool ctl_voter_json(const ctl_voter_t *it, audit_failure_t *why)
{
    char voter[RATINGS_VOTER_TEXT_SIZE];
    ratings_voter_print(&it->voter, voter);
    return audit_json_write(
        json_pack("{s:s, s:s, s:b, s:i, s:i, s:o, s:o, s:I, s:I, s:b}", "command",
                  it->command->name, "voter", voter, "dryRun", it->options->dry_run, "partitions",
                  it->log.fold.partitions, "barred", it->barred, "changed", changed_partitions(it),
                  "withdrawn", withdrawn_ratings(it), "events", (json_int_t)it->events, "appended",
                  (json_int_t)ctl_append_count(it->append), "applied", it->is_applied),
        why);
}
