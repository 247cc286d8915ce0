#include "shutdown.h"

#include "../backend/common/thread.h"
#include "../core/clock.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#define SHUTDOWN_TIMEOUT_US 2000000

typedef struct {
    ratings_shutdown_fn *shut_down;
    void *context;
    sem_t asked, done;
} shutdown_t;

static void *shut_down_when_asked(void *data)
{
    shutdown_t *shutdown = data;
    while (sem_wait(&shutdown->asked) != 0 && errno == EINTR)
        ;
    shutdown->shut_down(shutdown->context);
    ratings_thread_leave();
    sem_post(&shutdown->done);
    return NULL;
}

/* Semaphores, since sem_post may be called in a signal handler (signal-safety(7)). */
static apr_status_t ask_and_wait(void *data)
{
    shutdown_t *shutdown = data;
    sem_post(&shutdown->asked);
    (void)ratings_sem_wait_within(&shutdown->done, SHUTDOWN_TIMEOUT_US);
    return APR_SUCCESS;
}

/* Its memory is never freed: the thread may be late, and outlive pchild. */
apr_status_t ratings_shutdown_register(apr_pool_t *pchild, ratings_shutdown_fn *shut_down,
                                       void *context)
{
    apr_pool_t *pool;
    pthread_t thread;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    shutdown_t *shutdown = apr_pcalloc(pool, sizeof *shutdown);
    shutdown->shut_down = shut_down;
    shutdown->context = context;
    sem_init(&shutdown->asked, 0, 0);
    sem_init(&shutdown->done, 0, 0);
    if (!ratings_thread_handle_exit())
        return APR_ENOMEM;
    ratings_thread_enter();
    apr_status_t status = pthread_create(&thread, NULL, shut_down_when_asked, shutdown);
    if (status != APR_SUCCESS)
        return status;
    pthread_detach(thread);
    apr_pool_pre_cleanup_register(pchild, shutdown, ask_and_wait);
    return APR_SUCCESS;
}
