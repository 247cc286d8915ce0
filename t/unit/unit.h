/* cmocka, and tables of cases: each row of a table becomes one test with a name of its own. */
#ifndef RATINGS_UNIT_H
#define RATINGS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A string literal and its length, NUL bytes in it counted. */
#define BYTES(literal) (literal), sizeof(literal) - 1

#define ROWS(table) (table), sizeof(table) / sizeof *(table), sizeof *(table)

#define UNIT_TESTS_MAX 256

typedef struct {
    struct CMUnitTest tests[UNIT_TESTS_MAX];
    size_t count;
} unit_suite_t;

static inline void unit_add(unit_suite_t *suite, const char *name, CMUnitTestFunction test,
                            void *state)
{
    if (suite->count == UNIT_TESTS_MAX)
        abort();
    suite->tests[suite->count++] = (struct CMUnitTest){name, test, NULL, NULL, state};
}

/* The first member of a row is its name, a const char *. */
static inline void unit_add_rows(unit_suite_t *suite, CMUnitTestFunction test, void *rows,
                                 size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        void *row = (char *)rows + i * size;
        const char *name;

        memcpy(&name, row, sizeof name);
        unit_add(suite, name, test, row);
    }
}

static inline int unit_run(const char *group, const unit_suite_t *suite)
{
    return _cmocka_run_group_tests(group, suite->tests, suite->count, NULL, NULL);
}

/* An exact copy on the heap, so that a read beyond its end is seen by ASan. */
static inline char *unit_copy(const char *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    return copy;
}

/* Appends to the text in `out`, which has room for `size` bytes. */
static inline void unit_append(char *out, size_t size, const char *text)
{
    size_t len = strlen(out), more = strlen(text);

    assert_true(len + more < size);
    memcpy(out + len, text, more + 1);
}

/* `expected` NULL: there must be no problem. */
static inline void assert_problem(const char *problem, const char *expected)
{
    if (expected && problem)
        assert_string_equal(problem, expected);
    else if (problem)
        fail_msg("unexpected problem: %s", problem);
    else if (expected)
        fail_msg("accepted, but: %s", expected);
}

#endif
