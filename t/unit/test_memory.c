/* Memory that runs out, at each allocation in turn: an error, no crash, and (under ASan) no leak.
 */
#include "../../src/core/event.h"
#include "../../src/core/histogram.h"
#include "../../src/core/json.h"
#include "../../src/core/rating.h"
#include "unit.h"

#include <jansson.h>

static size_t left;

static void *limited_malloc(size_t size)
{
    if (left == 0)
        return NULL;
    left--;
    return malloc(size);
}

/* Whether it did its work; else it must have said so. */
typedef bool (*work_t)(void);

static bool read_rating(void)
{
    ratings_rating_t rating;
    bool from_the_first = left == 0; /* later on jansson takes it for a fault of the JSON */
    const char *problem =
        ratings_rating_from_json(BYTES("{\"talkId\":\"t\",\"value\":5,\"x\":[1]}"), &rating);

    if (from_the_first)
        assert_problem(problem, ratings_memory_problem);
    return !problem;
}

static bool write_event(void)
{
    const ratings_event_t event = {.rating = {"t", 5}, .key = {"k", 1000}, .has_voter = true};
    size_t len = 4711;
    char *text = ratings_event_encode(&event, &len);

    assert_int_equal(len, text ? strlen(text) : 0);
    free(text);
    return text != NULL;
}

static bool read_event(void)
{
    ratings_event_t event;

    return !ratings_event_decode("t", 1, BYTES("{\"version\":1,\"value\":5,\"talkId\":\"t\"}"),
                                 &event);
}

static bool write_request(void)
{
    const ratings_histogram_t histogram = {{0, 0, 1, 0, 7}};
    char *text = ratings_histogram_request(&histogram);

    free(text);
    return text != NULL;
}

static bool write_reply(void)
{
    const ratings_histogram_t histogram = {{0, 0, 1, 0, 7}};
    const ratings_statistics_t stats = {4.75, 8};
    char *text = ratings_histogram_reply(&histogram, &stats);

    free(text);
    return text != NULL;
}

static bool read_statistics(void)
{
    const ratings_histogram_t histogram = {{0, 0, 1, 0, 7}};
    ratings_statistics_t stats;

    return !ratings_statistics_from_json(BYTES("{\"avg\":4.75,\"totalCount\":8}"), &histogram,
                                         &stats);
}

static bool answer_statistics(void)
{
    char *reply;
    const char *problem =
        ratings_statistics_answer(BYTES("{\"ratings\":{\"3\":1,\"5\":7}}"), &reply);

    assert_true((reply == NULL) == (problem != NULL));
    free(reply);
    return !problem;
}

typedef struct {
    const char *name;
    work_t work;
} row_t;

static row_t rows[] = {
    {"reading a rating survives", read_rating},
    {"writing an event survives", write_event},
    {"reading an event survives", read_event},
    {"writing the request survives", write_request},
    {"writing the reply survives", write_reply},
    {"reading the statistics survives", read_statistics},
    {"answering with statistics survives", answer_statistics},
};

static void survives(void **state)
{
    const row_t *row = *state;
    size_t allocations = 0;
    bool done;

    json_set_alloc_funcs(limited_malloc, free);
    do {
        left = allocations++;
        done = row->work();
    } while (!done && allocations < 1000);
    json_set_alloc_funcs(malloc, free);
    assert_true(done);
    assert_true(allocations > 1);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, survives, ROWS(rows));
    return unit_run("memory", &suite);
}
