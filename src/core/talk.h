/* What is known of a talk beside its ratings, and the list of all talks: searched, ordered, and cut
 * into pages in memory. Pure functions, any thread.
 *
 * Searching compares keys, texts without case and accents. The database makes them of the talks and
 * of what is searched for (../backend/talks/talks.h), so that one rule makes both. */
#ifndef RATINGS_CORE_TALK_H
#define RATINGS_CORE_TALK_H

#include "talk_query.h"
#include "window.h"

#include <stdbool.h>
#include <stdint.h>

/* NULL: unknown, but for `id` and the keys. */
typedef struct {
    const char *id;
    const char *title, *room, *track, *language, *url;
    const char *speakers;       /* a JSON array of names */
    const char *day;            /* on which it starts, YYYY-MM-DD, in the time zone of the list */
    const char *title_key;      /* by which titles are ordered */
    const char *search_key;     /* of title and speakers, a line each */
    int64_t starts_at, ends_at; /* of ratings_wall_clock; RATINGS_NEVER: unknown */
    ratings_window_t window;
} ratings_talk_t;

/* {"talkId":...,"title":...}: what is known, in the order of the API. malloc()ed, owned by the
 * caller; NULL when memory ran out, or when a text is not UTF-8. */
char *ratings_talk_json(const ratings_talk_t *talk);

/* The names of the speakers, with a comma and a blank between: "Ann, Bo". malloc()ed, owned by the
 * caller; NULL: none is known, or memory ran out. */
char *ratings_talk_speakers_text(const ratings_talk_t *talk);

typedef struct {
    ratings_talk_t *talks; /* sorted: ratings_talk_list_sort */
    int count;
    const char *zone; /* of the days */
} ratings_talk_list_t;

/* Sorts by title, without case and accents, and by id where titles are the same. */
void ratings_talk_list_sort(ratings_talk_list_t *list);

/* Talks in the order that a query asks for: by their ranks, the lower first, and where these are
 * the same by title. */
typedef struct {
    int count;     /* at most the query's limit */
    bool has_more; /* there are talks after these */
    const ratings_talk_t *talks[RATINGS_PAGE_MAX + 1];
    int64_t ranks[RATINGS_PAGE_MAX + 1];
} ratings_talk_page_t;

/* The page of the talks that the query is about, after its cursor. `words` is the key of query->q
 * (any text, if that is empty): a talk is found if each of its words, between blanks, is in the
 * title or the speakers. `ranks` are those of the talks, in the list's order, for
 * RATINGS_TALKS_BY_SCORE; unused for other orders. */
void ratings_talk_list_page(const ratings_talk_list_t *list, const ratings_talk_query_t *query,
                            const char *words, const int64_t *ranks, ratings_talk_page_t *page);

/* Writes the cursor of the page after this one, which has more. */
void ratings_talk_page_cursor(const ratings_talk_page_t *page, ratings_talk_order_e order,
                              char text[RATINGS_CURSOR_TEXT_SIZE]);

#endif
