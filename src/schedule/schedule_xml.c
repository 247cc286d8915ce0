/* XML: frab's, which pretalx, pentabarf and others write, and xCal. */
#include "schedule_dom.h"
#include "schedule_time.h"

#include <stdio.h>
#include <string.h>

#define ROWS_OF(table) (table), sizeof(table) / sizeof *(table)
#define NIGHT_HOURS 4 /* of the next date, that belong to a day of a conference */

/* ---- frab ---- */

static const schedule_dom_member_t frab_members[] = {
    {"title", SCHEDULE_TITLE},       {"room", SCHEDULE_ROOM}, {"track", SCHEDULE_TRACK},
    {"language", SCHEDULE_LANGUAGE}, {"url", SCHEDULE_URL},
};

/* That of the day, or of the next one in the hours after midnight. */
static const char *date_of_start(const char *date, const char *start, char out[SCHEDULE_DATE_SIZE])
{
    bool is_night = start[0] == '0' && start[1] < '0' + NIGHT_HOURS;
    return is_night && schedule_date_move(date, 1, out) ? out : date;
}

/* Without a date the talk has the day's. */
static bool take_frab_start(schedule_reader_t *reader, xmlNode *day, xmlNode *event,
                            const char *zone, schedule_draft_t *draft)
{
    const char *text, *start, *date = schedule_dom_attribute(day, "date");
    const char *field = "date";
    char composed[64], next[SCHEDULE_DATE_SIZE];
    int line;
    if (!schedule_dom_member(reader, event, field, &text, &line))
        return false;
    if (!text) {
        field = "start";
        if (!schedule_dom_member(reader, event, field, &start, &line))
            return false;
        if (!start || !date)
            return true;
        (void)snprintf(composed, sizeof composed, "%.10sT%.20s", date_of_start(date, start, next),
                       start);
        text = composed;
    }
    const char *problem = schedule_time_parse(text, zone, &draft->starts_at);
    return !problem || schedule_fail(reader->fault, line, field, "%s", problem);
}

static bool take_frab_end(schedule_reader_t *reader, xmlNode *event, schedule_draft_t *draft)
{
    const char *text;
    int line;
    if (!schedule_dom_member(reader, event, "duration", &text, &line))
        return false;
    if (!text || draft->starts_at == SCHEDULE_NO_TIME)
        return true;
    int64_t seconds = schedule_duration_parse(text);
    draft->ends_at = draft->starts_at + seconds;
    return seconds >= 0 ||
           schedule_fail(reader->fault, line, "duration", "is no duration like 00:45");
}

static bool take_names(schedule_reader_t *reader, xmlNode *parent, const char *element,
                       schedule_draft_t *draft)
{
    SCHEDULE_DOM_EACH(person, parent, element) {
        const char *name;
        if (!schedule_dom_text(reader, person, &name) ||
            !schedule_draft_speaker(reader, draft, name))
            return false;
    }
    return true;
}

static bool read_frab_event(schedule_reader_t *reader, xmlNode *day, xmlNode *room, xmlNode *event,
                            const char *zone)
{
    schedule_draft_t draft;
    xmlNode *persons = schedule_dom_find(event->children, "persons");
    schedule_draft_init(&draft, schedule_dom_line(event));
    draft.text[SCHEDULE_GUID] = schedule_dom_attribute(event, "guid");
    if (!schedule_dom_texts(reader, event, ROWS_OF(frab_members), &draft))
        return false;
    if (!draft.text[SCHEDULE_ROOM])
        draft.text[SCHEDULE_ROOM] = schedule_dom_attribute(room, "name");
    return take_frab_start(reader, day, event, zone, &draft) &&
           take_frab_end(reader, event, &draft) &&
           (!persons || take_names(reader, persons, "person", &draft)) &&
           schedule_add(reader, &draft);
}

/* The zone that the file names, if it is one, else that of the options. */
static const char *zone_of(const schedule_reader_t *reader, const char *named)
{
    return named && schedule_zone_exists(named) ? named : reader->options->zone;
}

static bool read_frab(schedule_reader_t *reader, xmlNode *root)
{
    xmlNode *conference = schedule_dom_find(root->children, "conference");
    const char *zone = NULL;
    reader->schedule->kind = "schedule XML";
    reader->schedule->fields = SCHEDULE_HAS_SPEAKERS | SCHEDULE_HAS_ROOM | SCHEDULE_HAS_TRACK |
                               SCHEDULE_HAS_LANGUAGE | SCHEDULE_HAS_URL | SCHEDULE_HAS_TIMES;
    if (conference && !schedule_dom_member(reader, conference, "time_zone_name", &zone, NULL))
        return false;
    zone = zone_of(reader, zone);
    SCHEDULE_DOM_EACH(day, root, "day")
        SCHEDULE_DOM_EACH(room, day, "room")
            SCHEDULE_DOM_EACH(event, room, "event")
                if (!read_frab_event(reader, day, room, event, zone))
                    return false;
    return true;
}

/* ---- xCal ---- */

static const schedule_dom_member_t xcal_members[] = {
    {"uid", SCHEDULE_UID},       {"summary", SCHEDULE_TITLE},     {"url", SCHEDULE_URL},
    {"location", SCHEDULE_ROOM}, {"language", SCHEDULE_LANGUAGE},
};

/* pretalx and frab write hours, ".0", and two digits each of minutes and seconds, which are 00:
 * half an hour is 0.03000. */
static int64_t parse_xcal_duration(const char *text)
{
    const char *dot = strstr(text, ".0");
    char clock[16];
    if (!dot || dot - text > 4 || strspn(dot + 1, "0123456789") != 5 || strcmp(dot + 4, "00") != 0)
        return schedule_duration_parse(text);
    (void)snprintf(clock, sizeof clock, "%.*s:%.2s", (int)(dot - text), text, dot + 2);
    return schedule_duration_parse(clock);
}

static bool take_xcal_time(schedule_reader_t *reader, xmlNode *event, const char *name,
                           const char *zone, int64_t *out)
{
    const char *text;
    int line;
    if (!schedule_dom_member(reader, event, name, &text, &line))
        return false;
    const char *problem = text ? schedule_time_parse(text, zone, out) : NULL;
    return !problem || schedule_fail(reader->fault, line, name, "%s", problem);
}

static bool take_xcal_end(schedule_reader_t *reader, xmlNode *event, const char *zone,
                          schedule_draft_t *draft)
{
    const char *text;
    int line;
    if (!take_xcal_time(reader, event, "dtend", zone, &draft->ends_at) ||
        !schedule_dom_member(reader, event, "duration", &text, &line))
        return false;
    if (draft->ends_at != SCHEDULE_NO_TIME || draft->starts_at == SCHEDULE_NO_TIME || !text)
        return true;
    int64_t seconds = parse_xcal_duration(text);
    draft->ends_at = draft->starts_at + seconds;
    return seconds >= 0 ||
           schedule_fail(reader->fault, line, "duration", "is no duration like 0.03000 or PT30M");
}

static bool read_xcal_event(schedule_reader_t *reader, xmlNode *event, const char *zone)
{
    schedule_draft_t draft;
    schedule_draft_init(&draft, schedule_dom_line(event));
    return schedule_dom_texts(reader, event, ROWS_OF(xcal_members), &draft) &&
           take_xcal_time(reader, event, "dtstart", zone, &draft.starts_at) &&
           take_xcal_end(reader, event, zone, &draft) &&
           take_names(reader, event, "attendee", &draft) && schedule_add(reader, &draft);
}

static bool read_xcal(schedule_reader_t *reader, xmlNode *root)
{
    reader->schedule->kind = "xCal";
    reader->schedule->fields = SCHEDULE_HAS_SPEAKERS | SCHEDULE_HAS_ROOM | SCHEDULE_HAS_LANGUAGE |
                               SCHEDULE_HAS_URL | SCHEDULE_HAS_TIMES;
    SCHEDULE_DOM_EACH(calendar, root, "vcalendar") {
        const char *zone;
        if (!schedule_dom_member(reader, calendar, "x-wr-timezone", &zone, NULL))
            return false;
        zone = zone_of(reader, zone);
        SCHEDULE_DOM_EACH(event, calendar, "vevent")
            if (!read_xcal_event(reader, event, zone))
                return false;
    }
    return true;
}

/* ---- which of them ---- */

static bool read_root_element(schedule_reader_t *reader, xmlNode *root)
{
    if (schedule_dom_is(root, "schedule"))
        return read_frab(reader, root);
    if (schedule_dom_is(root, "iCalendar"))
        return read_xcal(reader, root);
    return schedule_fail(reader->fault, schedule_dom_line(root), NULL,
                         "is XML, and neither <schedule> nor <iCalendar>");
}

bool schedule_read_xml(schedule_reader_t *reader)
{
    xmlDoc *document = schedule_dom_read(reader);
    bool good = document && read_root_element(reader, xmlDocGetRootElement(document));
    xmlFreeDoc(document);
    return good;
}
