/* Each call that may fail, in turn (failing.h): memory, what the system gives, and libcrypto. What
 * fails says so, and leaves nothing half done: the same again is whole. Under ASan: no leak. */
#include "../../src/core/aws_source.h"
#include "../../src/core/bar_record.h"
#include "../../src/core/dedup_window.h"
#include "../../src/core/electorate_record.h"
#include "../../src/core/event.h"
#include "../../src/core/exposition.h"
#include "../../src/core/redis_url.h"
#include "../../src/core/routing_record.h"
#include "../../src/core/talk.h"
#include "../../src/core/ticket_window.h"
#include "../../src/core/voter_cookie.h"
#include "../../src/core/voter_set.h"
#include "failing.h"
#include "unit.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

/* Whether it did its work; it looks at the result itself. */
typedef bool (*work_t)(void);

/* Whether there is a text; then it is that. */
static bool is_text(char *text, const char *expected)
{
    bool there = text != NULL;

    if (there)
        assert_string_equal(text, expected);
    free(text);
    return there;
}

/* ---- what is written ---- */

static bool write_talk(void)
{
    const ratings_talk_t talk = {.id = "1",
                                 .title = "A",
                                 .room = "R",
                                 .track = "T",
                                 .language = "en",
                                 .url = "https://x/",
                                 .day = "2025-11-29",
                                 .starts_at = INT64_C(1764417600000000),
                                 .ends_at = INT64_C(1764421200000000),
                                 .window = {INT64_C(1764421200000000), INT64_C(1764424800000000)}};

    return is_text(ratings_talk_json(&talk),
                   "{\"talkId\":\"1\",\"title\":\"A\",\"room\":\"R\",\"track\":\"T\","
                   "\"language\":\"en\",\"url\":\"https://x/\",\"day\":\"2025-11-29\","
                   "\"startsAt\":\"2025-11-29T12:00:00Z\",\"endsAt\":\"2025-11-29T13:00:00Z\","
                   "\"opensAt\":\"2025-11-29T13:00:00Z\",\"closesAt\":\"2025-11-29T14:00:00Z\"}");
}

static bool write_speakers(void)
{
    const ratings_talk_t talk = {.speakers = "[\"Ann\",5,\"Bo\"]"};

    return is_text(ratings_talk_speakers_text(&talk), "Ann, Bo");
}

static bool write_page(void)
{
    static const ratings_metric_t metric = {.name = "x", .help = "X", .labels = {"a"}};
    static const char *const labels[RATINGS_METRIC_LABELS_MAX] = {"1"};
    ratings_exposition_t *page = ratings_exposition_begin(RATINGS_EXPOSITION_OPENMETRICS);
    size_t length;

    if (!page)
        return false;
    ratings_exposition_metric(page, &metric);
    ratings_exposition_value(page, labels, 7);
    return is_text(ratings_exposition_end(page, &length),
                   "# HELP x X\n# TYPE x counter\nx_total{a=\"1\"} 7\n# EOF\n");
}

static const ratings_voter_t somebody = {"0123456789abcde"};

static bool write_bar(void)
{
    const ratings_bar_t bar = {somebody, true};
    size_t len = 4711;
    char *text = ratings_bar_encode(&bar, "why", &len);

    assert_int_equal(len, text ? strlen(text) : 0);
    return is_text(text, "{\"version\":1,\"voter\":\"30313233343536373839616263646500\","
                         "\"barred\":true,\"reason\":\"why\"}");
}

static bool write_routing(void)
{
    size_t len = 4711;
    char *text = ratings_routing_encode(3, &len);

    assert_int_equal(len, text ? strlen(text) : 0);
    return is_text(text, "{\"version\":1,\"partitions\":3}");
}

static bool write_electorate(void)
{
    const ratings_electorate_record_t record = {{"f434d3dbc99487f9a3b227a6f8359485"}, {""}};
    size_t len = 4711;
    char *text = ratings_electorate_encode(&record, &len);

    assert_int_equal(len, text ? strlen(text) : 0);
    return is_text(text, "{\"version\":1,\"electorate\":\"f434d3dbc99487f9a3b227a6f8359485\","
                         "\"follows\":\"\"}");
}

static bool redact_url(void)
{
    return is_text(ratings_redis_url_redact("redis://u:p@h/1"), "redis://u:***@h/1");
}

/* ---- what is read ---- */

static bool read_bar(void)
{
    ratings_bar_t bar;

    return ratings_bar_decode(BYTES(RATINGS_BAR_KEY),
                              BYTES("{\"version\":1,\"voter\":\"30313233343536373839616263646500\","
                                    "\"barred\":true}"),
                              &bar) &&
           bar.is_barred;
}

static bool read_credentials(void)
{
    static char path[] = "/tmp/test_failing.XXXXXX";
    const ratings_aws_environment_t environment = {.file = path};
    ratings_aws_source_t source;
    char why[256] = "";
    int file = mkstemp(path);

    assert_true(file >= 0);
    assert_int_equal(dprintf(file, "[default]\naws_access_key_id=A\naws_secret_access_key=s\n"),
                     54);
    bool good = ratings_aws_source_find(&environment, &source, why, sizeof why);
    assert_int_equal(why[0] == '\0', good);
    assert_int_equal(unlink(path) | close(file), 0);
    (void)strcpy(strrchr(path, '.') + 1, "XXXXXX");
    return good;
}

/* ---- what is hashed ---- */

static bool hash_voter(void)
{
    static const char long_key[RATINGS_HMAC_BLOCK + 1] = "a key that is hashed first";
    ratings_secret_t secret;
    ratings_voter_t voter, same;
    ratings_electorate_t electorate;
    unsigned char signature[RATINGS_SIGNATURE_SIZE];

    if (!ratings_secret_set(&secret, long_key, sizeof long_key) ||
        !ratings_secret_voter(&secret, "scope", "ada", &voter) ||
        !ratings_secret_voter(&secret, "scope", "ada", &same) ||
        !ratings_secret_electorate(&secret, "scope", &electorate) ||
        !ratings_secret_sign(&secret, "text", signature))
        return false;
    assert_memory_equal(&voter, &same, sizeof voter);
    assert_int_equal(strlen(electorate.name), 2 * RATINGS_ELECTORATE_SIZE);
    return true;
}

/* A cookie that cannot be looked at names nobody. */
static bool hand_out_cookie(void)
{
    static const char key[RATINGS_SECRET_MIN] = "a key";
    char identity[RATINGS_COOKIE_IDENTITY + 1], found[RATINGS_COOKIE_IDENTITY + 1],
        value[RATINGS_COOKIE_VALUE + 1] = "", field[RATINGS_COOKIE_VALUE + 8];
    ratings_secret_t secret;

    if (!ratings_secret_set(&secret, key, sizeof key) ||
        !ratings_voter_cookie_new(&secret, identity, value))
        return false;
    (void)snprintf(field, sizeof field, "voter=%s", value);
    if (!ratings_voter_cookie_find(&secret, field, "voter", found))
        return false;
    assert_string_equal(found, identity);
    return true;
}

static const char *write_secret(void)
{
    static char source[] = "file:/tmp/test_failing.XXXXXX";
    int file = mkstemp(strchr(source, '/'));

    assert_true(file >= 0);
    assert_int_equal(dprintf(file, "%0100d\n", 7), 101); /* longer than a block */
    assert_int_equal(close(file), 0);
    return source;
}

static bool load_secret(void)
{
    static const char *source;
    ratings_secret_t secret;
    char why[256] = "";

    if (!source)
        source = write_secret();
    bool good = ratings_secret_load(source, &secret, why, sizeof why);
    assert_int_equal(why[0] == '\0', good);
    if (good)
        assert_int_equal(unlink(strchr(source, '/')), 0);
    return good;
}

/* ---- what grows ---- */

static ratings_dedup_e add_until_there_is_memory(ratings_dedup_window_t *window,
                                                 const ratings_identity_t *identity, int64_t offset,
                                                 bool *was_short)
{
    ratings_dedup_e result;

    while ((result = ratings_dedup_window_check_and_add(window, identity, offset)) ==
           RATINGS_DEDUP_NO_MEMORY)
        *was_short = true;
    return result;
}

/* One that could not be noted for want of memory is new when it comes again. */
static bool grow_dedup_window(void)
{
    ratings_dedup_window_t *window = ratings_dedup_window_new();
    bool was_short = !window;

    for (int64_t i = 1; window && i <= 5000; i++) {
        const ratings_identity_t identity = {(uint64_t)i, 1};
        ratings_dedup_window_prefetch(window, &identity);
        assert_int_equal(add_until_there_is_memory(window, &identity, i, &was_short),
                         RATINGS_DEDUP_NEW);
        assert_int_equal(add_until_there_is_memory(window, &identity, i, &was_short),
                         RATINGS_DEDUP_DUPLICATE);
    }
    ratings_dedup_window_free(window);
    return !was_short;
}

static bool grow_ticket_windows(void)
{
    ratings_ticket_windows_t windows = {0};
    ratings_ticket_e result;
    uint64_t forgotten;
    bool was_short = false;

    for (uint64_t life = 1; life <= 40; life++) {
        const ratings_ticket_t ticket = {life, 0};
        while ((result = ratings_ticket_windows_check_and_note(&windows, &ticket, 1, &forgotten)) ==
               RATINGS_TICKET_NO_MEMORY)
            was_short = true;
        assert_int_equal(result, RATINGS_TICKET_COUNTS);
        assert_int_equal(windows.count, life);
    }
    ratings_ticket_windows_free(&windows);
    return !was_short;
}

static bool add_ticket_windows(void)
{
    ratings_ticket_windows_t windows = {0};
    bool was_short = false;

    for (uint64_t life = 1; life <= 40; life++) {
        const ratings_ticket_window_t window = {.life = life};
        while (!ratings_ticket_windows_add(&windows, &window))
            was_short = true;
        assert_int_equal(windows.count, life);
    }
    ratings_ticket_windows_free(&windows);
    return !was_short;
}

static bool grow_voter_set(void)
{
    ratings_voter_set_t set = {0};
    bool was_short = false;

    for (unsigned char i = 0; i < 100; i++) {
        const ratings_voter_t voter = {{i}};
        while (!ratings_voter_set_add(&set, &voter))
            was_short = true;
        assert_true(ratings_voter_set_has(&set, &voter));
        assert_int_equal(set.count, i + 1);
    }
    ratings_voter_set_free(&set);
    return !was_short;
}

/* ---- each in turn ---- */

typedef struct {
    const char *name;
    work_t work;
} row_t;

static row_t rows[] = {
    {"a talk is written", write_talk},
    {"names of speakers are", write_speakers},
    {"a page of metrics is", write_page},
    {"the record of a bar is", write_bar},
    {"that of the routing is", write_routing},
    {"that of an electorate is", write_electorate},
    {"a URL without its secrets is", redact_url},
    {"the record of a bar is read", read_bar},
    {"credentials are", read_credentials},
    {"a voter is hashed", hash_voter},
    {"a cookie is handed out", hand_out_cookie},
    {"a secret is loaded", load_secret},
    {"a deduplication window grows", grow_dedup_window},
    {"windows of tickets are made", grow_ticket_windows},
    {"windows of tickets are added", add_ticket_windows},
    {"a set of voters grows", grow_voter_set},
};

/* Nothing fails unless a call does. What succeeds all the same (jansson does without some memory)
 * is whole. */
static void says_that_it_failed(void **state)
{
    const row_t *row = *state;
    size_t call = 0;
    bool was_reached;

    do {
        failing_begin(++call);
        bool done = row->work();
        const char *name = failing_name();
        was_reached = failing_end();
        if (!done && !was_reached)
            fail_msg("call %zu, %s: %s", call, name ? name : "none", done ? "done" : "not done");
    } while (was_reached);
    assert_true(call > 1);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    json_set_alloc_funcs(malloc, free); /* those that may fail */
    unit_add_rows(&suite, says_that_it_failed, ROWS(rows));
    return unit_run("failing", &suite);
}
