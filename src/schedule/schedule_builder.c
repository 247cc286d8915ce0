#include "schedule_builder.h"

#include "../core/rating.h"
#include "schedule_text.h"

#include <stdlib.h>
#include <string.h>

void schedule_draft_init(schedule_draft_t *draft, int line)
{
    *draft = (schedule_draft_t){
        .line = line, .starts_at = SCHEDULE_NO_TIME, .ends_at = SCHEDULE_NO_TIME};
}

bool schedule_draft_speaker(schedule_reader_t *reader, schedule_draft_t *draft, const char *name)
{
    if (!name || !name[strspn(name, " \t\r\n")])
        return true;
    if (draft->speakers_count == SCHEDULE_SPEAKERS_MAX)
        return schedule_fail(reader->fault, draft->line, "speakers", "are more than %d",
                             SCHEDULE_SPEAKERS_MAX);
    draft->speakers[draft->speakers_count++] = name;
    return true;
}

int schedule_line_of(const schedule_reader_t *reader, const char *at)
{
    int line = 1;
    for (const char *c = reader->text; c < at; c++)
        line += *c == '\n';
    return line;
}

static void free_schedule_talk(schedule_talk_t *talk)
{
    free(talk->id);
    free(talk->title);
    free(talk->room);
    free(talk->track);
    free(talk->language);
    free(talk->url);
    for (size_t i = 0; i < talk->speakers_count; i++)
        free(talk->speakers[i]);
    free(talk->speakers);
}

void schedule_free(schedule_t *schedule)
{
    for (size_t i = 0; i < schedule->count; i++)
        free_schedule_talk(&schedule->talks[i]);
    free(schedule->talks);
    *schedule = (schedule_t){0};
}

/* ---- a talk's id ---- */

static const struct {
    int text;
    const char *field, *option;
} ids[] = {
    [SCHEDULE_BY_CODE] = {SCHEDULE_CODE, "url", "code"},
    [SCHEDULE_BY_GUID] = {SCHEDULE_GUID, "guid", "guid"},
    [SCHEDULE_BY_UID] = {SCHEDULE_UID, "uid", "uid"},
};

/* The id as it stands in the file, and its length; 0: it has none. */
static size_t find_id(const schedule_draft_t *draft, schedule_id_e rule, const char **id)
{
    const char *url = draft->text[SCHEDULE_URL];
    *id = draft->text[ids[rule].text];
    if (*id && **id)
        return strlen(*id);
    return rule == SCHEDULE_BY_CODE && url ? schedule_text_code(url, id) : 0;
}

/* By a URL that ends with . or .. browsers ask for a directory. */
static const char *problem_of_id(const char *id, size_t len)
{
    return len > 0 && len <= 2 && strncmp(id, "..", len) == 0 ? "no URL ends with it"
                                                              : ratings_talk_id_problem(id, len);
}

static bool take_id(schedule_reader_t *reader, const schedule_draft_t *draft, schedule_talk_t *talk)
{
    schedule_id_e rule = reader->options->id;
    const char *id;
    size_t len = find_id(draft, rule, &id);
    if (len == 0)
        return schedule_fail(reader->fault, draft->line, ids[rule].field,
                             "the talk has none, so that --id %s finds no id for it",
                             ids[rule].option);
    const char *problem = problem_of_id(id, len);
    if (problem)
        return schedule_fail(reader->fault, draft->line, ids[rule].field,
                             "cannot be the id of a talk: %s", problem);
    talk->id = strndup(id, len);
    return talk->id || schedule_no_memory(reader->fault);
}

/* ---- its texts ---- */

static const char *const names[SCHEDULE_TEXTS] = {
    [SCHEDULE_URL] = "url",     [SCHEDULE_TITLE] = "title",       [SCHEDULE_ROOM] = "room",
    [SCHEDULE_TRACK] = "track", [SCHEDULE_LANGUAGE] = "language",
};

static bool take_draft_text(schedule_reader_t *reader, const schedule_draft_t *draft, int which,
                            char **out)
{
    const char *text = draft->text[which];
    size_t characters = which == SCHEDULE_URL ? SCHEDULE_URL_MAX : SCHEDULE_TEXT_MAX;
    const char *problem = text ? schedule_text_clean(text, characters, out) : NULL;
    return !problem || schedule_fail(reader->fault, draft->line, names[which], "%s", problem);
}

static bool take_draft_texts(schedule_reader_t *reader, const schedule_draft_t *draft,
                             schedule_talk_t *talk)
{
    if (!take_draft_text(reader, draft, SCHEDULE_TITLE, &talk->title) ||
        !take_draft_text(reader, draft, SCHEDULE_ROOM, &talk->room) ||
        !take_draft_text(reader, draft, SCHEDULE_TRACK, &talk->track) ||
        !take_draft_text(reader, draft, SCHEDULE_LANGUAGE, &talk->language) ||
        !take_draft_text(reader, draft, SCHEDULE_URL, &talk->url))
        return false;
    return talk->title ||
           schedule_fail(reader->fault, draft->line, names[SCHEDULE_TITLE], "is missing or empty");
}

static bool take_speakers(schedule_reader_t *reader, const schedule_draft_t *draft,
                          schedule_talk_t *talk)
{
    talk->speakers = calloc(draft->speakers_count + 1, sizeof *talk->speakers);
    if (!talk->speakers)
        return schedule_no_memory(reader->fault);
    for (size_t i = 0; i < draft->speakers_count; i++) {
        char **name = &talk->speakers[talk->speakers_count];
        const char *problem = schedule_text_clean(draft->speakers[i], SCHEDULE_TEXT_MAX, name);
        if (problem)
            return schedule_fail(reader->fault, draft->line, "speakers", "a name %s", problem);
        talk->speakers_count += *name != NULL;
    }
    return true;
}

/* ---- its window ---- */

static bool take_bound(schedule_reader_t *reader, const schedule_draft_t *draft,
                       const schedule_relative_t *bound, const char *option, int64_t *out)
{
    int64_t of = bound->is_of_end ? draft->ends_at : draft->starts_at;
    *out = SCHEDULE_NO_TIME;
    if (!bound->is_given || bound->is_none)
        return true;
    if (of == SCHEDULE_NO_TIME)
        return schedule_fail(reader->fault, draft->line, bound->is_of_end ? "end" : "start",
                             "the talk has none, which %s goes by", option);
    *out = of + bound->seconds;
    return true;
}

static bool take_times(schedule_reader_t *reader, const schedule_draft_t *draft,
                       schedule_talk_t *talk)
{
    const schedule_options_t *options = reader->options;
    talk->starts_at = draft->starts_at;
    talk->ends_at = draft->ends_at;
    if (talk->starts_at != SCHEDULE_NO_TIME && talk->ends_at != SCHEDULE_NO_TIME &&
        talk->ends_at < talk->starts_at)
        return schedule_fail(reader->fault, draft->line, "end", "is before the talk's start");
    if (!take_bound(reader, draft, &options->opens, "--opens", &talk->opens_at) ||
        !take_bound(reader, draft, &options->closes, "--closes", &talk->closes_at))
        return false;
    return talk->opens_at == SCHEDULE_NO_TIME || talk->closes_at == SCHEDULE_NO_TIME ||
           talk->opens_at < talk->closes_at ||
           schedule_fail(reader->fault, draft->line, NULL,
                         "by --opens and --closes the talk could never be rated");
}

/* ---- the list ---- */

static bool make_room(schedule_reader_t *reader, int line)
{
    schedule_t *it = reader->schedule;
    if (it->count == SCHEDULE_TALKS_MAX)
        return schedule_fail(reader->fault, line, NULL, "the schedule has more than %d talks",
                             SCHEDULE_TALKS_MAX);
    if (it->count & (it->count - 1)) /* there is room up to each power of two */
        return true;
    size_t more = it->count ? 2 * it->count : 1;
    schedule_talk_t *talks = realloc(it->talks, more * sizeof *talks);
    if (!talks)
        return schedule_no_memory(reader->fault);
    it->talks = talks;
    return true;
}

bool schedule_add(schedule_reader_t *reader, const schedule_draft_t *draft)
{
    schedule_talk_t talk = {0};
    if (!make_room(reader, draft->line) || !take_draft_texts(reader, draft, &talk) ||
        !take_id(reader, draft, &talk) || !take_speakers(reader, draft, &talk) ||
        !take_times(reader, draft, &talk)) {
        free_schedule_talk(&talk);
        return false;
    }
    reader->schedule->talks[reader->schedule->count++] = talk;
    return true;
}

static int compare_times(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_id_and_time(const void *a, const void *b)
{
    const schedule_talk_t *one = a, *other = b;
    int order = strcmp(one->id, other->id);
    return order ? order : compare_times(one->starts_at, other->starts_at);
}

static int by_time_and_id(const void *a, const void *b)
{
    const schedule_talk_t *one = a, *other = b;
    int order = compare_times(one->starts_at, other->starts_at);
    return order ? order : strcmp(one->id, other->id);
}

/* A later slot of the same talk. */
static bool merge_slot(schedule_reader_t *reader, schedule_talk_t *first, schedule_talk_t *later)
{
    if (strcmp(first->title, later->title) != 0)
        return schedule_fail(reader->fault, 0, NULL,
                             "two talks have the id %.60s, \"%.60s\" and \"%.60s\": see --id",
                             first->id, first->title, later->title);
    if (later->closes_at > first->closes_at)
        first->closes_at = later->closes_at;
    if (first->opens_at == SCHEDULE_NO_TIME || later->opens_at < first->opens_at)
        first->opens_at = later->opens_at;
    free_schedule_talk(later);
    *later = (schedule_talk_t){0};
    return true;
}

static bool merge_slots(schedule_reader_t *reader)
{
    schedule_t *it = reader->schedule;
    size_t kept = 0;
    bool good = true;
    for (size_t i = 1; i < it->count; i++) {
        schedule_talk_t *first = &it->talks[kept], *next = &it->talks[i];
        if (good && strcmp(first->id, next->id) == 0 && (good = merge_slot(reader, first, next)))
            continue;
        if (++kept != i) {
            it->talks[kept] = *next;
            *next = (schedule_talk_t){0};
        }
    }
    it->count = kept + 1;
    return good;
}

bool schedule_finish(schedule_reader_t *reader)
{
    schedule_t *it = reader->schedule;
    if (it->count == 0)
        return schedule_fail(reader->fault, 0, NULL, "the schedule has no talks");
    it->fields |= reader->options->opens.is_given ? SCHEDULE_HAS_OPENS : 0;
    it->fields |= reader->options->closes.is_given ? SCHEDULE_HAS_CLOSES : 0;
    qsort(it->talks, it->count, sizeof *it->talks, by_id_and_time);
    if (!merge_slots(reader))
        return false;
    qsort(it->talks, it->count, sizeof *it->talks, by_time_and_id);
    return true;
}
