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

/* The 22nd field of all: when it started, in ticks since the machine did. */
static uint64_t start_of(const char *fields)
{
    for (int field = 3; field < 22 && fields; field++) {
        fields = strchr(fields, ' ');
        fields = fields ? fields + 1 : NULL;
    }
    return fields ? strtoull(fields, NULL, 10) & START_MASK : 0;
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
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return true;
    if (!read_stat(pid, fields))
        return false;
    return fields[0] == 'Z' || fields[0] == 'X' || start_of(fields) != id >> PID_BITS;
}
