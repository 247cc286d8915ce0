#include "../../src/core/ticket_window.h"
#include "unit.h"

#define LIFE 7

/* ---- drawing: the same at each run ---- */

static uint64_t random_state = 1;

static uint64_t draw(uint64_t limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (random_state >> 33) % limit;
}

/* ---- single tickets ---- */

static int64_t next_offset;

static bool counts(ratings_ticket_windows_t *windows, uint64_t life, uint64_t number)
{
    uint64_t forgotten;
    const ratings_ticket_t ticket = {life, number};
    return ratings_ticket_windows_check_and_note(windows, &ticket, next_offset++, &forgotten) ==
           RATINGS_TICKET_COUNTS;
}

typedef struct {
    const char *name;
    uint64_t before[3]; /* numbers that count */
    uint64_t number;
    bool is_new;
} row_t;

#define LAST (RATINGS_TICKETS - 1)

static row_t rows[] = {
    {"the next number counts", {1, 2, 3}, 4, true},
    {"the highest one again does not", {1, 2, 3}, 3, false},
    {"one before it again does not", {1, 2, 3}, 1, false},
    {"one that was passed over counts", {1, 2, 4}, 3, true},
    {"the lowest of the window counts", {0, 1, LAST + 2}, 2, true},
    {"the one below the window does not", {0, 1, LAST + 4}, 3, false},
    {"what counted at the other end of the window does not", {0, 1, LAST}, 0, false},
    {"a bit that comes round is another number's", {0, 1, 5}, RATINGS_TICKETS, true},
    {"a bit that was skipped is another number's", {0, 1, LAST + 5}, RATINGS_TICKETS + 1, true},
    {"after a leap of a window all of it is new",
     {0, 1, RATINGS_TICKETS + 1},
     RATINGS_TICKETS,
     true},
    {"after a leap of two as well",
     {0, 1, UINT64_C(3) * RATINGS_TICKETS},
     UINT64_C(3) * RATINGS_TICKETS - 1,
     true},
    {"the largest number counts", {0, 1, 2}, UINT64_MAX, true},
    {"the largest number again does not", {0, 1, UINT64_MAX}, UINT64_MAX, false},
    {"the one before it counts", {0, 1, UINT64_MAX}, UINT64_MAX - 1, true},
    {"one far below it does not", {5, 6, UINT64_MAX}, 7, false},
};

static void counts_once(void **state)
{
    const row_t *row = *state;
    ratings_ticket_windows_t windows = {0};
    for (int i = 0; i < 3; i++)
        assert_true(counts(&windows, LIFE, row->before[i]));
    assert_true(counts(&windows, LIFE + 1, row->number));
    assert_int_equal(counts(&windows, LIFE, row->number), row->is_new);
    ratings_ticket_windows_free(&windows);
}

/* ---- against a model that keeps all ---- */

#define LIVES 5
#define NUMBERS 20000

typedef struct {
    bool has_counted[NUMBERS], is_begun;
    uint64_t highest;
} life_t;

static bool model_counts(life_t *life, uint64_t number)
{
    if (life->has_counted[number] || (life->is_begun && number + RATINGS_TICKETS <= life->highest))
        return false;
    life->highest = life->is_begun && life->highest > number ? life->highest : number;
    return life->is_begun = life->has_counted[number] = true;
}

/* As the store would hand them to the next projector. */
static void pack_and_unpack(ratings_ticket_windows_t *windows)
{
    ratings_ticket_windows_t read = {0};
    for (size_t i = 0; i < windows->count; i++) {
        unsigned char bytes[RATINGS_TICKET_WINDOW_SIZE];
        ratings_ticket_window_t window;
        ratings_ticket_window_pack(&windows->window[i], bytes);
        assert_true(ratings_ticket_window_unpack(bytes, sizeof bytes, &window));
        window.life = windows->window[i].life;
        assert_memory_equal(&window, &windows->window[i], sizeof window);
        assert_true(ratings_ticket_windows_add(&read, &window));
        assert_false(ratings_ticket_windows_add(&read, &window));
    }
    ratings_ticket_windows_free(windows);
    *windows = read;
}

/* Numbers around one that rises, by steps and by leaps: most are new, many repeat. */
static void counts_as_the_model_does(void **state)
{
    static life_t lives[LIVES];
    ratings_ticket_windows_t windows = {0};
    uint64_t around[LIVES] = {0};
    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t at = draw(LIVES), *centre = &around[at];
        *centre += draw(3) ? draw(3) : draw(100) ? 0 : draw(1500);
        *centre %= NUMBERS - 100;
        uint64_t back = draw(4) ? draw(60) : draw(1200);
        uint64_t number = *centre + draw(60) < back ? 0 : *centre + draw(60) - back;
        number = number < NUMBERS ? number : 0;
        assert_int_equal(counts(&windows, 100 + at, number), model_counts(&lives[at], number));
        if (draw(1000) == 0)
            pack_and_unpack(&windows);
    }
    assert_int_equal(windows.count, LIVES);
    ratings_ticket_windows_free(&windows);
}

/* ---- what the store may hold ---- */

static void refuses_what_is_no_window(void **state)
{
    const ratings_ticket_window_t early = {LIFE, 5, 0, {1 << 5 | 1}}, late = {LIFE, 2000, 9, {0}};
    ratings_ticket_window_t window;
    unsigned char bytes[RATINGS_TICKET_WINDOW_SIZE + 1];
    (void)state;
    ratings_ticket_window_pack(&early, bytes);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        char *copy = unit_copy((const char *)bytes, len);
        assert_int_equal(ratings_ticket_window_unpack(copy, len, &window),
                         len == RATINGS_TICKET_WINDOW_SIZE);
        free(copy);
    }
    bytes[8] = 0x80; /* an offset below 0 */
    assert_false(ratings_ticket_window_unpack(bytes, RATINGS_TICKET_WINDOW_SIZE, &window));
    bytes[8] = 0;
    bytes[16] |= 1 << 6; /* a number below 0 */
    assert_false(ratings_ticket_window_unpack(bytes, RATINGS_TICKET_WINDOW_SIZE, &window));
    ratings_ticket_window_pack(&late, bytes); /* the highest has not counted */
    assert_false(ratings_ticket_window_unpack(bytes, RATINGS_TICKET_WINDOW_SIZE, &window));
    memset(bytes, 0xff, 8); /* nor has the largest that there is */
    assert_false(ratings_ticket_window_unpack(bytes, RATINGS_TICKET_WINDOW_SIZE, &window));
}

/* ---- lives ---- */

static void forgets_the_life_that_counted_the_longest_ago(void **state)
{
    ratings_ticket_windows_t windows = {0};
    ratings_ticket_t ticket = {.number = 1};
    uint64_t forgotten;
    (void)state;
    for (uint64_t life = 1; life <= RATINGS_LIVES_MAX; life++)
        assert_true(counts(&windows, life * 3, 1));
    assert_true(counts(&windows, 3, 2));  /* it is the latest now */
    assert_false(counts(&windows, 6, 1)); /* what repeats is no use of it */
    ticket.life = 1;
    assert_int_equal(
        ratings_ticket_windows_check_and_note(&windows, &ticket, next_offset++, &forgotten),
        RATINGS_TICKET_COUNTS);
    assert_int_equal(forgotten, 6);
    assert_int_equal(windows.count, RATINGS_LIVES_MAX);
    assert_false(ratings_ticket_windows_add(&windows, &(ratings_ticket_window_t){.life = 2}));
    assert_false(counts(&windows, 3, 1));
    assert_false(counts(&windows, 1, 1));
    assert_true(counts(&windows, 6, 1)); /* as the first of a new life, for which the next goes */
    assert_true(counts(&windows, 9, 1));
    ratings_ticket_windows_free(&windows);
    assert_int_equal(windows.count, 0);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, counts_once, ROWS(rows));
    unit_add(&suite, "200,000 tickets of five lives count as they do in a model that keeps all",
             counts_as_the_model_does, NULL);
    unit_add(&suite, "what is no window is refused", refuses_what_is_no_window, NULL);
    unit_add(&suite, "of too many lives the one that counted the longest ago is forgotten",
             forgets_the_life_that_counted_the_longest_ago, NULL);
    return unit_run("ticket_window", &suite);
}
