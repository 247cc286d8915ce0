/* What a client asks of the list of talks: the query string of GET /talks. Pure functions, any
 * thread. */
#ifndef RATINGS_CORE_TALK_QUERY_H
#define RATINGS_CORE_TALK_QUERY_H

#include "rating.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATINGS_SEARCH_MAX 200 /* bytes of what is searched for, of a track's name */
#define RATINGS_DAY_SIZE sizeof "2026-11-29"
#define RATINGS_PAGE_MAX 100 /* talks of a page, at most; and unless the query says otherwise: */
#define RATINGS_PAGE_DEFAULT 50

typedef enum {
    RATINGS_TALKS_BY_TITLE,
    RATINGS_TALKS_BY_START,
    RATINGS_TALKS_BY_SCORE
} ratings_talk_order_e;

/* A place in an order of talks (talk.h), after which a page begins: that of a talk which may have
 * gone or moved since. Titles are ordered by their first RATINGS_ORDER_KEY_MAX bytes, so that a
 * cursor has a bound. */
#define RATINGS_ORDER_KEY_MAX 120
typedef struct {
    int64_t rank;
    char title_key[RATINGS_ORDER_KEY_MAX + 1];
    char talk_id[RATINGS_TALK_ID_MAX + 1];
} ratings_talk_cursor_t;

/* As text: the order's letter, the rank, the key's length, the key and the id, in hexadecimal, so
 * that clients need not escape it. */
#define RATINGS_CURSOR_BYTES                                                                       \
    (sizeof "t-9223372036854775808:120:" - 1 + RATINGS_ORDER_KEY_MAX + RATINGS_TALK_ID_MAX)
#define RATINGS_CURSOR_TEXT_SIZE (2 * RATINGS_CURSOR_BYTES + 1)

typedef struct {
    char q[RATINGS_SEARCH_MAX + 1];     /* "": all */
    char track[RATINGS_SEARCH_MAX + 1]; /* the same */
    char day[RATINGS_DAY_SIZE];         /* the same; YYYY-MM-DD */
    ratings_talk_order_e order;
    bool with_ratings;
    int limit; /* of talks of the page: 1..RATINGS_PAGE_MAX */
    bool has_cursor;
    ratings_talk_cursor_t cursor;
} ratings_talk_query_t;

/* Reads a query string (NULL: none was sent) by the rules of a form. NULL; or a sentence for the
 * client (static, without anything the client sent), and `*out` is undefined: a parameter that
 * there is not, is there twice, or is none of its kind; or a cursor of another order. */
const char *ratings_talk_query_parse(const char *query, ratings_talk_query_t *out);

/* The same for the query string of GET /talks/ID, which may ask for the ratings alone. */
const char *ratings_talk_query_parse_one(const char *query, bool *with_ratings);

/* Writes a cursor of an order. */
void ratings_talk_cursor_print(const ratings_talk_cursor_t *cursor, ratings_talk_order_e order,
                               char text[RATINGS_CURSOR_TEXT_SIZE]);

#endif
