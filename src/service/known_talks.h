/* Private to service: what a child knows of all talks, and of their ranking, for lists of talks. As
 * old as RatingsTalkTTL says, and a second at most.
 *
 * Request threads. */
#ifndef RATINGS_SERVICE_KNOWN_TALKS_H
#define RATINGS_SERVICE_KNOWN_TALKS_H

#include "use_cases.h"

#include <apr_hash.h>

struct ratings_known_talks_t {
    ratings_known_t known;
    ratings_talk_list_t list;
    apr_hash_t *by_id; /* ratings_talk_t of the list */
};

/* Of the talks of a list. */
typedef struct {
    ratings_known_t known;
    int64_t list_read_at; /* which list */
    int64_t *ranks;       /* in its order, the best first; RATINGS_NEVER: it is not ranked */
} ratings_known_ranks_t;

/* To be released. NULL: nothing could be read; failure.why says why. */
ratings_known_talks_t *ratings_known_talks(ratings_call_t *call);
ratings_known_ranks_t *ratings_known_ranks(ratings_call_t *call,
                                           const ratings_known_talks_t *talks);

/* NULL is allowed. */
void ratings_known_talks_release(ratings_call_t *call, ratings_known_talks_t *talks);
void ratings_known_ranks_release(ratings_call_t *call, ratings_known_ranks_t *ranks);

#endif
