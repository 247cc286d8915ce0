/* The talks as schedule JSON 1, for the tools that show one, with the page of each as its
 * feedback_url. https://github.com/voc/schedule/blob/master/validator/json/schema.json */
#include "../core/hmac_sha256.h"
#include "../core/number.h"
#include "../schedule/schedule_time.h"
#include "audit_json.h"
#include "build_version.h"
#include "ctl_page.h"
#include "ctl_talks.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DAY_BEGINS 4 /* o'clock: the talks after midnight are of the day before */
#define DATE_SIZE 32
#define UUID_SIZE 37
#define SLUG_SIZE 128

typedef struct {
    const ctl_talks_t *of;
    const PGresult *rows;
    const char *zone, *title;
    char acronym[64];
    json_t *days, *rooms; /* the rooms are those of the last day, which `days` owns */
    char first[DATE_SIZE], last[DATE_SIZE]; /* dates of days; "": none yet */
} export_t;

static const char *text_of(const export_t *it, int row, int column)
{
    return PQgetisnull(it->rows, row, column) ? NULL : PQgetvalue(it->rows, row, column);
}

static bool time_of(const export_t *it, int row, int column, int64_t *out)
{
    const char *text = text_of(it, row, column);
    return text && ratings_parse_int(text, strlen(text), 0, INT64_MAX, out);
}

/* ---- names ---- */

/* Letters and digits of ASCII, and `other` for each run of anything else. */
static void make_slug(const char *text, char other, char *out, size_t size)
{
    size_t len = 0;
    for (; *text && len + 1 < size; text++) {
        if (isalnum((unsigned char)*text) && (unsigned char)*text < 0x80)
            out[len++] = (char)tolower((unsigned char)*text);
        else if (len > 0 && out[len - 1] != other)
            out[len++] = other;
    }
    while (len > 0 && out[len - 1] == other)
        len--;
    out[len] = '\0';
}

static bool is_uuid(const char *id)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t i = 0;
    for (; form[i] && id[i]; i++)
        if (form[i] == '-' ? id[i] != '-' : ratings_hex_digit(id[i]) < 0)
            return false;
    return !form[i] && !id[i];
}

/* The talk's id if that is a UUID, else one that is always the same for it, of version 8 (RFC
 * 9562). */
static bool make_uuid(const char *id, char out[UUID_SIZE])
{
    static const char salt[] = "mod_ratings talk";
    unsigned char mac[RATINGS_HMAC_SIZE];
    char hex[2 * sizeof mac + 1];
    ratings_hmac_key_t key;
    const ratings_bytes_t part = {id, strlen(id)};
    if (is_uuid(id))
        return memcpy(out, id, UUID_SIZE);
    if (!ratings_hmac_set_key(&key, (ratings_bytes_t){salt, strlen(salt)}) ||
        !ratings_hmac(&key, &part, 1, mac))
        return false;
    mac[6] = (unsigned char)(0x80 | (mac[6] & 0x0F));
    mac[8] = (unsigned char)(0x80 | (mac[8] & 0x3F));
    ratings_hex_write(mac, sizeof mac, hex);
    (void)snprintf(out, UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                   hex + 20);
    return true;
}

/* ---- times ---- */

static bool print_date_time(const export_t *it, int64_t seconds, char out[DATE_SIZE])
{
    schedule_clock_t at;
    int east;
    if (!schedule_clock_at(seconds, it->zone, &at, &east))
        return false;
    int minutes = abs(east) / 60;
    (void)snprintf(out, DATE_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", at.year % 10000,
                   at.month % 100, at.day % 100, at.hour % 100, at.minute % 100, at.second % 100,
                   east < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
    return true;
}

/* ---- talks ---- */

static json_t *persons_of(const export_t *it, int row)
{
    const char *text = text_of(it, row, CTL_TALKS_ROW_SPEAKERS);
    json_t *names = text ? json_loads(text, 0, NULL) : NULL, *persons = json_array(), *name;
    size_t i;
    json_array_foreach(
        names, i,
        name) if (persons && json_array_append_new(persons, json_pack("{s:O}", "name", name)) != 0)
    {
        json_decref(persons);
        persons = NULL;
    }
    json_decref(names);
    return persons;
}

static json_t *event_of(const export_t *it, int row, int64_t starts, int64_t ends)
{
    const char *id = text_of(it, row, CTL_TALKS_ROW_ID);
    const char *title = text_of(it, row, CTL_TALKS_ROW_TITLE);
    const char *room = text_of(it, row, CTL_TALKS_ROW_ROOM);
    const char *language = text_of(it, row, CTL_TALKS_ROW_LANGUAGE);
    const char *url = text_of(it, row, CTL_TALKS_ROW_URL);
    char date[DATE_SIZE], start[6], duration[32], guid[UUID_SIZE], words[SLUG_SIZE],
        slug[2 * SLUG_SIZE];
    if (!print_date_time(it, starts, date) || !make_uuid(id, guid))
        return NULL;
    (void)snprintf(start, sizeof start, "%.5s", date + strlen("2026-11-28T"));
    int minutes = (int)((ends - starts) / 60);
    (void)snprintf(duration, sizeof duration, "%02d:%02d", minutes / 60, minutes % 60);
    make_slug(title ? title : "", '-', words, sizeof words);
    (void)snprintf(slug, sizeof slug, "%s-%d%s%s", it->acronym, row + 1, words[0] ? "-" : "",
                   words);
    char *page = ctl_page_of(it->of->options->page, id);
    json_t *event = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:n, s:s?, s:s, "
                              "s:s, s:n, s:o, s:[], s:s}",
                              "id", row + 1, "guid", guid, "code", id, "date", date, "start", start,
                              "duration", duration, "room", room ? room : "", "slug", slug, "url",
                              url ? url : page, "title", title ? title : "", "subtitle", "track",
                              text_of(it, row, CTL_TALKS_ROW_TRACK), "type", "talk", "language",
                              language ? language : "", "abstract", "persons", persons_of(it, row),
                              "links", "feedback_url", page);
    free(page);
    return event;
}

/* ---- days ---- */

/* The day that a talk is in, from its begin to a minute before the next one's. */
static bool find_day(const export_t *it, int64_t starts, char begins[DATE_SIZE],
                     char ends[DATE_SIZE])
{
    char start[DATE_SIZE], date[SCHEDULE_DATE_SIZE], next[SCHEDULE_DATE_SIZE];
    schedule_clock_t clock;
    int64_t begin, end;
    int east;
    return schedule_clock_at(starts, it->zone, &clock, &east) &&
           print_date_time(it, starts, start) &&
           schedule_date_move(start, clock.hour < DAY_BEGINS ? -1 : 0, date) &&
           schedule_date_move(date, 1, next) &&
           schedule_date_at(date, DAY_BEGINS, it->zone, &begin) &&
           schedule_date_at(next, DAY_BEGINS, it->zone, &end) &&
           print_date_time(it, begin, begins) && print_date_time(it, end - 60, ends);
}

/* Begins the day that a talk is in, unless it is the last one. */
static bool enter_day(export_t *it, int64_t starts)
{
    char date[DATE_SIZE], begins[DATE_SIZE], ends[DATE_SIZE];
    if (!find_day(it, starts, begins, ends))
        return false;
    (void)snprintf(date, sizeof date, "%.10s", begins);
    if (strcmp(date, it->last) == 0)
        return true;
    memcpy(it->last, date, sizeof date);
    if (!it->first[0])
        memcpy(it->first, date, sizeof date);
    it->rooms = json_object();
    return json_array_append_new(it->days, json_pack("{s:i, s:s, s:s, s:s, s:o}", "index",
                                                     (int)json_array_size(it->days) + 1, "date",
                                                     date, "day_start", begins, "day_end", ends,
                                                     "rooms", it->rooms)) == 0;
}

static bool add_event(export_t *it, int row, int64_t starts, int64_t ends)
{
    const char *room = text_of(it, row, CTL_TALKS_ROW_ROOM);
    if (!enter_day(it, starts))
        return false;
    json_t *events = json_object_get(it->rooms, room ? room : "");
    if (!events) {
        events = json_array();
        if (json_object_set_new(it->rooms, room ? room : "", events) != 0)
            return false;
    }
    return json_array_append_new(events, event_of(it, row, starts, ends)) == 0;
}

static json_t *document_of(export_t *it)
{
    return json_pack("{s:s, s:{s:s, s:s}, s:{s:s, s:{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:o}}}",
                     "$schema", "https://c3voc.de/schedule/schema.json", "generator", "name",
                     "ratingsctl", "version", RATINGS_VERSION, "schedule", "version", "ratingsctl",
                     "conference", "acronym", it->acronym, "title", it->title, "start", it->first,
                     "end", it->last, "daysCount", (int)json_array_size(it->days),
                     "timeslot_duration", "00:05", "time_zone_name", it->zone, "days", it->days);
}

/* The acronym has four characters at least. */
static void name_conference(export_t *it)
{
    const ctl_options_t *options = it->of->options;
    it->title = options->title ? options->title : "Conference";
    it->zone = options->schedule.zone ? options->schedule.zone : "UTC";
    make_slug(it->title, '_', it->acronym, sizeof it->acronym);
    if (strlen(it->acronym) < 4)
        (void)snprintf(it->acronym, sizeof it->acronym, "conference");
}

bool ctl_talks_export_json(const ctl_talks_t *of, const PGresult *rows, int *left_out,
                           audit_failure_t *why)
{
    export_t it = {.of = of, .rows = rows, .days = json_array()};
    bool good = it.days;
    *left_out = 0;
    name_conference(&it);
    for (int row = 0; good && row < PQntuples(rows); row++) {
        int64_t starts, ends;
        if (time_of(&it, row, CTL_TALKS_ROW_STARTS, &starts) &&
            time_of(&it, row, CTL_TALKS_ROW_ENDS, &ends) && ends >= starts)
            good = add_event(&it, row, starts, ends);
        else
            ++*left_out;
    }
    if (good && *left_out == PQntuples(rows)) {
        json_decref(it.days);
        return audit_fail(why, "no talk has a start and an end: there is nothing to export");
    }
    if (good)
        return audit_json_write(document_of(&it), why);
    json_decref(it.days);
    return audit_fail(why,
                      "the schedule could not be made: a text that is no UTF-8, a time beyond the "
                      "year 9999, or memory ran out");
}
