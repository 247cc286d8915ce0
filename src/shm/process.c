#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PID_BITS 22 /* /proc/sys/kernel/pid_max is 2^22 at most */
#define PID_MASK ((UINT64_C(1) << PID_BITS) - 1)
#define START_MASK ((UINT64_C(1) << (RATINGS_PROCESS_BITS - PID_BITS)) - 1)
#define STAT_MAX 1024

/* What /proc says of it after its name, which may hold anything but ends with the last parenthesis:
 * the third field on. False: there is none, or it cannot be read. */
static bool read_stat(long pid, char fields[STAT_MAX])
{
    char path[64], text[STAT_MAX];
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t length = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    const char *end = strrchr(text, ')');
    if (!end || end[1] != ' ')
        return false;
    memcpy(fields, end + 2, strlen(end + 2) + 1);
    return true;
}

/* The number that is the `wanted`th field of all, or 0. */
static uint64_t field_of(const char *fields, int wanted)
{
    for (int field = 3; field < wanted && fields; field++) {
        fields = strchr(fields, ' ');
        fields = fields ? fields + 1 : NULL;
    }
    return fields ? strtoull(fields, NULL, 10) : 0;
}

#define THREADS_FIELD 20
#define START_FIELD 22 /* in ticks since the machine started */

/* Never 0, which says that it is not known. */
static uint64_t start_of(const char *fields)
{
    return field_of(fields, START_FIELD) % START_MASK + 1;
}

/* Its first thread is, while others may still be ending. */
static bool is_zombie(const char *fields)
{
    return (fields[0] == 'Z' || fields[0] == 'X') && field_of(fields, THREADS_FIELD) <= 1;
}

uint64_t ratings_process_self(void)
{
    char fields[STAT_MAX];
    uint64_t start = read_stat((long)getpid(), fields) ? start_of(fields) : 0;
    return start << PID_BITS | ((uint64_t)getpid() & PID_MASK);
}

bool ratings_process_is_dead(uint64_t id)
{
    char fields[STAT_MAX];
    long pid = (long)(id & PID_MASK);
    uint64_t start = id >> PID_BITS;
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return true;
    if (!read_stat(pid, fields))
        return false;
    return is_zombie(fields) || (start != 0 && start_of(fields) != start);
}
