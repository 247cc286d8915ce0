/* A rating as a client submits it: which talk, and how many points. The readers of the two bodies
 * that POST /ratings takes, and of the query of GET /ratings. Pure functions, any thread. */
#ifndef RATINGS_CORE_RATING_H
#define RATINGS_CORE_RATING_H

#include <stdbool.h>
#include <stddef.h>

#define RATINGS_TALK_ID_MAX 255 /* bytes, not counting the terminator */
#define RATINGS_VALUE_MIN 1
#define RATINGS_VALUE_MAX 5
#define RATINGS_VALUES (RATINGS_VALUE_MAX - RATINGS_VALUE_MIN + 1)
/* In the place of a value: the voter has withdrawn it, or gave none. */
#define RATINGS_VALUE_NONE 0

typedef struct {
    char talk_id[RATINGS_TALK_ID_MAX + 1]; /* valid UTF-8, no control characters, 1..255 bytes */
    int value;                             /* RATINGS_VALUE_MIN..RATINGS_VALUE_MAX */
} ratings_rating_t;

/* Whether `len` bytes may name a talk: 1..RATINGS_TALK_ID_MAX bytes of valid UTF-8 (RFC 3629: no
 * overlong forms, no surrogates, nothing above U+10FFFF) without control characters (C0, DEL, C1).
 * NULL if so; else a sentence for the client that says what is wrong (static). */
const char *ratings_talk_id_problem(const char *id, size_t len);

/* The readers fill `*out` and return NULL; or return a sentence for the client (static, without
 * anything the client sent) and leave `*out` undefined. `body` need not be terminated.
 *
 * JSON (RFC 8259): an object with the string "talkId" and the integer "value" (not 5.0, "5" or
 * true). Other members are ignored; a member that appears twice is an error, at any depth. One byte
 * order mark at the head is ignored. */
const char *ratings_rating_from_json(const char *body, size_t len, ratings_rating_t *out);

/* application/x-www-form-urlencoded: talkId=...&value=5, '+' is a space; value is decimal digits.
 * Other fields are ignored; talkId or value given twice is an error, and so is a '%' in any field
 * that two hexadecimal digits do not follow, and a NUL. */
const char *ratings_rating_from_form(const char *body, size_t len, ratings_rating_t *out);

/* The same for the form of a page, where value=withdraw is RATINGS_VALUE_NONE. */
const char *ratings_rating_from_page_form(const char *body, size_t len, ratings_rating_t *out);

/* The talkId of a form, by the same rules, whatever its value is. */
const char *ratings_talk_id_from_form(const char *body, size_t len,
                                      char talk_id[RATINGS_TALK_ID_MAX + 1]);

/* The talkId of a query string (`query` may be NULL: none was sent), by the rules of a form. */
const char *ratings_talk_id_from_query(const char *query, char talk_id[RATINGS_TALK_ID_MAX + 1]);

#endif
