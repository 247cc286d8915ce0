/* A schedule, in whichever format: of any text the readers make talks that can be rated and shown,
 * or a fault that says something. */
#include "../../src/core/rating.h"
#include "../../src/schedule/schedule.h"
#include "fuzz.h"

#include <string.h>

static void check_text(const char *text)
{
    if (text)
        MUST(text[0] &&
             (strlen(text) > RATINGS_TALK_ID_MAX || !ratings_talk_id_problem(text, strlen(text))));
}

static void check_talk(const schedule_talk_t *talk)
{
    MUST(talk->id && !ratings_talk_id_problem(talk->id, strlen(talk->id)));
    MUST(talk->title);
    check_text(talk->title);
    check_text(talk->room);
    check_text(talk->track);
    check_text(talk->language);
    check_text(talk->url);
    MUST(talk->speakers_count <= SCHEDULE_SPEAKERS_MAX);
    for (size_t i = 0; i < talk->speakers_count; i++)
        check_text(talk->speakers[i]);
    MUST(talk->starts_at == SCHEDULE_NO_TIME || talk->ends_at == SCHEDULE_NO_TIME ||
         talk->starts_at <= talk->ends_at);
}

static void check_options(const char *text, size_t size, const schedule_options_t *options)
{
    schedule_t schedule;
    schedule_fault_t fault;
    bool good = schedule_read(text, size, options, &schedule, &fault);

    MUST(good || fault.text[0]);
    MUST(!good || (schedule.count > 0 && schedule.count <= SCHEDULE_TALKS_MAX && schedule.kind));
    for (size_t i = 0; good && i < schedule.count; i++) {
        check_talk(&schedule.talks[i]);
        MUST(i == 0 || strcmp(schedule.talks[i].id, schedule.talks[i - 1].id) != 0);
    }
    schedule_free(&schedule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const schedule_options_t without = {.id = SCHEDULE_BY_CODE};
    schedule_options_t with = {.id = SCHEDULE_BY_GUID, .zone = "Europe/Berlin"};
    char *text = malloc(size + 1);

    MUST(text);
    MUST(schedule_relative_parse("5 min before end", &with.opens));
    memcpy(text, data, size);
    text[size] = '\0';
    check_options(text, size, &without);
    check_options(text, size, &with);
    free(text);
    return 0;
}
