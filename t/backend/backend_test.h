/* What the tests of backends share: time, threads that call, and the end of every thread. */
#ifndef RATINGS_T_BACKEND_TEST_H
#define RATINGS_T_BACKEND_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/backend/deadline.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
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

static inline void *do_nothing(void *data)
{
    return data;
}

/* A sanitizer may add a thread of its own, with the first of ours. */
static inline void count_threads(void)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, do_nothing, NULL), 0);
    pthread_join(thread, NULL);
    threads_at_begin = entries("/proc/self/task");
}

/* Those begun since. */
static inline int threads(void)
{
    return entries("/proc/self/task") - threads_at_begin;
}

#endif
