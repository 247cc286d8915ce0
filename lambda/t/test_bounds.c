/* What keeps the function within its bounds: the buffer's limit, and the pauses between tries. */
#include "../buffer.h"
#include "../pause.h"
#include <unit.h>

static void holds_what_is_appended(void **state)
{
    lambda_buffer_t buffer = {.max = 100000};
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < 10000; i++, len += 7)
        assert_true(lambda_buffer_append(&buffer, "ratings", 7));
    assert_int_equal(buffer.len, len);
    for (size_t i = 0; i < len; i += 7)
        assert_memory_equal(buffer.bytes + i, "ratings", 7);
    lambda_buffer_free(&buffer);
}

static void is_filled_to_its_limit(void **state)
{
    lambda_buffer_t buffer = {.max = 10};

    (void)state;
    assert_true(lambda_buffer_append(&buffer, "1234567", 7));
    assert_false(lambda_buffer_append(&buffer, "1234", 4));
    assert_int_equal(buffer.len, 7);
    assert_false(lambda_buffer_append(&buffer, "", SIZE_MAX));
    assert_true(lambda_buffer_append(&buffer, "890", 3));
    assert_true(lambda_buffer_append(&buffer, "", 0));
    assert_memory_equal(buffer.bytes, "1234567890", 10);
    lambda_buffer_free(&buffer);
}

static void is_used_again(void **state)
{
    lambda_buffer_t buffer = {.max = 10};
    const char *memory;

    (void)state;
    assert_true(lambda_buffer_append(&buffer, NULL, 0));
    assert_true(lambda_buffer_append(&buffer, "1234567890", 10));
    memory = buffer.bytes;
    lambda_buffer_clear(&buffer);
    assert_true(lambda_buffer_append(&buffer, "abc", 3));
    assert_ptr_equal(buffer.bytes, memory);
    assert_int_equal(buffer.len, 3);
    lambda_buffer_free(&buffer);
    assert_null(buffer.bytes);
    assert_int_equal(buffer.max, 10);
}

static void pauses_grow_to_a_second(void **state)
{
    static const long expected[] = {50, 50, 100, 200, 400, 800, 1000, 1000};

    (void)state;
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(lambda_pause_ms(i), expected[i]);
    assert_int_equal(lambda_pause_ms(4000000000), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"a buffer holds what is appended", holds_what_is_appended, NULL, NULL, NULL},
        {"a buffer is filled to its limit and no further", is_filled_to_its_limit, NULL, NULL,
         NULL},
        {"a buffer keeps its memory for the next use", is_used_again, NULL, NULL, NULL},
        {"pauses grow to a second", pauses_grow_to_a_second, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("bounds", tests, NULL, NULL);
}
