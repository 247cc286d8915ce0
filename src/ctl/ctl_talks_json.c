#include "../core/json.h"
#include "audit_json.h"
#include "ctl_talks.h"

#include <string.h>
#include <time.h>

/* ---- the schedule, for PostgreSQL ---- */

static json_t *time_or_null(int64_t seconds)
{
    const time_t at = (time_t)seconds;
    struct tm day;
    char text[64];
    if (seconds == SCHEDULE_NO_TIME || !gmtime_r(&at, &day) ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &day) == 0)
        return json_null();
    return json_string(text);
}

static json_t *speakers_of(const schedule_talk_t *talk)
{
    json_t *names = json_array();
    for (size_t i = 0; names && i < talk->speakers_count; i++)
        if (json_array_append_new(names, json_string(talk->speakers[i])) != 0) {
            json_decref(names);
            return NULL;
        }
    return names;
}

static json_t *schedule_row(const schedule_talk_t *talk)
{
    return json_pack("{s:s, s:s, s:o, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:o, s:o}", "uuid",
                     talk->id, "title", talk->title, "speakers", speakers_of(talk), "room",
                     talk->room, "track", talk->track, "language", talk->language, "url", talk->url,
                     "starts_at", time_or_null(talk->starts_at), "ends_at",
                     time_or_null(talk->ends_at), "opens_at", time_or_null(talk->opens_at),
                     "closes_at", time_or_null(talk->closes_at));
}

char *ctl_talks_rows_json(const ctl_talks_t *it)
{
    json_t *rows = json_array();
    bool good = rows;
    for (size_t i = 0; good && i < it->schedule.count; i++)
        good = json_array_append_new(rows, schedule_row(&it->schedule.talks[i])) == 0;
    char *text = good ? ratings_json_dump(rows, JSON_COMPACT) : NULL;
    json_decref(rows);
    return text;
}

/* ---- the report ---- */

/* Texts of the table may be anything that PostgreSQL takes for UTF-8, which jansson takes, too. */
static json_t *text_cell(const PGresult *rows, int row, int column)
{
    return PQgetisnull(rows, row, column) ? json_null()
                                          : json_string(PQgetvalue(rows, row, column));
}

static json_t *append_row(json_t *array, json_t *row)
{
    if (array && json_array_append_new(array, row) == 0)
        return array;
    json_decref(array);
    return NULL;
}

static json_t *talks_of(const PGresult *rows)
{
    json_t *talks = json_array();
    for (int i = 0; i < PQntuples(rows); i++)
        talks = append_row(talks, json_pack("{s:o, s:o}", "id", text_cell(rows, i, CTL_TALKS_ID),
                                            "title", text_cell(rows, i, CTL_TALKS_TITLE)));
    return talks;
}

static json_t *changes_of(const PGresult *rows)
{
    json_t *changes = json_array();
    for (int i = 0; i < PQntuples(rows); i++)
        changes = append_row(changes, json_pack("{s:o, s:o, s:o, s:o, s:o}", "id",
                                                text_cell(rows, i, CTL_TALKS_ID), "title",
                                                text_cell(rows, i, CTL_TALKS_TITLE), "field",
                                                text_cell(rows, i, CTL_TALKS_FIELD), "old",
                                                text_cell(rows, i, CTL_TALKS_OLD), "new",
                                                text_cell(rows, i, CTL_TALKS_NEW)));
    return changes;
}

bool ctl_talks_json(const ctl_talks_t *it, audit_failure_t *why)
{
    return audit_json_write(json_pack("{s:s, s:I, s:b, s:o, s:o, s:o}", "format", it->schedule.kind,
                                      "talks", (json_int_t)it->schedule.count, "dryRun",
                                      it->options->dry_run, "added", talks_of(it->added), "changed",
                                      changes_of(it->changed), "gone", talks_of(it->gone)),
                            why);
}

bool ctl_talks_qr_json(const ctl_talks_codes_t *codes, bool dry_run, audit_failure_t *why)
{
    return audit_json_write(json_pack("{s:i, s:b, s:i, s:i, s:i}", "codes", codes->codes, "dryRun",
                                      dry_run, "written", codes->written, "removed", codes->removed,
                                      "leftOut", codes->left_out),
                            why);
}
