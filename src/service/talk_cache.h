/* Whether a talk exists, and when it may be rated: asked of PostgreSQL, and remembered for all
 * children of the host, since the list of talks seldom changes and every request needs it. */
#ifndef RATINGS_SERVICE_TALK_CACHE_H
#define RATINGS_SERVICE_TALK_CACHE_H

#include "use_cases.h"

/* RATINGS_OUTCOME_DONE if the talk exists, or did when it was looked up last, less than
 * RatingsTalkTTL ago; sets the call's talk_known_at and window. RATINGS_OUTCOME_NO_TALK: that is
 * not cached, so that a talk which is added can be rated at once. RATINGS_OUTCOME_UNAVAILABLE:
 * PostgreSQL could not say. Request threads only. */
ratings_outcome_e ratings_talk_lookup(ratings_call_t *call, const char *talk_id);

extern const ratings_shm_cache_geometry_t ratings_talk_cache_geometry; /* of RATINGS_CACHE_TALKS */

#endif
