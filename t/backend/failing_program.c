/* What makes a program fail or be lied to (failing.h, lying_redis.h): RATINGS_FAILING=CALL, or
 * RATINGS_LIE=KIND:PART. The file RATINGS_REACHED is there once the program has ended, if it came
 * so far. */
#include "../unit/failing.h"
#include "lying_redis.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_lied_to;

static __attribute__((constructor)) void begin(void)
{
    const char *call = getenv("RATINGS_FAILING"), *lie = getenv("RATINGS_LIE");
    char *part = NULL;
    long kind = lie ? strtol(lie, &part, 10) : 0;
    is_lied_to = lie != NULL;
    if (lie)
        lying_begin((lie_e)kind, strtol(part + 1, NULL, 10));
    if (call)
        failing_begin(strtoul(call, NULL, 10));
}

static __attribute__((destructor)) void end(void)
{
    const char *path = getenv("RATINGS_REACHED");
    bool has_failed = failing_end(), was_told = is_lied_to && lying_end();
    if (path && (has_failed || was_told))
        (void)close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}
