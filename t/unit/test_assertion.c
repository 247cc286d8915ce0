/* An assertion that fails names its place and ends the process; a release build does not evaluate
 * it. */
#include "../../src/core/assertion.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int evaluated;

static bool evaluates_to(bool value)
{
    evaluated++;
    return value;
}

static void holds(void **unused)
{
    (void)unused;
    evaluated = 0;
    RATINGS_ASSERT(evaluates_to(true));
    assert_int_equal(evaluated, RATINGS_ASSERTIONS);
}

/* In a process of its own, whose standard error is `out`. */
static void fail_in_child(int out)
{
    signal(SIGABRT, SIG_DFL); /* cmocka's handler would go on with the tests */
    dup2(out, STDERR_FILENO);
    RATINGS_ASSERT(evaluates_to(false));
    _exit(0);
}

static void fails(void **unused)
{
    (void)unused;
    char said[512] = "";
    int ends[2], status;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        fail_in_child(ends[1]);
    close(ends[1]);
    (void)!read(ends[0], said, sizeof said - 1);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!RATINGS_ASSERTIONS) {
        assert_int_equal(status, 0);
        return;
    }
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(said, "test_assertion.c:"));
    assert_non_null(strstr(said, "fail_in_child: assertion failed: evaluates_to(false)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(holds), cmocka_unit_test(fails)};
    return cmocka_run_group_tests_name("assertion", tests, NULL, NULL);
}
