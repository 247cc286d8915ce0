/* The answers of GET that the children of this host have given, ready to be given again as long as
 * they are true: as long as nothing that any of them knows of has changed the talk's counts. */
#ifndef RATINGS_SERVICE_CACHE_H
#define RATINGS_SERVICE_CACHE_H

#include "ratings.h"

#define RATINGS_ENTITY_MAX                                                                         \
    256 /* five counts and a total of 19 digits, and an average, take 216                          \
         */
#define RATINGS_ETAG_SIZE 32

/* A body and its entity tag, with quotes. */
typedef struct {
    uint32_t length;
    char etag[RATINGS_ETAG_SIZE];
    char body[RATINGS_ENTITY_MAX];
} ratings_entity_t;

/* Looks the talk's answer up; true if it is as good as one read from the store now, but for what
 * other hosts apply, which it may miss for a second, and edits of the store by hand, which it may
 * miss for RatingsCacheTTL. */
bool ratings_cache_find(const ratings_child_t *child, const char *talk_id,
                        ratings_entity_t *entity);

/* Keeps the answer that was made of `summary`, if it can be of use again. */
void ratings_cache_keep(const ratings_call_t *call, const char *talk_id,
                        const ratings_summary_t *summary, const ratings_entity_t *entity);

/* Of a record in the table (RATINGS_MEMO_ANSWERS), in bytes. */
#define RATINGS_CACHE_SIZE 584

#endif
