/* Private to service: what a child knows of all talks, and of their ranking, for lists of talks: as
 * old as RatingsTalkTTL says, and a second at most. Half of that time over, the next request starts
 * a thread that reads it anew (background.h), and is answered with what is known. A request waits
 * if nothing is known, or what is known is too old: one of them reads, for all.
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

/* To be released. NULL: nothing could be read; failure.why says why. */
ratings_known_talks_t *ratings_known_talks(ratings_call_t *call);

void ratings_known_talks_release(ratings_call_t *call,
                                 ratings_known_talks_t *talks); /* NULL is allowed */

/* The ranks of the talks, in the order of their list, in the call's pool: the best talk has the
 * lowest; RATINGS_NEVER: it is not ranked. NULL as above. */
int64_t *ratings_known_ranks(ratings_call_t *call, ratings_known_talks_t *talks);

#endif
