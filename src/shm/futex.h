/* Sleeping on a word of memory, and waking those who sleep on it: futex(2).
 *
 * A futex needs no object beside the word: nothing is to be initialised, so that all-zero shared
 * memory is ready for use, and nothing stays locked when a process is killed. A process-shared
 * condition variable of POSIX has neither property: a waiter that is killed can block the others
 * for good, and one of another build of libc may have another layout.
 * https://man7.org/linux/man-pages/man2/futex.2.html
 *
 * The caller reads the word, then looks at what it waits for, then sleeps until the word is no
 * longer what it read: whatever happens between the two ends the sleep at once. A sleep may also
 * end for no reason. Any thread. Times are microseconds. */
#ifndef RATINGS_SHM_FUTEX_H
#define RATINGS_SHM_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

/* A word in shared memory, on which threads of several processes sleep. Sleeps until it is no
 * longer `seen`, or for `timeout` (not at all if that is not positive). */
void ratings_shm_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout);

/* Adds one to the word, and wakes all who sleep on it, in every process. */
void ratings_shm_wake(_Atomic uint32_t *word);

/* The same for a word of this process on which one thread sleeps; who wakes it has changed the word
 * before. May be called when the word's memory was freed meanwhile: the kernel then finds nobody,
 * or wakes a thread for no reason. */
void ratings_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout);
void ratings_futex_wake(_Atomic uint32_t *word);

#endif
