/* A fuzz target: libFuzzer calls it with inputs of its own making (make fuzz), the replay driver
 * with those of the corpus (make unit). Each asserts what must hold of any input. */
#ifndef RATINGS_FUZZ_H
#define RATINGS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
