#include "../../src/core/ticket.h"
#include "unit.h"

typedef struct {
    const char *name;
    uint64_t life, number;
    const char *text;
} printed_t;

static printed_t printed[] = {
    {"the smallest", 1, 0, "0000000000000001-0000000000000000"},
    {"each digit has its place", UINT64_C(0x123456789abcdef0), UINT64_C(0xfedcba987654321),
     "123456789abcdef0-0fedcba987654321"},
    {"the largest", UINT64_MAX, UINT64_MAX, "ffffffffffffffff-ffffffffffffffff"},
};

static void prints_and_parses(void **state)
{
    const printed_t *row = *state;
    const ratings_ticket_t ticket = {row->life, row->number};
    char text[RATINGS_TICKET_TEXT_SIZE];
    ratings_ticket_t read;
    ratings_ticket_print(&ticket, text);
    assert_string_equal(text, row->text);
    char *copy = unit_copy(text, strlen(text));
    assert_true(ratings_ticket_parse(copy, strlen(text), &read));
    assert_memory_equal(&read, &ticket, sizeof ticket);
    free(copy);
}

static void is_none(const char *text, size_t len)
{
    char *copy = unit_copy(text, len);
    ratings_ticket_t ticket = {1, 1};
    assert_false(ratings_ticket_parse(copy, len, &ticket));
    assert_true(ticket.life == 0 && ticket.number == 0);
    free(copy);
}

static const char whole[] = "0123456789abcdef-0123456789abcdef";

static void parses_what_it_prints_alone(void **state)
{
    ratings_ticket_t ticket;
    (void)state;
    for (size_t len = 0; len < sizeof whole - 1; len++)
        is_none(whole, len);
    is_none(BYTES("0123456789abcdef-0123456789abcdef0"));
    for (size_t i = 0; i < sizeof whole - 1; i++)
        for (int c = 0; c < 256; c++) {
            char text[sizeof whole];
            memcpy(text, whole, sizeof whole);
            text[i] = (char)c;
            bool is_one = i == 16 ? c == '-' : c != 0 && strchr("0123456789abcdef", c);
            assert_int_equal(ratings_ticket_parse(text, sizeof whole - 1, &ticket), is_one);
        }
}

static void life_is_never_zero(void **state)
{
    (void)state;
    is_none(BYTES("0000000000000000-0123456789abcdef"));
}

static void a_uuid_is_none(void **state)
{
    (void)state;
    is_none(BYTES("6ba7b810-9dad-11d1-80b4-00c04fd430c8"));
    is_none(BYTES(""));
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, prints_and_parses, ROWS(printed));
    unit_add(&suite, "a ticket is twice 16 lower-case hexadecimal digits, with a hyphen between",
             parses_what_it_prints_alone, NULL);
    unit_add(&suite, "a life is never 0", life_is_never_zero, NULL);
    unit_add(&suite, "a UUID is no ticket, nor is nothing", a_uuid_is_none, NULL);
    return unit_run("ticket", &suite);
}
