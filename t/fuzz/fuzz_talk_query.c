#include "../../src/core/talk_query.h"
#include "fuzz.h"

#include <string.h>

/* What a cursor is printed as is read as the same. */
static void check_cursor(const ratings_talk_query_t *query)
{
    static const char *const orders[] = {"title", "start", "score"};
    char text[RATINGS_CURSOR_TEXT_SIZE], again[RATINGS_CURSOR_TEXT_SIZE + 32];
    ratings_talk_query_t read;

    ratings_talk_cursor_print(&query->cursor, query->order, text);
    (void)snprintf(again, sizeof again, "cursor=%s&sort=%s", text, orders[query->order]);
    MUST(!ratings_talk_query_parse(again, &read));
    MUST(read.cursor.rank == query->cursor.rank);
    MUST(strcmp(read.cursor.title_key, query->cursor.title_key) == 0);
    MUST(strcmp(read.cursor.talk_id, query->cursor.talk_id) == 0);
}

static void check_bounds(const ratings_talk_query_t *query)
{
    MUST(query->limit >= 1 && query->limit <= RATINGS_PAGE_MAX);
    MUST(query->order <= RATINGS_TALKS_BY_SCORE);
    MUST(strlen(query->q) <= RATINGS_SEARCH_MAX && strlen(query->track) <= RATINGS_SEARCH_MAX);
    MUST(query->day[0] == '\0' || strlen(query->day) == RATINGS_DAY_SIZE - 1);
}

/* What is taken is within its bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ratings_talk_query_t query;
    char *text = malloc(size + 1);

    MUST(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (!ratings_talk_query_parse(text, &query)) {
        check_bounds(&query);
        if (query.has_cursor)
            check_cursor(&query);
    }
    free(text);
    return 0;
}
