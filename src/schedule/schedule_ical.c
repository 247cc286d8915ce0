/* iCalendar (RFC 5545), by libical. That is lenient, and knows no lines: both are made up for by a
 * look at the text's own lines. */
#include "schedule_builder.h"
#include "schedule_time.h"

#include <libical/ical.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What pretalx calls itself. Its SUMMARY is "Title - Speaker, Speaker". */
#define PRETALX "-//pretalx//"

#define BEGIN "BEGIN:"
#define END "END:"
#define DEPTH_MAX 8

typedef struct {
    schedule_reader_t *reader;
    icalcomponent *calendar, *event;
    const char *zone; /* of times without one; or NULL */
    bool is_pretalx;
    const char *at; /* the text's line in which the event begins, or where to look for the next */
    int line;       /* its number */
    int zones;      /* how many of the text's time zones have been looked at */
} ical_reader_t;

/* ---- lines ---- */

static const char *next_line(const char *at)
{
    at += strcspn(at, "\n");
    return *at ? at + 1 : at;
}

static bool begins_with(const char *line, const char *word)
{
    return strncasecmp(line, word, strlen(word)) == 0;
}

/* False: the text has no further event. */
static bool find_event_line(ical_reader_t *it)
{
    for (; *it->at; it->at = next_line(it->at), it->line++)
        if (begins_with(it->at, "BEGIN:VEVENT"))
            return true;
    return false;
}

static void leave_event_line(ical_reader_t *it)
{
    it->at = next_line(it->at);
    it->line++;
}

/* The line of one of the event's properties; 0: it has none. What is in the event, as an alarm, has
 * its own. */
static int line_of(const ical_reader_t *it, const char *name)
{
    int line = it->line + 1, depth = 0;
    for (const char *at = next_line(it->at); *at; at = next_line(at), line++) {
        if (begins_with(at, END) && depth-- == 0)
            return 0;
        depth += begins_with(at, BEGIN);
        if (depth == 0 && begins_with(at, name) && strchr(":;", at[strlen(name)]))
            return line;
    }
    return 0;
}

static bool fail_property(const ical_reader_t *it, const char *name, const char *problem)
{
    int line = line_of(it, name);
    return schedule_fail(it->reader->fault, line ? line : it->line, name, "%s", problem);
}

/* ---- properties ---- */

/* The property, or NULL. False: it is there, and libical has left it out, as it cannot read it. */
static bool take_ical_property(const ical_reader_t *it, icalproperty_kind kind, icalproperty **out)
{
    const char *name = icalproperty_kind_to_string(kind);
    *out = icalcomponent_get_first_property(it->event, kind);
    return *out || line_of(it, name) == 0 || fail_property(it, name, "cannot be read");
}

static bool take_texts_of_event(const ical_reader_t *it, schedule_draft_t *draft)
{
    static const struct {
        icalproperty_kind kind;
        int text;
    } members[] = {{ICAL_UID_PROPERTY, SCHEDULE_UID},
                   {ICAL_SUMMARY_PROPERTY, SCHEDULE_TITLE},
                   {ICAL_LOCATION_PROPERTY, SCHEDULE_ROOM},
                   {ICAL_URL_PROPERTY, SCHEDULE_URL}};
    icalproperty *property;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (!take_ical_property(it, members[i].kind, &property))
            return false;
        icalvalue *value = property ? icalproperty_get_value(property) : NULL;
        if (value)
            draft->text[members[i].text] = icalvalue_isa(value) == ICAL_URI_VALUE
                                               ? icalvalue_get_uri(value)
                                               : icalvalue_get_text(value);
    }
    return true;
}

/* The file's own zone comes before one that the system knows by that name: pretalx calls New York's
 * EST, which is one without summers there. */
static bool resolve_time(const ical_reader_t *it, icaltimetype time, const char *zone, int64_t *out)
{
    const schedule_clock_t clock = {time.year, time.month,  time.day,
                                    time.hour, time.minute, time.second};
    icaltimezone *own = icalcomponent_get_timezone(it->calendar, zone);
    if (!own)
        return schedule_clock_in(&clock, zone, out) && *out >= 0;
    if (!schedule_clock_in(&clock, "UTC", out)) /* which looks whether there is such a day */
        return false;
    *out = icaltime_as_timet_with_zone(time, own);
    return *out >= 0;
}

static bool take_ical_time(const ical_reader_t *it, icalproperty_kind kind, int64_t *out)
{
    const char *name = icalproperty_kind_to_string(kind);
    icalproperty *property;
    if (!take_ical_property(it, kind, &property) || !property)
        return !it->reader->fault->text[0];
    icalparameter *tzid = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER);
    icaltimetype time = icalvalue_get_datetime(icalproperty_get_value(property));
    const char *zone = icaltime_is_utc(time) ? "UTC"
                       : tzid                ? icalparameter_get_tzid(tzid)
                                             : it->zone;
    if (icaltime_is_null_time(time) || time.is_date)
        return fail_property(it, name, "has no time of day");
    if (!zone)
        return fail_property(it, name, "has no zone: --zone says which, like Europe/Berlin");
    return resolve_time(it, time, zone, out) ||
           fail_property(it, name, "has no such day or time, or a zone that is not known");
}

static bool take_ical_times(const ical_reader_t *it, schedule_draft_t *draft)
{
    icalproperty *duration;
    if (!take_ical_time(it, ICAL_DTSTART_PROPERTY, &draft->starts_at) ||
        !take_ical_time(it, ICAL_DTEND_PROPERTY, &draft->ends_at) ||
        !take_ical_property(it, ICAL_DURATION_PROPERTY, &duration))
        return false;
    if (!duration || draft->ends_at != SCHEDULE_NO_TIME || draft->starts_at == SCHEDULE_NO_TIME)
        return true;
    draft->ends_at =
        draft->starts_at + icaldurationtype_as_int(icalproperty_get_duration(duration));
    return true;
}

/* ---- the file's own zones ---- */

/* In which the zone that was looked at last begins. */
static int line_of_zone(const ical_reader_t *it)
{
    int line = 1, zones = 0;
    for (const char *at = it->reader->text; *at; at = next_line(at), line++) {
        zones += begins_with(at, BEGIN "VTIMEZONE");
        if (zones == it->zones)
            return line;
    }
    return 1;
}

static bool has_one_at_most(const short *list)
{
    return list[0] == ICAL_RECURRENCE_ARRAY_MAX || list[1] == ICAL_RECURRENCE_ARRAY_MAX;
}

/* libical works out each change of a zone's clock, for dozens of years: of one that is set every
 * second there would be billions. */
static bool is_seldom(icalcomponent *changes)
{
    for (icalproperty *rule = icalcomponent_get_first_property(changes, ICAL_RRULE_PROPERTY); rule;
         rule = icalcomponent_get_next_property(changes, ICAL_RRULE_PROPERTY)) {
        const struct icalrecurrencetype when = icalproperty_get_rrule(rule);
        if (when.freq < ICAL_DAILY_RECURRENCE || !has_one_at_most(when.by_hour) ||
            !has_one_at_most(when.by_minute) || !has_one_at_most(when.by_second))
            return false;
    }
    return true;
}

static bool check_zones(ical_reader_t *it)
{
    for (icalcomponent *zone =
             icalcomponent_get_first_component(it->calendar, ICAL_VTIMEZONE_COMPONENT);
         zone; zone = icalcomponent_get_next_component(it->calendar, ICAL_VTIMEZONE_COMPONENT)) {
        it->zones++;
        for (icalcomponent *changes = icalcomponent_get_first_component(zone, ICAL_ANY_COMPONENT);
             changes; changes = icalcomponent_get_next_component(zone, ICAL_ANY_COMPONENT))
            if (!is_seldom(changes))
                return schedule_fail(it->reader->fault, line_of_zone(it), "VTIMEZONE",
                                     "has a clock that is set more often than once a day");
    }
    return true;
}

/* ---- events ---- */

/* Cuts "Title - Speaker, Speaker" at its last dash: a title may have others. */
static bool split_summary(const ical_reader_t *it, char *summary, schedule_draft_t *draft)
{
    char *cut = NULL, *name, *rest;
    size_t len = strlen(summary);
    for (char *dash = summary; (dash = strstr(dash, " - ")); dash += 2)
        cut = dash;
    if (len >= 2 && strcmp(summary + len - 2, " -") == 0)
        cut = summary + len - 2;
    draft->text[SCHEDULE_TITLE] = summary;
    if (!cut)
        return true;
    *cut = '\0';
    for (rest = cut + 2; (name = rest);) {
        rest = strstr(name, ", ");
        if (rest) {
            *rest = '\0';
            rest += 2;
        }
        if (!schedule_draft_speaker(it->reader, draft, name))
            return false;
    }
    return true;
}

static bool read_ical_event(const ical_reader_t *it)
{
    schedule_draft_t draft;
    schedule_draft_init(&draft, it->line);
    if (!take_texts_of_event(it, &draft) || !take_ical_times(it, &draft))
        return false;
    const char *title = draft.text[SCHEDULE_TITLE];
    char *summary = it->is_pretalx && title ? strdup(title) : NULL;
    if (it->is_pretalx && title && !summary)
        return schedule_no_memory(it->reader->fault);
    bool good =
        (!summary || split_summary(it, summary, &draft)) && schedule_add(it->reader, &draft);
    free(summary);
    return good;
}

static bool read_calendar(ical_reader_t *it)
{
    icalproperty *id = icalcomponent_get_first_property(it->calendar, ICAL_PRODID_PROPERTY);
    const char *maker = id ? icalproperty_get_prodid(id) : NULL;
    it->is_pretalx = maker && strncmp(maker, PRETALX, strlen(PRETALX)) == 0;
    it->reader->schedule->fields |= it->is_pretalx ? SCHEDULE_HAS_SPEAKERS : 0;
    if (!check_zones(it))
        return false;
    for (it->event = icalcomponent_get_first_component(it->calendar, ICAL_VEVENT_COMPONENT);
         it->event;
         it->event = icalcomponent_get_next_component(it->calendar, ICAL_VEVENT_COMPONENT)) {
        if (!find_event_line(it) || !read_ical_event(it))
            return false;
        leave_event_line(it);
    }
    return true;
}

/* Where the text has several calendars libical puts them into one of its own. */
static bool read_calendars(ical_reader_t *it, icalcomponent *root)
{
    if (icalcomponent_isa(root) == ICAL_VCALENDAR_COMPONENT) {
        it->calendar = root;
        return read_calendar(it);
    }
    for (it->calendar = icalcomponent_get_first_component(root, ICAL_VCALENDAR_COMPONENT);
         it->calendar;
         it->calendar = icalcomponent_get_next_component(root, ICAL_VCALENDAR_COMPONENT))
        if (!read_calendar(it))
            return false;
    return true;
}

/* What has begun and not ended. */
typedef struct {
    const char *name[DEPTH_MAX];
    int depth;
} ical_nesting_t;

static bool is_same_word(const char *one, const char *other)
{
    size_t len = strcspn(one, " \t\r\n");
    return len == strcspn(other, " \t\r\n") && strncasecmp(one, other, len) == 0;
}

static bool follow_nesting(schedule_reader_t *reader, ical_nesting_t *nesting, const char *at,
                           int line)
{
    if (begins_with(at, BEGIN)) {
        if (nesting->depth == DEPTH_MAX)
            return schedule_fail(reader->fault, line, NULL, "is nested too deeply");
        nesting->name[nesting->depth++] = at + strlen(BEGIN);
    } else if (begins_with(at, END)) {
        if (nesting->depth == 0 || !is_same_word(nesting->name[--nesting->depth], at + strlen(END)))
            return schedule_fail(reader->fault, line, NULL, "ends what did not begin");
    }
    return true;
}

/* libical takes a text that ends in the middle, and says on standard error what it does not like.
 */
static bool check_nesting(schedule_reader_t *reader)
{
    ical_nesting_t nesting = {.depth = 0};
    int line = 1;
    for (const char *at = reader->text; *at; at = next_line(at), line++)
        if (!follow_nesting(reader, &nesting, at, line))
            return false;
    return nesting.depth == 0 ||
           schedule_fail(reader->fault, line - 1, NULL, "was cut short: END:%.*s is missing",
                         (int)strcspn(nesting.name[nesting.depth - 1], " \t\r\n"),
                         nesting.name[nesting.depth - 1]);
}

bool schedule_read_ical(schedule_reader_t *reader)
{
    ical_reader_t it = {
        .reader = reader, .at = reader->text, .line = 1, .zone = reader->options->zone};
    icalerror_set_errors_are_fatal(false);
    reader->schedule->kind = "iCalendar";
    reader->schedule->fields = SCHEDULE_HAS_ROOM | SCHEDULE_HAS_URL | SCHEDULE_HAS_TIMES;
    if (!check_nesting(reader))
        return false;
    icalcomponent *root = icalparser_parse_string(reader->text);
    bool good =
        root ? read_calendars(&it, root) : schedule_fail(reader->fault, 1, NULL, "is no iCalendar");
    if (root)
        icalcomponent_free(root);
    return good ||
           (!reader->fault->text[0] &&
            schedule_fail(reader->fault, it.line, NULL, "has events that cannot be told apart"));
}
