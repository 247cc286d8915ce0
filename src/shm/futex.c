#include "futex.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(_Atomic uint32_t) == 4, "a futex is 32 bits");

static void futex_wait(_Atomic uint32_t *word, int operation, uint32_t seen, int64_t timeout)
{
    struct timespec relative = {timeout / 1000000, (timeout % 1000000) * 1000};
    if (timeout > 0)
        (void)syscall(SYS_futex, word, operation, seen, &relative, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int operation, int sleepers)
{
    (void)syscall(SYS_futex, word, operation, sleepers, NULL, NULL, 0);
}

void ratings_shm_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout)
{
    futex_wait(word, FUTEX_WAIT, seen, timeout);
}

void ratings_shm_wake(_Atomic uint32_t *word)
{
    atomic_fetch_add(word, 1);
    futex_wake(word, FUTEX_WAKE, INT_MAX);
}

void ratings_futex_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout)
{
    futex_wait(word, FUTEX_WAIT_PRIVATE, seen, timeout);
}

void ratings_futex_wake(_Atomic uint32_t *word)
{
    futex_wake(word, FUTEX_WAKE_PRIVATE, 1);
}
