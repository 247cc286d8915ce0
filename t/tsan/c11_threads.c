/* C11's threads as those of POSIX, for ThreadSanitizer: libtsan (gcc 12) intercepts pthread_create
 * and pthread_mutex_lock, not thrd_create and mtx_lock, by which librdkafka starts its threads and
 * guards its queues. A thread that it does not know ends the process at its first malloc, and locks
 * that it does not know order nothing. In glibc these types and functions are POSIX's with other
 * names. Preloaded after libtsan (t/run event-tsan). */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

#define EXPORT __attribute__((visibility("default")))

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "a mutex of glibc");
_Static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t), "a condition of glibc");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "a thread of glibc");

static int result_of(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case ENOMEM:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    case EBUSY:
        return thrd_busy;
    default:
        return thrd_error;
    }
}

/* ---- threads ---- */

typedef struct {
    thrd_start_t function;
    void *argument;
} start_t;

static void *run_thread(void *data)
{
    start_t start = *(start_t *)data;
    free(data);
    return (void *)(intptr_t)start.function(start.argument);
}

EXPORT int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    start_t *start = malloc(sizeof *start);
    if (!start)
        return thrd_nomem;
    *start = (start_t){function, argument};
    int error = pthread_create(thread, NULL, run_thread, start);
    if (error != 0)
        free(start);
    return result_of(error);
}

EXPORT int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    int error = pthread_join(thread, &value);
    if (result)
        *result = (int)(intptr_t)value;
    return result_of(error);
}

EXPORT int thrd_detach(thrd_t thread)
{
    return result_of(pthread_detach(thread));
}

EXPORT void call_once(once_flag *flag, void (*function)(void))
{
    (void)pthread_once((pthread_once_t *)flag, function);
}

/* ---- mutexes ---- */

static pthread_mutex_t *posix_mutex(mtx_t *mutex)
{
    return (pthread_mutex_t *)(void *)mutex;
}

EXPORT int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    if (type & mtx_recursive)
        pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    int error = pthread_mutex_init(posix_mutex(mutex), &attributes);
    pthread_mutexattr_destroy(&attributes);
    return result_of(error);
}

EXPORT void mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy(posix_mutex(mutex));
}

EXPORT int mtx_lock(mtx_t *mutex)
{
    return result_of(pthread_mutex_lock(posix_mutex(mutex)));
}

EXPORT int mtx_trylock(mtx_t *mutex)
{
    return result_of(pthread_mutex_trylock(posix_mutex(mutex)));
}

EXPORT int mtx_unlock(mtx_t *mutex)
{
    return result_of(pthread_mutex_unlock(posix_mutex(mutex)));
}

/* ---- conditions ---- */

static pthread_cond_t *posix_condition(cnd_t *condition)
{
    return (pthread_cond_t *)(void *)condition;
}

EXPORT int cnd_init(cnd_t *condition)
{
    return result_of(pthread_cond_init(posix_condition(condition), NULL));
}

EXPORT void cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy(posix_condition(condition));
}

EXPORT int cnd_signal(cnd_t *condition)
{
    return result_of(pthread_cond_signal(posix_condition(condition)));
}

EXPORT int cnd_broadcast(cnd_t *condition)
{
    return result_of(pthread_cond_broadcast(posix_condition(condition)));
}

EXPORT int cnd_wait(cnd_t *condition, mtx_t *mutex)
{
    return result_of(pthread_cond_wait(posix_condition(condition), posix_mutex(mutex)));
}

EXPORT int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until)
{
    return result_of(pthread_cond_timedwait(posix_condition(condition), posix_mutex(mutex), until));
}
