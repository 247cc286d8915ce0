/* Threads for calls of a library that has no deadline: the caller waits for the result no longer
 * than its own deadline, and the thread ends when the library lets it. Any thread. */
#ifndef RATINGS_COMMON_THREAD_H
#define RATINGS_COMMON_THREAD_H

/* Starts a detached thread, with all signals blocked: those that end or restart a child are for the
 * threads of httpd. What the thread uses must be its own, or counted (refobj.h). 0, or a code of
 * errno. */
int ratings_thread_start(void *(*run)(void *data), void *data);

#endif
