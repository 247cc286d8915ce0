#include "assertion.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void ratings_assertion_failed(const char *file, int line, const char *function,
                              const char *condition)
{
    /* not through stderr: httpd in the background has one that is buffered, which abort leaves
     * unwritten */
    dprintf(STDERR_FILENO, "mod_ratings: %s:%d: %s: assertion failed: %s\n", file, line, function,
            condition);
    abort();
}
