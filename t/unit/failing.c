#include "failing.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- which one ---- */

static atomic_long until_failure; /* 0 and below: none of those that come fails */
static _Atomic(const char *) failed;

void failing_begin(size_t call)
{
    atomic_store(&failed, NULL);
    atomic_store(&until_failure, (long)call);
}

bool failing_end(void)
{
    atomic_store(&until_failure, 0);
    return failing_name() != NULL;
}

const char *failing_name(void)
{
    return atomic_load(&failed);
}

bool failing_now(const char *name)
{
    if (atomic_load(&until_failure) <= 0 || atomic_fetch_sub(&until_failure, 1) != 1)
        return false;
    atomic_store(&failed, name);
    errno = ENOMEM;
    return true;
}

/* ---- memory, and what else the system gives ---- */

MAY_FAIL(malloc, void *, NULL, (size_t size), (size))
MAY_FAIL(calloc, void *, NULL, (size_t count, size_t size), (count, size))
MAY_FAIL(realloc, void *, NULL, (void *memory, size_t size), (memory, size))
MAY_FAIL(strdup, char *, NULL, (const char *text), (text))
MAY_FAIL(strndup, char *, NULL, (const char *text, size_t length), (text, length))
MAY_FAIL(open_memstream, FILE *, NULL, (char **text, size_t *length), (text, length))
MAY_FAIL(eventfd, int, -1, (unsigned value, int flags), (value, flags))
MAY_FAIL(getentropy, int, -1, (void *to, size_t size), (to, size))
MAY_FAIL(pthread_create, int, EAGAIN,
         (pthread_t * thread, const pthread_attr_t *with, void *(*run)(void *), void *data),
         (thread, with, run, data))
