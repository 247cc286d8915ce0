/* Threads that are not made with the child, and so not under its signal mask: all of them have all
 * signals blocked, since those that end or restart a child are for the threads of httpd. Any
 * thread. */
#ifndef RATINGS_COMMON_THREAD_H
#define RATINGS_COMMON_THREAD_H

#include <pthread.h>
#include <signal.h>

/* Starts a thread that is to be joined. 0, or a code of errno. */
int ratings_thread_create(pthread_t *thread, void *(*run)(void *data), void *data);

/* Starts a detached thread, for a call of a library that has no deadline: the caller waits for the
 * result no longer than its own deadline, and the thread ends when the library lets it. What the
 * thread uses must be its own, or counted (refobj.h). 0, or a code of errno. */
int ratings_thread_start(void *(*run)(void *data), void *data);

/* Keeps signals from the calling thread until they are restored. Under prefork httpd ends a child
 * within its handler for SIGTERM: a lock that the end takes as well, and that is held for longer
 * than a moment, is held between these two. */
void ratings_thread_block_signals(sigset_t *before);
void ratings_thread_restore_signals(const sigset_t *before);

#endif
