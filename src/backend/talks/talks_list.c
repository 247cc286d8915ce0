#include "talks_list.h"

#include "talks.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

/* ---- the queries ---- */

/* Without case and accents, by PostgreSQL itself: it knows letters, and does the same to what is
 * searched for. No extension is needed (unaccent is one). normalize() is there from PostgreSQL 13
 * on, and for databases in UTF-8 alone; ASCII, of which most is, does without. */
#define KEY(text)                                                                                  \
    "CASE WHEN octet_length(" text ") = char_length(" text ") OR "                                 \
    "current_setting('server_encoding') <> 'UTF8' THEN lower(" text ") "                           \
    "ELSE lower(regexp_replace(normalize(" text ", NFKD), '[\\u0300-\\u036f]', '', 'g')) END"

#define EPOCH(column) "extract(epoch FROM talk." column ")"

/* The type of a column, by a column without a value. */
#define TYPE(column) "CASE WHEN false THEN talk." column " END"

/* The same trick as in FIND_TALK_WITH_WINDOW (talks_connection.c): a name that is no column of
 * talks is one of the row around it, which is NULL. */
/* clang-format off */
#define LIST(limit, where) \
    "SELECT talk.id, talk.title, to_json(talk.speakers), talk.room, talk.track, talk.language, talk.url, " \
    "to_char(talk.starts_at, 'YYYY-MM-DD'), " KEY("talk.title") ", " KEY("talk.words") ", " \
    EPOCH("starts_at") ", " EPOCH("ends_at") ", " EPOCH("opens_at") ", " EPOCH("closes_at") ", " \
    TYPE("starts_at") ", " TYPE("ends_at") ", " TYPE("opens_at") ", " TYPE("closes_at") ", " \
    "current_setting('TimeZone') " \
    "FROM (SELECT NULL::text AS title, NULL::text[] AS speakers, NULL::text AS room, NULL::text AS track, " \
    "NULL::text AS language, NULL::text AS url, NULL::timestamptz AS starts_at, NULL::timestamptz AS ends_at, " \
    "NULL::timestamptz AS opens_at, NULL::timestamptz AS closes_at) AS absent, " \
    "LATERAL (SELECT uuid::text AS id, title::text AS title, speakers, room, track, language, url, " \
    "concat_ws(chr(10), title, array_to_string(speakers, chr(10))) AS words, " \
    "starts_at, ends_at, opens_at, closes_at FROM talks" where ") AS talk LIMIT " limit
/* clang-format on */

enum {
    COLUMN_ID,
    COLUMN_TITLE,
    COLUMN_SPEAKERS,
    COLUMN_ROOM,
    COLUMN_TRACK,
    COLUMN_LANGUAGE,
    COLUMN_URL,
    COLUMN_DAY,
    COLUMN_TITLE_KEY,
    COLUMN_SEARCH_KEY,
    COLUMN_STARTS,
    COLUMN_ENDS,
    COLUMN_OPENS,
    COLUMN_CLOSES,
    COLUMN_TYPES, /* of the four before, in their order */
    COLUMN_ZONE = COLUMN_TYPES + 4,
    COLUMNS
};

/* One more than may be, which tells that there are too many. */
const char talks_list_query[] = LIST(APR_STRINGIFY(RATINGS_TALKS_MAX) " + 1", "");
const char talks_listed_query[] = LIST("1", " WHERE uuid = %s AND uuid::text COLLATE \"C\" = %s");

/* OFFSET keeps the planner from working the whole out in advance, also what is not for this
 * database. */
const char talks_key_query[] =
    "SELECT " KEY("asked.text") " FROM (SELECT %s::text AS text OFFSET 0) AS asked";

/* ---- reading ---- */

#define TYPE_TIMESTAMPTZ 1184 /* as in talks_connection.c */

typedef struct {
    const char *talk_id; /* NULL: all talks */
    apr_pool_t *pool;
    ratings_talk_list_t *list;
} list_context_t;

/* An error that is about the table is no outage: /ratings, which needs less of it, goes on. */
static apr_status_t refusal(const PGresult *result, ratings_result_t *why)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    apr_status_t status = sqlstate && strncmp(sqlstate, "42", 2) == 0
                              ? APR_EAGAIN
                              : talks_status_of_sqlstate(sqlstate);
    return ratings_result_set(why, status, "%s",
                              status == APR_NOTFOUND ? "" : PQresultErrorMessage(result));
}

static const char *text_of(const PGresult *result, int row, int column, apr_pool_t *pool)
{
    return PQgetisnull(result, row, column)
               ? NULL
               : apr_pstrmemdup(pool, PQgetvalue(result, row, column),
                                (apr_size_t)PQgetlength(result, row, column));
}

static const char *key_of(const PGresult *result, int row, int column, apr_pool_t *pool)
{
    const char *text = text_of(result, row, column, pool);
    return text ? text : "";
}

/* Of a type that is timestamptz, PostgreSQL prints nothing that is no time. */
static int64_t time_of(const PGresult *result, int row, int column, int64_t absent)
{
    int64_t time = absent;
    if (!PQgetisnull(result, row, column))
        (void)ratings_time_from_epoch(PQgetvalue(result, row, column), &time);
    return time;
}

static ratings_talk_t talk_of(const PGresult *result, int row, apr_pool_t *pool)
{
    return (ratings_talk_t){
        .id = text_of(result, row, COLUMN_ID, pool),
        .title = text_of(result, row, COLUMN_TITLE, pool),
        .speakers = text_of(result, row, COLUMN_SPEAKERS, pool),
        .room = text_of(result, row, COLUMN_ROOM, pool),
        .track = text_of(result, row, COLUMN_TRACK, pool),
        .language = text_of(result, row, COLUMN_LANGUAGE, pool),
        .url = text_of(result, row, COLUMN_URL, pool),
        .day = text_of(result, row, COLUMN_DAY, pool),
        .title_key = key_of(result, row, COLUMN_TITLE_KEY, pool),
        .search_key = key_of(result, row, COLUMN_SEARCH_KEY, pool),
        .starts_at = time_of(result, row, COLUMN_STARTS, RATINGS_NEVER),
        .ends_at = time_of(result, row, COLUMN_ENDS, RATINGS_NEVER),
        .window = {time_of(result, row, COLUMN_OPENS, RATINGS_ALWAYS),
                   time_of(result, row, COLUMN_CLOSES, RATINGS_NEVER)},
    };
}

/* What is no id of a talk can be neither asked for nor rated. */
static bool is_talk(const PGresult *result, int row, const char *talk_id)
{
    const char *id = PQgetvalue(result, row, COLUMN_ID);
    return talk_id
               ? strcmp(id, talk_id) == 0
               : ratings_talk_id_problem(id, (size_t)PQgetlength(result, row, COLUMN_ID)) == NULL;
}

static size_t size_of(const PGresult *result)
{
    size_t size = 0;
    for (int row = 0; row < PQntuples(result); row++)
        for (int column = 0; column < PQnfields(result); column++)
            size += (size_t)PQgetlength(result, row, column);
    return size;
}

/* NULL, or what is wrong with the rows (a sentence for the log). */
static const char *problem_of_rows(const PGresult *result)
{
    if (PQnfields(result) != COLUMNS)
        return "an answer of other columns than were asked for";
    for (int i = COLUMN_TYPES; i < COLUMN_ZONE; i++)
        if (PQftype(result, i) != TYPE_TIMESTAMPTZ)
            return "starts_at, ends_at, opens_at and closes_at of table talks must be timestamptz";
    if (PQntuples(result) > RATINGS_TALKS_MAX || size_of(result) > RATINGS_TALKS_BYTES_MAX)
        return "table talks is too long to be listed: " APR_STRINGIFY(
            RATINGS_TALKS_MAX) " talks, and 32 MB, are the most";
    return NULL;
}

static void read_rows(const PGresult *result, const list_context_t *context)
{
    ratings_talk_list_t *list = context->list;
    int rows = PQntuples(result);
    *list = (ratings_talk_list_t){
        .talks = apr_palloc(context->pool, (apr_size_t)rows * sizeof *list->talks + 1),
        .zone = rows > 0 ? text_of(result, 0, COLUMN_ZONE, context->pool) : NULL,
    };
    for (int row = 0; row < rows; row++)
        if (is_talk(result, row, context->talk_id))
            list->talks[list->count++] = talk_of(result, row, context->pool);
    ratings_talk_list_sort(list);
}

static apr_status_t read_talk_list(talks_connection_t *connection, const PGresult *result,
                                   void *data, ratings_result_t *why)
{
    const list_context_t *context = data;
    (void)connection;
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return refusal(result, why);
    const char *problem = problem_of_rows(result);
    if (problem)
        return ratings_result_set(why, APR_EAGAIN, "%s", problem);
    read_rows(result, context);
    return context->talk_id && context->list->count == 0
               ? ratings_result_set(why, APR_NOTFOUND, "%s", "")
               : ratings_result_ok(why);
}

apr_status_t talks_list_ask(talks_connection_t *connection, const char *talk_id, apr_pool_t *pool,
                            const ratings_deadline_t *deadline, ratings_talk_list_t *list,
                            ratings_result_t *why)
{
    const char *const arguments[] = {talk_id, talk_id};
    list_context_t context = {talk_id, pool, list};
    const talks_question_t question = {talk_id ? connection->listed : connection->list,
                                       talk_id ? 2 : 0, arguments, read_talk_list, &context};
    return talks_connection_ask(connection, &question, pool, deadline, why);
}

/* ---- the key of a text ---- */

typedef struct {
    apr_pool_t *pool;
    const char **key;
} key_context_t;

/* A text that the database's encoding does not have is in no title: APR_NOTFOUND. */
static apr_status_t read_search_key(talks_connection_t *connection, const PGresult *result,
                                    void *data, ratings_result_t *why)
{
    const key_context_t *context = data;
    (void)connection;
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return refusal(result, why);
    if (PQntuples(result) != 1 || PQnfields(result) != 1)
        return ratings_result_set(why, APR_EINVAL, "an answer that is no text");
    *context->key = key_of(result, 0, 0, context->pool);
    return ratings_result_ok(why);
}

apr_status_t talks_list_ask_key(talks_connection_t *connection, const char *text, apr_pool_t *pool,
                                const ratings_deadline_t *deadline, const char **key,
                                ratings_result_t *why)
{
    const char *const arguments[] = {text};
    key_context_t context = {pool, key};
    const talks_question_t question = {connection->key, 1, arguments, read_search_key, &context};
    return talks_connection_ask(connection, &question, pool, deadline, why);
}
