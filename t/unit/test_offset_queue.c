#include "../../src/core/offset_queue.h"
#include "unit.h"

#define COUNT 200

static void expect(ratings_offset_queue_t *queue, int64_t checkpoint,
                   ratings_offset_queue_item_t *expected)
{
    assert_ptr_equal(ratings_offset_queue_pop_below(queue, checkpoint), expected);
}

/* Forwards and backwards, so that no link is wrong that a later step would need. */
static void assert_is_ordered(const ratings_offset_queue_t *queue, size_t count)
{
    const ratings_offset_queue_item_t *item;
    size_t forwards = 0, backwards = 0;
    int64_t last = INT64_MIN;

    TAILQ_FOREACH(item, &queue->items, link) {
        assert_true(item->offset >= last);
        assert_ptr_equal(item->queue, queue);
        last = item->offset;
        forwards++;
    }
    TAILQ_FOREACH_REVERSE(item, &queue->items, ratings_offset_queue_items_t, link)
        backwards++;
    assert_int_equal(forwards, count);
    assert_int_equal(backwards, count);
    assert_int_equal(ratings_offset_queue_is_empty(queue), count == 0);
}

static void an_empty_queue_pops_nothing(void **state)
{
    ratings_offset_queue_t queue;

    (void)state;
    ratings_offset_queue_init(&queue);
    expect(&queue, INT64_MAX, NULL);
}

static void a_checkpoint_pops_what_is_below_it(void **state)
{
    ratings_offset_queue_t queue;
    ratings_offset_queue_item_t item = {0};

    (void)state;
    ratings_offset_queue_init(&queue);
    ratings_offset_queue_insert(&queue, &item, 5);
    expect(&queue, 0, NULL);
    expect(&queue, 5, NULL); /* the checkpoint is the next offset that is not applied */
    expect(&queue, 6, &item);
    expect(&queue, 6, NULL);
    assert_is_ordered(&queue, 0);
}

static void items_inserted_in_order_are_popped_in_order(void **state)
{
    ratings_offset_queue_t queue;
    ratings_offset_queue_item_t items[3] = {0};

    (void)state;
    ratings_offset_queue_init(&queue);
    for (int i = 0; i < 3; i++)
        ratings_offset_queue_insert(&queue, &items[i], i);
    expect(&queue, 2, &items[0]);
    expect(&queue, 2, &items[1]);
    expect(&queue, 2, NULL);
    assert_is_ordered(&queue, 1);
}

static void late_items_are_inserted_where_they_belong(void **state)
{
    static const int64_t offsets[] = {20, 10, 30, 0, 25};
    static const size_t order[] = {3, 1, 0, 4, 2};
    ratings_offset_queue_t queue;
    ratings_offset_queue_item_t items[5] = {0};

    (void)state;
    ratings_offset_queue_init(&queue);
    for (size_t i = 0; i < 5; i++) {
        ratings_offset_queue_insert(&queue, &items[i], offsets[i]);
        assert_is_ordered(&queue, i + 1);
    }
    for (size_t i = 0; i < 5; i++)
        expect(&queue, INT64_MAX, &items[order[i]]);
}

static void of_equal_offsets_the_first_inserted_is_popped_first(void **state)
{
    ratings_offset_queue_t queue;
    ratings_offset_queue_item_t items[3] = {0};

    (void)state;
    ratings_offset_queue_init(&queue);
    for (int i = 0; i < 3; i++)
        ratings_offset_queue_insert(&queue, &items[i], 7);
    for (int i = 0; i < 3; i++)
        expect(&queue, 8, &items[i]);
}

/* A pending write whose time is over is removed from anywhere. */
static void any_item_may_be_removed(void **state)
{
    (void)state;
    for (int gone = 0; gone < 3; gone++) {
        ratings_offset_queue_t queue;
        ratings_offset_queue_item_t items[3] = {0};

        ratings_offset_queue_init(&queue);
        for (int i = 0; i < 3; i++)
            ratings_offset_queue_insert(&queue, &items[i], i);
        ratings_offset_queue_remove(&queue, &items[gone]);
        assert_is_ordered(&queue, 2);
        for (int i = 0; i < 3; i++)
            if (i != gone)
                expect(&queue, 3, &items[i]);
        expect(&queue, 3, NULL);
    }
}

/* The same numbers in every run. */
static uint32_t next_number(uint32_t *number)
{
    *number = *number * 1664525U + 1013904223U;
    return *number >> 16;
}

static void stays_ordered_under_any_insertions_and_removals(void **state)
{
    ratings_offset_queue_t queue;
    ratings_offset_queue_item_t items[COUNT] = {0};
    size_t inside = 0;
    uint32_t number = 1;
    bool in[COUNT] = {false};

    (void)state;
    ratings_offset_queue_init(&queue);
    for (int round = 0; round < 20000; round++) {
        size_t i = next_number(&number) % COUNT;
        if (in[i])
            ratings_offset_queue_remove(&queue, &items[i]);
        else
            ratings_offset_queue_insert(&queue, &items[i], next_number(&number) % 50);
        inside += in[i] ? (size_t)-1 : 1;
        in[i] = !in[i];
        if (round % 100 == 0)
            assert_is_ordered(&queue, inside);
    }
    for (int64_t last = 0; inside > 0; inside--) {
        const ratings_offset_queue_item_t *item = ratings_offset_queue_pop_below(&queue, INT64_MAX);
        assert_non_null(item);
        assert_true(item->offset >= last);
        last = item->offset;
    }
    assert_is_ordered(&queue, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_queue_pops_nothing),
        cmocka_unit_test(a_checkpoint_pops_what_is_below_it),
        cmocka_unit_test(items_inserted_in_order_are_popped_in_order),
        cmocka_unit_test(late_items_are_inserted_where_they_belong),
        cmocka_unit_test(of_equal_offsets_the_first_inserted_is_popped_first),
        cmocka_unit_test(any_item_may_be_removed),
        cmocka_unit_test(stays_ordered_under_any_insertions_and_removals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
