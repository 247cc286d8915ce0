/* The answers of GET that the children of this host have given, ready to be given again as long as
 * they are true: as long as nothing that any of them knows of has changed the talk's counts. */
#ifndef RATINGS_SERVICE_CACHE_H
#define RATINGS_SERVICE_CACHE_H

#include "ratings.h"

#define RATINGS_ENTITY_MAX 256 /* five counts, their sum and an average take some 200 */
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
bool ratings_response_cache_get(const ratings_service_t *service, const char *talk_id,
                                ratings_entity_t *entity);

/* Keeps the answer that was made of `summary`, if it can be of use again. */
void ratings_response_cache_put(const ratings_call_t *call, const char *talk_id,
                                const ratings_summary_t *summary, const ratings_entity_t *entity);

extern const ratings_shm_cache_geometry_t
    ratings_response_cache_geometry; /* of RATINGS_CACHE_RESPONSES */

#endif
