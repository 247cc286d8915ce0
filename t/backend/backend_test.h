/* What the tests of backends share: time, threads that call, and the end of every thread. */
#ifndef RATINGS_T_BACKEND_TEST_H
#define RATINGS_T_BACKEND_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/backend/common/deadline.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* No test may hang: SIGALRM ends the program then. */
#define TEST_SECONDS 180

static inline int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void pause_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* No deadline but the backend's own timeout. */
#define NO_DEADLINE INT64_MAX

/* What a caller allows whose own deadline is `ms` away. */
static inline int64_t deadline_in(int64_t ms)
{
    return ratings_monotonic() + ms * 1000;
}

/* Waits until `condition` holds, for 10 s at most. */
#define AWAIT(condition)                                                                           \
    do {                                                                                           \
        int64_t await_end_ = now_ms() + 10000;                                                     \
        while (!(condition) && now_ms() < await_end_)                                              \
            pause_ms(2);                                                                           \
        assert_true(condition);                                                                    \
    } while (0)

/* ---- times ---- */

#define TICK_MS INT64_C(5)
#define STALLS_MAX 64

/* When the machine stood still, as virtual ones do at times, and for how long. */
static struct {
    _Atomic int64_t at, ms;
} stalls[STALLS_MAX];
static atomic_uint stalls_seen;

static inline void *watch_for_stalls(void *data)
{
    for (;;) {
        int64_t begin = now_ms();
        pause_ms(TICK_MS);
        int64_t late = now_ms() - begin - TICK_MS;
        if (late < 4 * TICK_MS)
            continue;
        unsigned i = atomic_fetch_add(&stalls_seen, 1) % STALLS_MAX;
        stalls[i].at = begin;
        stalls[i].ms = late;
    }
    return data;
}

static inline int64_t stalled_in_the_last(int64_t ms)
{
    int64_t sum = 0, since;
    pause_ms(4 * TICK_MS); /* in which the one that was just over is seen */
    since = now_ms() - ms - 8 * TICK_MS;
    for (int i = 0; i < STALLS_MAX; i++)
        sum += stalls[i].at + stalls[i].ms >= since ? stalls[i].ms : 0;
    return sum;
}

/* What has just ended took `low`..`high` milliseconds, but for those in which the machine stood
 * still. */
#define assert_took(took, low, high)                                                               \
    do {                                                                                           \
        int64_t took_ = (took), low_ = (low);                                                      \
        assert_true(took_ >= low_);                                                                \
        if (took_ > (high))                                                                        \
            took_ -= stalled_in_the_last(took_);                                                   \
        assert_in_range(took_ < low_ ? low_ : took_, low_, high);                                  \
    } while (0)

/* For how long this thread has waited since it began, but for a constant: neither ran, nor was to
 * run while the machine had others to run. By the kernel's account (/proc/[pid]/schedstat:
 * nanoseconds of the two), so that a busy machine is no reason for more. */
static inline int64_t waited_ms(void)
{
    int64_t ran, queued;
    FILE *account = fopen("/proc/thread-self/schedstat", "r");
    assert_non_null(account);
    assert_int_equal(fscanf(account, "%" SCNd64 " %" SCNd64, &ran, &queued), 2);
    fclose(account);
    return now_ms() - (ran + queued) / 1000000;
}

/* ---- what is there ---- */

/* A port of loopback that nobody listens on. */
static inline int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* What comes out of a pipe until it ends: as much of its end as there is room for, half of `size`
 * at least. */
static inline void read_end(FILE *pipe, char *text, size_t size)
{
    size_t len = 0, got, half = size / 2;
    while ((got = fread(text + len, 1, size - 1 - len, pipe)) > 0) {
        len += got;
        if (len <= half)
            continue;
        memmove(text, text + len - half, half);
        len = half;
    }
    text[len] = '\0';
}

static inline int entries(const char *directory)
{
    DIR *dir = opendir(directory);
    int count = 0;
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

static inline int open_files(void)
{
    return entries("/proc/self/fd");
}

/* Whether SIGSTOP has reached each thread. */
static inline bool is_stopped(pid_t pid)
{
    char path[300], state = 'T';
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; state == 'T' && (entry = readdir(dir)) != NULL;) {
        (void)snprintf(path, sizeof path, "/proc/%d/task/%s/stat", (int)pid, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file) {
            assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
            fclose(file);
        }
    }
    closedir(dir);
    return state == 'T';
}

static inline void stop_process(pid_t pid)
{
    assert_int_equal(kill(pid, SIGSTOP), 0);
    AWAIT(is_stopped(pid));
}

static int threads_at_begin;

/* That which watches for stalls is there from now on, and so is one that a sanitizer may add with
 * the first of ours. */
static inline void count_threads(void)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, watch_for_stalls, NULL), 0);
    pthread_detach(thread);
    threads_at_begin = entries("/proc/self/task");
}

/* Those begun since. */
static inline int threads(void)
{
    return entries("/proc/self/task") - threads_at_begin;
}

#endif
