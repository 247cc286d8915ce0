/* Private to service: threads that work for no request, each for one task and short: who has asked
 * for it goes on. They are bounded by who asks: one for each cache of a child (known_cache.h).
 *
 * Not a thread that waits for tasks: there is none while nobody lists talks, and a task that waits
 * for one backend does not keep another's waiting. Any thread. */
#ifndef RATINGS_SERVICE_BACKGROUND_H
#define RATINGS_SERVICE_BACKGROUND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    _Atomic uint32_t under_way; /* all zero is its beginning */
} ratings_background_t;

typedef void ratings_background_fn(void *data);

/* Starts a thread that calls `run`. False: there is none, and `run` is not called. */
bool ratings_background_start(ratings_background_t *background, ratings_background_fn *run,
                              void *data);

/* Waits until no task is under way. None may be started any more, and what tasks wait for is to be
 * cancelled before. */
void ratings_background_join(ratings_background_t *background);

#endif
