/* Schedule JSON, of both versions: 1 has days, rooms in them, and talks in those; 2, of the hub of
 * the Chaos Communication Congress, has one list of talks. `version` in either is the organiser's
 * own name for the state of the schedule. https://github.com/voc/schedule/tree/master/validator */
#include "schedule_builder.h"
#include "schedule_json_line.h"
#include "schedule_text.h"
#include "schedule_time.h"

#include <jansson.h>
#include <string.h>

#define STEPS_MAX 8
#define ALL_FIELDS                                                                                 \
    (SCHEDULE_HAS_SPEAKERS | SCHEDULE_HAS_ROOM | SCHEDULE_HAS_TRACK | SCHEDULE_HAS_LANGUAGE |      \
     SCHEDULE_HAS_URL | SCHEDULE_HAS_TIMES)

typedef struct {
    schedule_reader_t *reader;
    json_t *conference;
    const char *zone;
    schedule_step_t steps[STEPS_MAX]; /* to the talk that is read */
    size_t count;
    const char *room; /* in whose list it is; NULL: in none */
} json_reader_t;

static void step_down(json_reader_t *it, const char *name, size_t number)
{
    it->steps[it->count++] = (schedule_step_t){name, number};
}

/* Adds the line to a fault, which may be in a field of the talk that is read. */
static bool fail_with_line(json_reader_t *it)
{
    schedule_fault_t *fault = it->reader->fault;
    size_t count = it->count;
    if (fault->field[0])
        it->steps[count++] = (schedule_step_t){fault->field, 0};
    fault->line =
        schedule_line_of(it->reader, schedule_json_find(it->reader->text, it->steps, count));
    return false;
}

static bool fail_field(json_reader_t *it, const char *field, const char *problem)
{
    (void)schedule_fail(it->reader->fault, 0, field, "%s", problem);
    return fail_with_line(it);
}

/* ---- members ---- */

/* A member that is a string or null, or is not there. */
static bool take_string(json_reader_t *it, json_t *object, const char *name, const char **out)
{
    json_t *value = json_object_get(object, name);
    *out = json_string_value(value);
    return *out || !value || json_is_null(value) || fail_field(it, name, "is no text");
}

/* The name of what a value refers to: it is that itself, or an object with it or with an id that
 * one of the conference's `list` has, too. NULL: it has none. */
static const char *name_of(json_reader_t *it, json_t *value, const char *id, const char *list)
{
    size_t i;
    json_t *row;
    const char *name =
        json_string_value(json_is_object(value) ? json_object_get(value, "name") : value);
    const char *wanted = json_string_value(json_object_get(value, id));
    if (name || !wanted)
        return name;
    json_array_foreach(json_object_get(it->conference, list), i, row)
    {
        const char *its = json_string_value(json_object_get(row, id));
        if (its && strcmp(its, wanted) == 0)
            return json_string_value(json_object_get(row, "name"));
    }
    return json_string_value(json_object_get(value, "slug"));
}

static bool take_speakers_of(json_reader_t *it, json_t *event, schedule_draft_t *draft)
{
    static const char *const names[] = {"public_name", "name", "full_public_name"};
    json_t *persons = json_object_get(event, "persons"), *person;
    const char *field = persons ? "persons" : "participants";
    size_t i;
    persons = json_object_get(event, field);
    if (persons && !json_is_null(persons) && !json_is_array(persons))
        return fail_field(it, field, "is no list");
    json_array_foreach(persons, i, person)
    {
        const char *name = json_string_value(person);
        for (size_t n = 0; !name && n < sizeof names / sizeof *names; n++)
            name = json_string_value(json_object_get(person, names[n]));
        if (!schedule_draft_speaker(it->reader, draft, name))
            return fail_with_line(it);
    }
    return true;
}

/* ---- times ---- */

static bool take_time(json_reader_t *it, json_t *event, const char *name, int64_t *out)
{
    const char *text;
    if (!take_string(it, event, name, &text))
        return false;
    const char *problem = text && text[0] ? schedule_time_parse(text, it->zone, out) : NULL;
    return !problem || fail_field(it, name, problem);
}

static bool take_duration(json_reader_t *it, json_t *event, schedule_draft_t *draft)
{
    const char *text;
    if (!take_string(it, event, "duration", &text))
        return false;
    if (!text || !text[0] || draft->starts_at == SCHEDULE_NO_TIME)
        return true;
    int64_t seconds = schedule_duration_parse(text);
    draft->ends_at = draft->starts_at + seconds;
    return seconds >= 0 || fail_field(it, "duration", "is no duration like 00:45");
}

/* ---- talks ---- */

static bool take_event_texts(json_reader_t *it, json_t *event, schedule_draft_t *draft)
{
    static const struct {
        const char *name;
        int text;
    } members[] = {
        {"guid", SCHEDULE_GUID},   {"code", SCHEDULE_CODE},         {"url", SCHEDULE_URL},
        {"title", SCHEDULE_TITLE}, {"language", SCHEDULE_LANGUAGE},
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (!take_string(it, event, members[i].name, &draft->text[members[i].text]))
            return false;
    const char *room = name_of(it, json_object_get(event, "room"), "guid", "rooms");
    draft->text[SCHEDULE_ROOM] = room ? room : it->room;
    draft->text[SCHEDULE_TRACK] = name_of(it, json_object_get(event, "track"), "slug", "tracks");
    return true;
}

/* Where the talk comes from another tool, its code is that tool's. */
static bool take_origin(json_reader_t *it, json_t *event, schedule_draft_t *draft, char *code,
                        size_t size)
{
    const char *origin, *begin;
    if (!take_string(it, event, "origin_url", &origin))
        return false;
    size_t len = origin && !draft->text[SCHEDULE_CODE] ? schedule_text_code(origin, &begin) : 0;
    if (len > 0 && len < size) {
        memcpy(code, begin, len);
        code[len] = '\0';
        draft->text[SCHEDULE_CODE] = code;
    }
    return true;
}

static bool read_json_talk(json_reader_t *it, json_t *event, bool is_flat)
{
    schedule_draft_t draft;
    char code[256];
    schedule_draft_init(&draft, 0);
    if (!json_is_object(event))
        return fail_field(it, NULL, "a talk is no object");
    bool good = take_event_texts(it, event, &draft) &&
                take_origin(it, event, &draft, code, sizeof code) &&
                take_speakers_of(it, event, &draft) &&
                take_time(it, event, is_flat ? "start" : "date", &draft.starts_at) &&
                take_duration(it, event, &draft) &&
                (!is_flat || take_time(it, event, "end", &draft.ends_at));
    return good && (schedule_add(it->reader, &draft) || fail_with_line(it));
}

static bool read_json_talks(json_reader_t *it, json_t *events, bool is_flat)
{
    size_t i, above = it->count;
    json_t *event;
    if (!json_is_array(events))
        return fail_field(it, NULL, "the talks are no list");
    json_array_foreach(events, i, event)
    {
        it->count = above;
        step_down(it, NULL, i);
        if (!read_json_talk(it, event, is_flat))
            return false;
    }
    it->count = above;
    return true;
}

/* Each room in a day is a member with its name, and has the talks. */
static bool read_schedule_day(json_reader_t *it, json_t *day)
{
    json_t *rooms = json_object_get(day, "rooms"), *events;
    size_t i = 0, above = it->count;
    const char *room;
    if (!json_is_object(rooms) && !(json_is_array(rooms) && json_array_size(rooms) == 0))
        return fail_field(it, "rooms", "a day has no rooms with talks");
    json_object_foreach(rooms, room, events)
    {
        it->count = above;
        step_down(it, "rooms", 0);
        step_down(it, NULL, i++);
        it->room = room;
        if (!read_json_talks(it, events, false))
            return false;
    }
    it->count = above;
    return true;
}

static bool read_days(json_reader_t *it, json_t *days)
{
    size_t i, above = it->count;
    json_t *day;
    if (!json_is_array(days))
        return fail_field(it, "days",
                          "neither schedule.conference.days nor schedule.events has talks");
    step_down(it, "days", 0);
    json_array_foreach(days, i, day)
    {
        it->count = above + 1;
        step_down(it, NULL, i);
        if (!read_schedule_day(it, day))
            return false;
    }
    return true;
}

static bool read_root(json_reader_t *it, json_t *root)
{
    json_t *schedule = json_object_get(root, "schedule");
    json_t *events = json_object_get(schedule, "events");
    const char *zone;
    if (!json_is_object(schedule))
        return fail_field(it, "schedule", "is missing: this is no schedule");
    step_down(it, "schedule", 0);
    it->conference = json_object_get(schedule, "conference");
    zone = json_string_value(json_object_get(it->conference, "time_zone_name"));
    it->zone = zone && schedule_zone_exists(zone) ? zone : it->reader->options->zone;
    it->reader->schedule->kind = events ? "schedule JSON 2" : "schedule JSON 1";
    it->reader->schedule->fields = ALL_FIELDS;
    step_down(it, events ? "events" : "conference", 0);
    return events ? read_json_talks(it, events, true)
                  : read_days(it, json_object_get(it->conference, "days"));
}

bool schedule_read_json(schedule_reader_t *reader)
{
    json_reader_t it = {.reader = reader};
    json_error_t error;
    json_t *root = json_loadb(reader->text, reader->len, JSON_REJECT_DUPLICATES, &error);
    bool good = root ? read_root(&it, root)
                     : schedule_fail(reader->fault, error.line > 0 ? error.line : 1, NULL,
                                     "is no JSON: %.200s", error.text);
    json_decref(root);
    return good;
}
