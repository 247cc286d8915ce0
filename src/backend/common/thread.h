/* Threads for calls of a library that knows no deadline: whoever needs the result waits for it no
 * longer than it may, and the thread goes when the library lets it. */
#ifndef RATINGS_COMMON_THREAD_H
#define RATINGS_COMMON_THREAD_H

/* Starts a thread that nobody joins, so that what it uses must be its own or be counted. It takes
 * no signals. 0, or a code of errno. */
int ratings_thread_start(void *(*run)(void *data), void *data);

#endif
