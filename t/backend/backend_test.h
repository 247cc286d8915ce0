/* What the tests of backends share: time, threads that call, and the end of every thread. */
#ifndef RATINGS_T_BACKEND_TEST_H
#define RATINGS_T_BACKEND_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <pthread.h>
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

static inline int threads(void)
{
    return entries("/proc/self/task");
}

#endif
