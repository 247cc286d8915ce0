#include "append_time.h"

ratings_append_time_e ratings_append_time(const ratings_shm_t *shared)
{
    return (ratings_append_time_e)atomic_load(&shared->append_time);
}

/* Nothing if it is not `from` any more. */
static void change(ratings_shm_t *shared, uint32_t from, ratings_append_time_e to)
{
    (void)atomic_compare_exchange_strong(&shared->append_time, &from, (uint32_t)to);
}

ratings_append_time_e ratings_append_time_note_settings(ratings_shm_t *shared,
                                                        ratings_append_time_e said)
{
    ratings_append_time_e known = ratings_append_time(shared);
    if (said == RATINGS_APPEND_TIME_NOT_KEPT)
        known = (ratings_append_time_e)atomic_exchange(&shared->append_time, (uint32_t)said);
    if (said == RATINGS_APPEND_TIME_KEPT)
        change(shared, RATINGS_APPEND_TIME_NOT_KEPT, RATINGS_APPEND_TIME_DENIED);
    return known;
}

void ratings_append_time_note_log(ratings_shm_t *shared)
{
    change(shared, RATINGS_APPEND_TIME_UNKNOWN, RATINGS_APPEND_TIME_KEPT);
}

/* What the settings deny no record shows: it may have been appended before they did. */
void ratings_append_time_note_record(ratings_shm_t *shared, bool has_append_time)
{
    uint32_t shown = has_append_time ? RATINGS_APPEND_TIME_KEPT : RATINGS_APPEND_TIME_DENIED;
    uint32_t known = atomic_load_explicit(&shared->append_time, memory_order_relaxed);
    while (known != shown && known != RATINGS_APPEND_TIME_NOT_KEPT &&
           !atomic_compare_exchange_weak(&shared->append_time, &known, shown))
        ;
}

void ratings_append_time_deny(ratings_shm_t *shared)
{
    change(shared, RATINGS_APPEND_TIME_KEPT, RATINGS_APPEND_TIME_DENIED);
}
