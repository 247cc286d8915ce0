/* What an exit of a process does while a thread of its own may be inside a library. */
#include "../../src/backend/common/thread.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS 7

static int handled[2]; /* a pipe */

static void note_handled(void)
{
    (void)!write(handled[1], "", 1);
}

/* ---- what the process has done when it exits ---- */

static void nothing(void)
{
}

static void *wait_for_ever(void *data)
{
    while (pause() == -1)
        ;
    return data;
}

static void start_a_thread_that_stays(void)
{
    if (ratings_thread_start(wait_for_ever, NULL) != 0)
        _exit(STATUS + 1);
}

static void *leave(void *data)
{
    ratings_thread_leave();
    return data;
}

static void see_a_thread_leave(void)
{
    pthread_t thread;
    ratings_thread_enter();
    if (pthread_create(&thread, NULL, leave, NULL) != 0 || pthread_join(thread, NULL) != 0)
        _exit(STATUS + 1);
}

static void enter_for_a_thread_that_is_not_made(void)
{
    ratings_thread_enter();
}

/* ---- its exit ---- */

typedef struct {
    const char *name;
    void (*prepare)(void);
    bool runs_handlers; /* those that were registered before */
} row_t;

static row_t rows[] = {
    {"an exit without such a thread runs what is registered", nothing, true},
    {"while one runs, the exit is at once, and of the same status", start_a_thread_that_stays,
     false},
    {"one that has left keeps nothing from running", see_a_thread_leave, true},
    {"one that was counted and not made is taken for one that runs",
     enter_for_a_thread_that_is_not_made, false},
};

static void run_process(const row_t *row)
{
    if (atexit(note_handled) != 0 || !ratings_thread_handle_exit())
        _exit(STATUS + 1);
    row->prepare();
    exit(STATUS);
}

static void exit_of_a_process(void **state)
{
    char byte;
    int status;
    assert_int_equal(pipe(handled), 0);
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        run_process(*state);
    (void)close(handled[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), STATUS);
    assert_int_equal(read(handled[0], &byte, 1), ((const row_t *)*state)->runs_handlers ? 1 : 0);
    (void)close(handled[0]);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, exit_of_a_process, ROWS(rows));
    return unit_run("thread", &suite);
}
