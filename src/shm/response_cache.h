/* The response cache: bodies of GET that a child of this host has sent, for all of its children.
 *
 * An entry is valid while its validator holds (validator.h). It also ends with the look-up of its
 * talk, so that edits of PostgreSQL by hand are noticed, and when hidden results are to be shown.
 * Endpoints that hide results by different rules never see each other's entries.
 *
 * A hit takes no lock, makes no system call and writes nothing to shared memory. Any thread of any
 * child. Times are microseconds, points in time those of ratings_monotonic. */
#ifndef RATINGS_SHM_RESPONSE_CACHE_H
#define RATINGS_SHM_RESPONSE_CACHE_H

#include "../core/hiding.h"
#include "entity.h"
#include "segment.h"
#include "validator.h"

#include <stdbool.h>
#include <stdint.h>

/* What bounds the age of an entry; those of the caller's configuration, which may be newer than
 * that of who has put it. Neither is positive: the cache is off. */
typedef struct {
    int64_t response_ttl; /* since the store was read */
    int64_t talk_ttl;     /* since the talk was looked up */
} ratings_response_ttl_t;

/* The entity of a talk, from a fresh entry: as good as one that is made of the store now, but for
 * what other hosts apply, which it may miss for a second, and for edits by hand, which it may miss
 * for the time of `ttl`. False: `*entity` is untouched. */
bool ratings_response_cache_get(const ratings_shm_t *shared, const ratings_response_ttl_t *ttl,
                                const char *talk_id, ratings_hide_t rule, ratings_entity_t *entity);

/* Puts an entity that may be sent again, of an endpoint that hides results by `rule`.
 * `talk_known_at`: when the talk was looked up. */
void ratings_response_cache_put(ratings_shm_t *shared, const char *talk_id, ratings_hide_t rule,
                                const ratings_validator_t *validator, int64_t talk_known_at,
                                const ratings_entity_t *entity);

extern const ratings_shm_cache_geometry_t
    ratings_response_cache_geometry; /* of RATINGS_CACHE_RESPONSES */

#endif
