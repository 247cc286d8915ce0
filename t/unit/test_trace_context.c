#include "../../src/core/trace_context.h"
#include "unit.h"

#include <stdio.h>

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"
#define PARENT "00-" ID "-" SPAN "-01"

/* ---- traceparent ---- */

typedef struct {
    const char *name;
    const char *header;
    const char *parent; /* NULL: it is malformed */
} parent_row_t;

static parent_row_t parents[] = {
    {"sampled", PARENT, PARENT},
    {"not sampled", "00-" ID "-" SPAN "-00", "00-" ID "-" SPAN "-00"},
    {"flags that 00 does not know", "00-" ID "-" SPAN "-ff", "00-" ID "-" SPAN "-ff"},
    {"a later version, as long", "01-" ID "-" SPAN "-01", PARENT},
    {"a later version, longer", "cc-" ID "-" SPAN "-01-what-the-future-will-be-like", PARENT},
    {"a later version, with a dash alone", "cc-" ID "-" SPAN "-01-", PARENT},
    {"a later version: of its flags, the one that is known", "fe-" ID "-" SPAN "-ff", PARENT},
    {"a later version, not sampled", "01-" ID "-" SPAN "-fe", "00-" ID "-" SPAN "-00"},
    {"a later version that goes on without a dash", "cc-" ID "-" SPAN "-01.what", NULL},
    {"a later version, twice, as httpd joins two headers",
     "01-" ID "-" SPAN "-01, 01-" ID "-" SPAN "-01", NULL},
    {"a later version, cut short", "cc-" ID "-" SPAN "-0", NULL},
    {"version ff", "ff-" ID "-" SPAN "-01", NULL},
    {"version 00, longer", PARENT "-what", NULL},
    {"version 00, with a dash at its end", PARENT "-", NULL},
    {"version 00, twice", PARENT ", " PARENT, NULL},
    {"nothing", "", NULL},
    {"a blank", " ", NULL},
    {"a blank before", " " PARENT, NULL},
    {"a blank after", PARENT " ", NULL},
    {"the version alone", "00", NULL},
    {"the version and its dash", "00-", NULL},
    {"no version", ID "-" SPAN "-01", NULL},
    {"a version of one digit", "0-" ID "-" SPAN "-01", NULL},
    {"a version of three digits", "000-" ID "-" SPAN "-01", NULL},
    {"a version that is no number", "0x-" ID "-" SPAN "-01", NULL},
    {"a version in capitals", "0A-" ID "-" SPAN "-01", NULL},
    {"a dot in the place of a dash", "00." ID "-" SPAN "-01", NULL},
    {"a dot in the place of the second", "00-" ID "." SPAN "-01", NULL},
    {"a dot in the place of the third", "00-" ID "-" SPAN ".01", NULL},
    {"a trace of all zeros", "00-00000000000000000000000000000000-" SPAN "-01", NULL},
    {"a trace in capitals", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", NULL},
    {"a trace that is a digit short", "00-4bf92f3577b34da6a3ce929d0e0e473-" SPAN "-01", NULL},
    {"a trace that is a digit longer", "00-4bf92f3577b34da6a3ce929d0e0e47361-" SPAN "-01", NULL},
    {"a trace with another letter", "00-4bf92f3577b34da6a3ce929d0e0e473g-" SPAN "-01", NULL},
    {"a parent of all zeros", "00-" ID "-0000000000000000-01", NULL},
    {"a parent in capitals", "00-" ID "-00F067AA0BA902B7-01", NULL},
    {"a parent that is a digit short", "00-" ID "-00f067aa0ba902b-01", NULL},
    {"a parent with another letter", "00-" ID "-00f067aa0ba902bz-01", NULL},
    {"flags of one digit", "00-" ID "-" SPAN "-1", NULL},
    {"flags that are no number", "00-" ID "-" SPAN "-0g", NULL},
    {"flags in capitals", "00-" ID "-" SPAN "-0F", NULL},
    {"no flags", "00-" ID "-" SPAN "-", NULL},
    {"bytes beyond ASCII", "00-" ID "-" SPAN "-\xc3\xa4", NULL},
    {"none", NULL, NULL},
};

static void test_parent(void **state)
{
    const parent_row_t *row = *state;
    ratings_trace_t trace;
    bool is_read = ratings_trace_read(row->header, "a=1", &trace);
    assert_int_equal(is_read, row->parent != NULL);
    if (!is_read)
        return;
    assert_string_equal(trace.parent, row->parent);
    assert_string_equal(trace.state, "a=1");
    assert_memory_equal(ratings_trace_id(&trace), ID, RATINGS_TRACE_ID_LENGTH);
}

/* No byte of it may be any other, but for the flags: those are any two digits. */
static void each_byte_counts(void **state)
{
    char header[] = PARENT;
    ratings_trace_t trace;
    (void)state;
    for (size_t at = 0; at < sizeof header - 1; at++)
        for (int byte = 1; byte < 256; byte++) {
            char before = header[at];
            bool is_digit = strchr("0123456789abcdef", byte) != NULL;
            header[at] = (char)byte;
            assert_int_equal(ratings_trace_read(header, NULL, &trace),
                             at == 2 || at == 35 || at == 52 ? byte == '-' : is_digit);
            header[at] = before;
        }
}

static void no_prefix_is_one(void **state)
{
    ratings_trace_t trace;
    (void)state;
    for (size_t length = 0; length < sizeof PARENT - 1; length++) {
        char *header = unit_copy(PARENT, length + 1);
        header[length] = '\0';
        assert_false(ratings_trace_read(header, NULL, &trace));
        free(header);
    }
}

/* ---- tracestate ---- */

typedef struct {
    const char *name;
    const char *header;
    const char *state;
} state_row_t;

#define SIXTEEN(text)                                                                              \
    text text text text text text text text text text text text text text text text
#define A_256 SIXTEEN("aaaaaaaaaaaaaaaa")

static state_row_t states[] = {
    {"none", NULL, ""},
    {"empty", "", ""},
    {"blank", " \t", ""},
    {"one", "congo=t61rcWkgMzE", "congo=t61rcWkgMzE"},
    {"two", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"},
    {"blanks around them", " a=1 ,\tb=2\t, c=3", "a=1,b=2,c=3"},
    {"empty ones among them", ",a=1,, ,b=2,", "a=1,b=2"},
    {"a blank in a value", "a=1 2", "a=1 2"},
    {"a value that begins with a blank", "a= 1", "a= 1"},
    {"each character of a key", "a0_-*/z=1", "a0_-*/z=1"},
    {"a tenant", "0fw529a3039@dt=FfAxMjM", "0fw529a3039@dt=FfAxMjM"},
    {"the same key twice", "a=1,a=2", "a=1,a=2"},
    {"a key of 256 characters", A_256 "=1", A_256 "=1"},
    {"a key of 257 characters", A_256 "a=1", ""},
    {"a value of 256 characters", "a=" A_256, "a=" A_256},
    {"a value of 257 characters", "a=" A_256 "a", ""},
    {"32 of them", SIXTEEN("a=1,b=2,"),
     "a=1,b=2,a=1,b=2,a=1,b=2,a=1,b=2,a=1,b=2,a=1,b=2,a=1,b=2,"
     "a=1,b=2,a=1,b=2,a=1,b=2,a=1,b=2,a=1,b=2,a=1,b=2,a=1,b=2,"
     "a=1,b=2,a=1,b=2"},
    {"33 of them", SIXTEEN("a=1,b=2,") "c=3", ""},
    {"no value", "a=", ""},
    {"a value of a blank", "a= ", ""},
    {"no key", "=1", ""},
    {"no equals sign", "a", ""},
    {"one that is malformed", "a=1,b", ""},
    {"an equals sign in a value", "a=1=2", ""},
    {"a blank before the equals sign", "a =1", ""},
    {"a key in capitals", "A=1", ""},
    {"a key that begins with a digit", "1a=1", ""},
    {"a key that begins with a sign", "_a=1", ""},
    {"a key with another sign", "a.b=1", ""},
    {"a tenant alone", "t@=1", ""},
    {"a system alone", "@s=1", ""},
    {"two at signs", "t@s@s=1", ""},
    {"a system that begins with a digit", "t@1s=1", ""},
    {"a system of 14 characters", "t@abcdefghijklmn=1", "t@abcdefghijklmn=1"},
    {"a system of 15 characters", "t@abcdefghijklmno=1", ""},
    {"a control character in a value", "a=1\x01", ""},
    {"a tab in a value", "a=1\t2", ""},
    {"bytes beyond ASCII", "a=\xc3\xa4", ""},
};

static void test_state(void **state)
{
    const state_row_t *row = *state;
    ratings_trace_t trace;
    assert_true(ratings_trace_read(PARENT, row->header, &trace));
    assert_string_equal(trace.parent, PARENT);
    assert_string_equal(trace.state, row->state);
}

/* ---- what is too long ---- */

/* Adds "KEY=xxx", `length` characters. */
static void add(char *header, char key, size_t length)
{
    char *end = header + strlen(header);
    if (end > header)
        *end++ = ',';
    memset(end, 'x', length);
    end[0] = key;
    end[1] = '=';
    end[length] = '\0';
}

typedef struct {
    const char *name;
    size_t lengths[8]; /* of the members a, b ...; 0 ends them */
    const char *kept;
} long_row_t;

static long_row_t longs[] = {
    {"512 characters", {128, 127, 127, 127}, "abcd"},
    {"one more: the last is dropped", {128, 128, 127, 127}, "abc"},
    {"the longest that is no long one is dropped last", {100, 129, 100, 100, 100}, "acde"},
    {"of two long ones, the last", {200, 100, 200, 100}, "abd"},
    {"both long ones", {200, 200, 128, 128, 128}, "cde"},
    {"both, and the last", {200, 200, 128, 128, 128, 125, 10}, "cdef"},
    {"a long one that fits stays", {200, 200}, "ab"},
    {"all that are long", {258, 258, 258, 10}, "ad"},
};

static void test_long(void **state)
{
    const long_row_t *row = *state;
    char header[4096] = "", expected[4096] = "";
    ratings_trace_t trace;
    for (int i = 0; row->lengths[i]; i++) {
        char key = (char)('a' + i);
        add(header, key, row->lengths[i]);
        if (strchr(row->kept, key))
            add(expected, key, row->lengths[i]);
    }
    assert_true(ratings_trace_read(PARENT, header, &trace));
    assert_string_equal(trace.state, expected);
    assert_true(strlen(trace.state) <= RATINGS_TRACE_STATE_MAX);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, test_parent, ROWS(parents));
    unit_add(&suite, "each byte counts", each_byte_counts, NULL);
    unit_add(&suite, "no prefix is one", no_prefix_is_one, NULL);
    unit_add_rows(&suite, test_state, ROWS(states));
    unit_add_rows(&suite, test_long, ROWS(longs));
    return unit_run("trace_context", &suite);
}
