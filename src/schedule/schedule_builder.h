/* What the readers of formats share: a talk as the file has it becomes one of the list, with the
 * rules for all. One thread. */
#ifndef RATINGS_SCHEDULE_BUILDER_H
#define RATINGS_SCHEDULE_BUILDER_H

#include "schedule.h"

enum {
    SCHEDULE_GUID,
    SCHEDULE_UID,
    SCHEDULE_CODE, /* where the format has it beside the url */
    SCHEDULE_URL,
    SCHEDULE_TITLE,
    SCHEDULE_ROOM,
    SCHEDULE_TRACK,
    SCHEDULE_LANGUAGE,
    SCHEDULE_TEXTS
};

/* A talk as it stands in the file. Nothing in it is owned by it. */
typedef struct {
    int line;
    const char *text[SCHEDULE_TEXTS]; /* NULL: none */
    const char *speakers[SCHEDULE_SPEAKERS_MAX];
    size_t speakers_count;
    int64_t starts_at, ends_at; /* or SCHEDULE_NO_TIME */
} schedule_draft_t;

typedef struct {
    const char *text; /* the file; ends with a NUL that is not counted */
    size_t len;
    const schedule_options_t *options;
    schedule_t *schedule;
    schedule_fault_t *fault;
} schedule_reader_t;

void schedule_draft_init(schedule_draft_t *draft, int line);

/* One more speaker; NULL or an empty name is none. False, and the fault: too many. */
bool schedule_draft_speaker(schedule_reader_t *reader, schedule_draft_t *draft, const char *name);

/* Adds a copy. False, and the fault, which names the draft's line. */
bool schedule_add(schedule_reader_t *reader, const schedule_draft_t *draft);

/* After the last one: one talk for each id, in the order of their times. False, and the fault. */
bool schedule_finish(schedule_reader_t *reader);

/* The line in which `at` is; it points into the reader's text. */
int schedule_line_of(const schedule_reader_t *reader, const char *at);

/* ---- the formats: each reads the whole text into the list, and finishes nothing ---- */

bool schedule_read_json(schedule_reader_t *reader);
bool schedule_read_xml(schedule_reader_t *reader);
bool schedule_read_ical(schedule_reader_t *reader);
bool schedule_read_csv(schedule_reader_t *reader);

#endif
