#include "rebuild_state.h"

#include "segment.h"

void ratings_shm_request_rebuild(ratings_shm_t *shared, ratings_rebuild_request_e request)
{
    atomic_store(&shared->rebuild_request, (uint32_t)request);
}

void ratings_shm_set_progress(ratings_shm_t *shared, const ratings_progress_t *progress)
{
    atomic_store(&shared->rebuild.applied, progress->applied);
    atomic_store(&shared->rebuild.total, progress->total);
    atomic_store(&shared->rebuild.seconds_left, progress->seconds_left);
}

ratings_progress_t ratings_shm_progress(const ratings_shm_t *shared)
{
    return (ratings_progress_t){atomic_load(&shared->rebuild.applied),
                                atomic_load(&shared->rebuild.total),
                                atomic_load(&shared->rebuild.seconds_left)};
}
