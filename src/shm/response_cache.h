/* The response cache: bodies of GET that a child of this host has sent, for all of its children.
 *
 * An entry is valid while epoch and change counter of its talk are what they were when the store
 * was read for it, and while the applied watermark is confirmed (checkpoints.h): nothing that this
 * host knows of has changed the talk's counts since. It also ends with time, so that edits of the
 * store or of PostgreSQL by hand are noticed, and when hidden results are to be shown. Endpoints
 * that hide results by different rules never see each other's entries.
 *
 * A hit takes no lock, makes no system call and writes nothing to shared memory. Any thread of any
 * child. Times are microseconds, points in time those of ratings_monotonic. */
#ifndef RATINGS_SHM_RESPONSE_CACHE_H
#define RATINGS_SHM_RESPONSE_CACHE_H

#include "../core/hiding.h"
#include "entity.h"
#include "segment.h"

#include <stdbool.h>
#include <stdint.h>

/* For how long an entity is true: until its talk may have changed. */
typedef struct {
    bool is_cacheable; /* false: it may be sent once */
    int partition;     /* of the talk */
    ratings_changes_t changes;
    int64_t read_at; /* when the store was read, or before */
    int64_t until;   /* of ratings_wall_clock: when it hides what is to be shown; RATINGS_NEVER */
} ratings_validator_t;

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
