#include "background.h"

#include "../backend/common/thread.h"
#include "../shm/futex.h"

#include <stdlib.h>

#define JOIN_POLL_US INT64_C(1000000) /* it is woken before */

typedef struct {
    ratings_background_t *background;
    ratings_background_fn *run;
    void *data;
} task_t;

/* Once the count has gone down, the child may be freed: ratings_futex_wake allows for that. */
static void end_task(ratings_background_t *background)
{
    atomic_fetch_sub(&background->under_way, 1);
    ratings_futex_wake(&background->under_way);
}

static void *run_task(void *data)
{
    const task_t task = *(task_t *)data;
    free(data);
    task.run(task.data);
    end_task(task.background);
    return NULL;
}

bool ratings_background_start(ratings_background_t *background, ratings_background_fn *run,
                              void *data)
{
    task_t *task = malloc(sizeof *task);
    if (!task)
        return false;
    *task = (task_t){background, run, data};
    atomic_fetch_add(&background->under_way, 1);
    if (ratings_thread_start(run_task, task) == 0)
        return true;
    end_task(background);
    free(task);
    return false;
}

void ratings_background_join(ratings_background_t *background)
{
    uint32_t seen;
    while ((seen = atomic_load(&background->under_way)) > 0)
        ratings_futex_wait(&background->under_way, seen, JOIN_POLL_US);
}
