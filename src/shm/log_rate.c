#include "log_rate.h"

#include "segment.h"

#define LOG_US INT64_C(10000000)

bool ratings_shm_may_log(ratings_shm_t *shared, ratings_line_e line, int64_t now)
{
    int64_t last = atomic_load(&shared->logged_at[line]);
    return (last == 0 || now - last >= LOG_US) &&
           atomic_compare_exchange_strong(&shared->logged_at[line], &last, now);
}
