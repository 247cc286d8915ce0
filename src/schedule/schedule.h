/* The talks of a conference's schedule, as its planning tool exports it. Pure: reads memory, asks
 * no server and follows no address that the file names. One thread. */
#ifndef RATINGS_SCHEDULE_H
#define RATINGS_SCHEDULE_H

#include "schedule_fault.h"
#include "schedule_relative.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_SIZE_MAX ((size_t)16 * 1024 * 1024) /* bytes of a file */
#define SCHEDULE_TALKS_MAX 20000
#define SCHEDULE_SPEAKERS_MAX 100
#define SCHEDULE_TEXT_MAX 255 /* characters of a title, a name, a room */
#define SCHEDULE_URL_MAX 2000

#define SCHEDULE_NO_TIME INT64_MIN

/* What a talk is named by. */
typedef enum {
    SCHEDULE_BY_CODE, /* the last part of its url: the same in each export of a tool */
    SCHEDULE_BY_GUID, /* JSON and XML have it */
    SCHEDULE_BY_UID   /* iCalendar and xCal have it */
} schedule_id_e;

/* What else is known of a talk. A format that lacks one says nothing of it. */
enum {
    SCHEDULE_HAS_SPEAKERS = 1 << 0,
    SCHEDULE_HAS_ROOM = 1 << 1,
    SCHEDULE_HAS_TRACK = 1 << 2,
    SCHEDULE_HAS_LANGUAGE = 1 << 3,
    SCHEDULE_HAS_URL = 1 << 4,
    SCHEDULE_HAS_TIMES = 1 << 5,
    SCHEDULE_HAS_OPENS = 1 << 6, /* by the options */
    SCHEDULE_HAS_CLOSES = 1 << 7,
};

typedef struct {
    schedule_id_e id;
    const char *zone;                  /* of times that name none, like Europe/Berlin; or NULL */
    schedule_relative_t opens, closes; /* the window */
} schedule_options_t;

/* Texts are valid UTF-8 without control characters, and not empty. */
typedef struct {
    char *id, *title;
    char *room, *track, *language, *url; /* NULL: none */
    char **speakers;
    size_t speakers_count;
    int64_t starts_at, ends_at; /* seconds since 1970, or SCHEDULE_NO_TIME */
    int64_t opens_at, closes_at;
} schedule_talk_t;

typedef struct {
    const char *kind; /* as people name the format (static) */
    unsigned fields;  /* SCHEDULE_HAS_... */
    schedule_talk_t *talks;
    size_t count;
} schedule_t;

/* Reads `len` bytes, behind which is a NUL, in whichever of the formats it is. `*out` must be freed
 * in any case. False, and the fault: it is in none, or breaks its rules, or has no talk, or more
 * than the limits above allow. A talk that has several slots is one: it begins with the first, and
 * its window ends with the last. */
bool schedule_read(const char *text, size_t len, const schedule_options_t *options, schedule_t *out,
                   schedule_fault_t *fault);
void schedule_free(schedule_t *schedule);

#endif
