/* Threads that are not made with the child, and so not under its signal mask: all of them have all
 * signals blocked, since those that end or restart a child are for the threads of httpd. Any
 * thread. */
#ifndef RATINGS_COMMON_THREAD_H
#define RATINGS_COMMON_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

/* Starts a thread that is to be joined. 0, or a code of errno. */
int ratings_thread_create(pthread_t *thread, void *(*run)(void *data), void *data);

/* Starts a detached thread, for a call of a library that has no deadline: the caller waits for the
 * result no longer than its own deadline, and the thread ends when the library lets it. What the
 * thread uses must be its own, or counted (refobj.h). 0, or a code of errno. */
int ratings_thread_start(void *(*run)(void *data), void *data);

/* ---- threads that nobody joins, and the end of the process ---- */

/* Counts a thread that may be inside a library when the process ends, before it is made. Those of
 * ratings_thread_start are counted already. */
void ratings_thread_enter(void);

/* In that thread: it is inside no library from here on. What OpenSSL keeps for the thread is freed,
 * so that it is not freed by the exit of the process at the same time
 * (https://docs.openssl.org/3.0/man3/OPENSSL_init_crypto/). */
void ratings_thread_leave(void);

/* From now on, while any such thread runs, an exit of this process is an _exit with the same
 * status: exit handlers of libraries free what these threads use (OPENSSL_cleanup). It skips the
 * handlers that are registered already, and no later ones. For a child of httpd, once; an exit
 * inside a signal handler included. False: out of memory. */
bool ratings_thread_handle_exit(void);

/* ---- signals ---- */

/* Keeps signals from the calling thread until they are restored. Under prefork httpd ends a child
 * within its handler for SIGTERM: a lock that the end takes as well, and that is held for longer
 * than a moment, is held between these two. */
void ratings_thread_block_signals(sigset_t *before);
void ratings_thread_restore_signals(const sigset_t *before);

#endif
