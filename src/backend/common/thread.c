#include "thread.h"

#include <signal.h>

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

int ratings_thread_start(void *(*run)(void *data), void *data)
{
    pthread_t thread;
    pthread_attr_t detached;
    sigset_t before;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    ratings_thread_block_signals(&before);
    int error = pthread_create(&thread, &detached, run, data);
    ratings_thread_restore_signals(&before);
    pthread_attr_destroy(&detached);
    return error;
}
