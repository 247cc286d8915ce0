#include "assertion.h"

#include <stdio.h>
#include <stdlib.h>

void ratings_assertion_failed(const char *file, int line, const char *function,
                              const char *condition)
{
    fprintf(stderr, "mod_ratings: %s:%d: %s: assertion failed: %s\n", file, line, function,
            condition);
    abort();
}
