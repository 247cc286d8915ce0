#include "thread.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

void ratings_thread_block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

void ratings_thread_restore_signals(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

int ratings_thread_create(pthread_t *thread, void *(*run)(void *data), void *data)
{
    sigset_t before;
    ratings_thread_block_signals(&before);
    int error = pthread_create(thread, NULL, run, data);
    ratings_thread_restore_signals(&before);
    return error;
}

/* ---- threads that nobody joins ---- */

static atomic_int running;

void ratings_thread_enter(void)
{
    atomic_fetch_add(&running, 1);
}

void ratings_thread_leave(void)
{
    OPENSSL_thread_stop();
    atomic_fetch_sub(&running, 1);
}

static void exit_at_once(int status, void *unused)
{
    (void)unused;
    if (atomic_load(&running) > 0)
        _exit(status);
}

/* Not atexit, whose handlers a library takes with it when it is unloaded, by calling them. */
bool ratings_thread_handle_exit(void)
{
    return on_exit(exit_at_once, NULL) == 0;
}

typedef struct {
    void *(*run)(void *data);
    void *data;
} start_t;

static void *run_counted(void *data)
{
    start_t start = *(start_t *)data;
    free(data);
    void *result = start.run(start.data);
    ratings_thread_leave();
    return result;
}

static int start_detached(start_t *start)
{
    pthread_t thread;
    pthread_attr_t detached;
    sigset_t before;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    ratings_thread_block_signals(&before);
    int error = pthread_create(&thread, &detached, run_counted, start);
    ratings_thread_restore_signals(&before);
    pthread_attr_destroy(&detached);
    return error;
}

int ratings_thread_start(void *(*run)(void *data), void *data)
{
    start_t *start = malloc(sizeof *start);
    if (!start)
        return ENOMEM;
    *start = (start_t){run, data};
    ratings_thread_enter();
    int error = start_detached(start);
    if (error == 0)
        return 0;
    atomic_fetch_sub(&running, 1);
    free(start);
    return error;
}
