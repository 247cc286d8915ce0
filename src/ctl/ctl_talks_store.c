#include "ctl_schema.h"
#include "ctl_talks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQL_SIZE 4096
#define LOCK_TIMEOUT "5s" /* until other statements let go of the table */

/* No two imports at a time. A number of our own, "ratings" as bytes. */
#define TRY_LOCK "SELECT pg_try_advisory_xact_lock(x'72617469'::int, x'6e6773'::int)"
#define FIND_COLUMNS                                                                               \
    "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('talks') AND attnum > 0 "       \
    "AND NOT attisdropped"

static const ctl_talks_column_t known_columns[CTL_TALKS_COLUMNS] = {
    {.name = "title"},
    {.name = "speakers", .field = SCHEDULE_HAS_SPEAKERS},
    {.name = "room", .field = SCHEDULE_HAS_ROOM},
    {.name = "track", .field = SCHEDULE_HAS_TRACK},
    {.name = "starts_at", .field = SCHEDULE_HAS_TIMES},
    {.name = "ends_at", .field = SCHEDULE_HAS_TIMES},
    {.name = "opens_at", .field = SCHEDULE_HAS_OPENS},
    {.name = "closes_at", .field = SCHEDULE_HAS_CLOSES},
    {.name = "language", .field = SCHEDULE_HAS_LANGUAGE},
    {.name = "url", .field = SCHEDULE_HAS_URL},
};

/* ---- the table ---- */

static bool has_name(const PGresult *rows, const char *name)
{
    for (int i = 0; i < PQntuples(rows); i++)
        if (strcmp(PQgetvalue(rows, i, 0), name) == 0)
            return true;
    return false;
}

/* False in `*is_there`: there is no table of talks. */
static bool find_columns(ctl_talks_t *it, bool *is_there, audit_failure_t *why)
{
    PGresult *rows = ctl_postgres_query(&it->database, FIND_COLUMNS, NULL, 0, why);
    if (!rows)
        return false;
    memcpy(it->columns, known_columns, sizeof known_columns);
    for (int i = 0; i < CTL_TALKS_COLUMNS; i++)
        it->columns[i].is_there = has_name(rows, it->columns[i].name);
    *is_there = has_name(rows, "uuid") && has_name(rows, "title");
    PQclear(rows);
    return true;
}

static bool has_column(const ctl_talks_t *it, const char *name)
{
    for (int i = 0; i < CTL_TALKS_COLUMNS; i++)
        if (strcmp(it->columns[i].name, name) == 0)
            return it->columns[i].is_there;
    return false;
}

bool ctl_talks_migrate(ctl_talks_t *it, audit_failure_t *why)
{
    bool is_there;
    return ctl_postgres_run(&it->database, "BEGIN; SET LOCAL lock_timeout = '" LOCK_TIMEOUT "'",
                            why) &&
           find_columns(it, &is_there, why) &&
           ctl_postgres_run(&it->database, ctl_schema_sql, why) &&
           ctl_postgres_run(&it->database, "COMMIT", why);
}

static bool fail_no_table(audit_failure_t *why)
{
    return audit_fail(why, "there is no table talks with uuid and title: ratingsctl talks migrate "
                           "makes it");
}

/* A window that was asked for and finds no column is no small loss. */
static bool choose_columns(ctl_talks_t *it, audit_failure_t *why)
{
    bool is_there;
    if (!find_columns(it, &is_there, why))
        return false;
    if (!is_there)
        return fail_no_table(why);
    for (int i = 0; i < CTL_TALKS_COLUMNS; i++) {
        ctl_talks_column_t *column = &it->columns[i];
        bool is_had = !column->field || it->schedule.fields & column->field;
        column->is_taken = column->is_there && is_had;
        if (is_had && !column->is_there &&
            column->field & (SCHEDULE_HAS_OPENS | SCHEDULE_HAS_CLOSES))
            return audit_fail(why,
                              "the table talks has no column %s: ratingsctl talks migrate adds it",
                              column->name);
    }
    return true;
}

/* ---- statements ---- */

typedef struct {
    char text[SQL_SIZE];
    size_t len;
} sql_t;

static void add_sql(sql_t *sql, const char *text)
{
    size_t len = strlen(text);
    if (sql->len + len < sizeof sql->text)
        memcpy(sql->text + sql->len, text, len + 1);
    sql->len += len;
}

static void add_form(sql_t *sql, const char *form, const char *name)
{
    for (const char *c = form; *c; c++)
        add_sql(sql, *c == '%' ? name : (const char[]){*c, '\0'});
}

/* For each column that is written `form`, in which each % stands for its name; with `between` in
 * between. */
static void add_columns(sql_t *sql, const ctl_talks_t *it, const char *form, const char *between)
{
    bool is_first = true;
    for (int i = 0; i < CTL_TALKS_COLUMNS; i++) {
        if (!it->columns[i].is_taken)
            continue;
        add_sql(sql, is_first ? "" : between);
        add_form(sql, form, it->columns[i].name);
        is_first = false;
    }
}

static bool run_sql(ctl_talks_t *it, const sql_t *sql, audit_failure_t *why)
{
    return ctl_postgres_run(&it->database, sql->text, why);
}

/* ---- what would change ---- */

/* The table of the schedule, with the columns' own types; the last statement's texts are read by
 * them, so that what does not fit is an error. */
static bool stage_schedule(ctl_talks_t *it, audit_failure_t *why)
{
    sql_t make = {.len = 0}, fill = {.len = 0};
    char *rows = ctl_talks_rows_json(it);
    const char *const values[] = {rows};
    if (!rows)
        return audit_no_memory(why);
    add_sql(&make, "CREATE TEMPORARY TABLE talks_of_schedule ON COMMIT DROP AS SELECT uuid");
    add_columns(&make, it, ", %", "");
    add_sql(&make, " FROM talks WITH NO DATA");
    add_sql(&fill, "INSERT INTO pg_temp.talks_of_schedule (uuid");
    add_columns(&fill, it, ", %", "");
    add_sql(&fill, ") SELECT uuid");
    add_columns(&fill, it, ", %", "");
    add_sql(&fill, " FROM json_populate_recordset(NULL::talks, $1)");
    PGresult *filled = run_sql(it, &make, why)
                           ? ctl_postgres_query(&it->database, fill.text, values, 1, why)
                           : NULL;
    PQclear(filled);
    free(rows);
    return filled && ctl_postgres_run(&it->database, "ANALYZE pg_temp.talks_of_schedule", why);
}

static bool find_changed(ctl_talks_t *it, audit_failure_t *why)
{
    sql_t sql = {.len = 0};
    add_sql(&sql, "SELECT t.uuid::text, s.title::text, c.name, c.old, c.new FROM talks t JOIN "
                  "pg_temp.talks_of_schedule s ON s.uuid = t.uuid CROSS JOIN LATERAL (VALUES ");
    add_columns(&sql, it, "('%', t.%::text, s.%::text, t.% IS DISTINCT FROM s.%)", ", ");
    add_sql(&sql, ") c (name, old, new, differs) WHERE c.differs ORDER BY 2, 1");
    it->changed = ctl_postgres_query(&it->database, sql.text, NULL, 0, why);
    for (int i = 0; it->changed && i < PQntuples(it->changed); i++)
        it->changed_talks += i == 0 || strcmp(PQgetvalue(it->changed, i, CTL_TALKS_ID),
                                              PQgetvalue(it->changed, i - 1, CTL_TALKS_ID)) != 0;
    return it->changed;
}

static bool find_added_and_gone(ctl_talks_t *it, audit_failure_t *why)
{
    it->added = ctl_postgres_query(
        &it->database,
        "SELECT s.uuid::text, s.title::text FROM pg_temp.talks_of_schedule s "
        "LEFT JOIN talks t ON t.uuid = s.uuid WHERE t.uuid IS NULL ORDER BY 2, 1",
        NULL, 0, why);
    it->gone = it->added ? ctl_postgres_query(&it->database,
                                              "SELECT t.uuid::text, t.title::text FROM talks t "
                                              "LEFT JOIN pg_temp.talks_of_schedule s ON s.uuid = "
                                              "t.uuid WHERE s.uuid IS NULL ORDER BY 2, 1",
                                              NULL, 0, why)
                         : NULL;
    return it->gone;
}

static bool count_before(ctl_talks_t *it, audit_failure_t *why)
{
    PGresult *rows = ctl_postgres_query(&it->database, "SELECT count(*) FROM talks", NULL, 0, why);
    it->before = rows ? (int)strtol(PQgetvalue(rows, 0, 0), NULL, 10) : 0;
    PQclear(rows);
    return rows;
}

/* A lock that lets the service read and nobody write: what is reported is what is done. One who
 * only looks may have no right to it. */
static bool begin_import(ctl_talks_t *it, audit_failure_t *why)
{
    if (!ctl_postgres_run(&it->database,
                          "BEGIN; SET LOCAL lock_timeout = '" LOCK_TIMEOUT
                          "'; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; "
                          "SET LOCAL client_encoding = 'UTF8'",
                          why))
        return false;
    PGresult *lock = ctl_postgres_query(&it->database, TRY_LOCK, NULL, 0, why);
    bool is_ours = lock && PQgetvalue(lock, 0, 0)[0] == 't';
    if (lock && !is_ours)
        (void)audit_fail(why, "another import is under way");
    PQclear(lock);
    return is_ours;
}

static bool lock_talks(ctl_talks_t *it, audit_failure_t *why)
{
    return it->options->dry_run ||
           ctl_postgres_run(&it->database, "LOCK TABLE talks IN SHARE ROW EXCLUSIVE MODE", why);
}

bool ctl_talks_compare(ctl_talks_t *it, audit_failure_t *why)
{
    return begin_import(it, why) && choose_columns(it, why) && lock_talks(it, why) &&
           stage_schedule(it, why) && count_before(it, why) && find_added_and_gone(it, why) &&
           find_changed(it, why);
}

/* ---- doing it ---- */

static bool delete_gone(ctl_talks_t *it, audit_failure_t *why)
{
    return ctl_postgres_run(&it->database,
                            "DELETE FROM talks t WHERE NOT EXISTS (SELECT FROM "
                            "pg_temp.talks_of_schedule s WHERE s.uuid = t.uuid)",
                            why);
}

static bool update_changed(ctl_talks_t *it, audit_failure_t *why)
{
    sql_t sql = {.len = 0};
    add_sql(&sql, "UPDATE talks t SET ");
    add_columns(&sql, it, "% = s.%", ", ");
    add_sql(&sql, " FROM pg_temp.talks_of_schedule s WHERE s.uuid = t.uuid AND (");
    add_columns(&sql, it, "t.% IS DISTINCT FROM s.%", " OR ");
    add_sql(&sql, ")");
    return run_sql(it, &sql, why);
}

static bool insert_added(ctl_talks_t *it, audit_failure_t *why)
{
    sql_t sql = {.len = 0};
    add_sql(&sql, "INSERT INTO talks (uuid");
    add_columns(&sql, it, ", %", "");
    add_sql(&sql, ") SELECT uuid");
    add_columns(&sql, it, ", %", "");
    add_sql(&sql, " FROM pg_temp.talks_of_schedule s WHERE NOT EXISTS (SELECT FROM talks t WHERE "
                  "t.uuid = s.uuid)");
    return run_sql(it, &sql, why);
}

bool ctl_talks_apply(ctl_talks_t *it, audit_failure_t *why)
{
    return (PQntuples(it->gone) == 0 || delete_gone(it, why)) &&
           (PQntuples(it->changed) == 0 || update_changed(it, why)) &&
           (PQntuples(it->added) == 0 || insert_added(it, why)) &&
           ctl_postgres_run(&it->database, "COMMIT", why);
}

/* ---- the talks as they are ---- */

PGresult *ctl_talks_select(ctl_talks_t *it, audit_failure_t *why)
{
    static const struct {
        const char *name, *text; /* % stands for the name */
    } parts[] = {
        {"title", "%::text"},
        {"speakers", "array_to_json(%)::text"},
        {"room", "%::text"},
        {"track", "%::text"},
        {"starts_at", "CASE WHEN isfinite(%) THEN floor(extract(epoch FROM %))::bigint END"},
        {"ends_at", "CASE WHEN isfinite(%) THEN floor(extract(epoch FROM %))::bigint END"},
        {"language", "%::text"},
        {"url", "%::text"},
    };
    sql_t sql = {.len = 0};
    bool is_there;
    if (!find_columns(it, &is_there, why))
        return NULL;
    if (!is_there) {
        (void)fail_no_table(why);
        return NULL;
    }
    add_sql(&sql, "SELECT uuid::text");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        add_sql(&sql, ", ");
        if (has_column(it, parts[i].name))
            add_form(&sql, parts[i].text, parts[i].name);
        else
            add_sql(&sql, "NULL");
    }
    add_sql(&sql, " FROM talks ORDER BY 6, 1");
    return ctl_postgres_query(&it->database, sql.text, NULL, 0, why);
}
