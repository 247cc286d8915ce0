#include "../../src/core/media_type.h"
#include "unit.h"

typedef struct {
    const char *name;
    const char *field;
    bool is_json, is_utf8;
} row_t;

#define JSON "application/json"

static row_t rows[] = {
    {"the type alone", JSON, true, true},
    {"in capitals", "Application/JSON", true, true},
    {"a blank after it", JSON " ", true, true},
    {"a semicolon after it", JSON ";", true, true},
    {"semicolons and blanks after it", JSON " ; ;\t;", true, true},
    {"a longer type", "application/jsonx", false, true},
    {"a suffix", "application/problem+json", false, true},
    {"a shorter type", "application/jso", false, true},
    {"a form", "application/x-www-form-urlencoded", false, true},
    {"nothing", "", false, true},
    {"a parameter alone", "; charset=utf-8", false, true},
    {"two types", JSON ", " JSON, false, true},
    {"something behind a blank", JSON " x", false, true},

    {"utf-8", JSON "; charset=utf-8", true, true},
    {"UTF-8", JSON ";charset=UTF-8", true, true},
    {"utf8", JSON "; charset=utf8", true, true},
    {"UTF8", JSON "; charset=UTF8", true, true},
    {"Utf-8, and the name in capitals", JSON "; CHARSET=Utf-8", true, true},
    {"quoted utf-8", JSON "; charset=\"utf-8\"", true, true},
    {"quoted UTF8", JSON ";charset=\"UTF8\" ", true, true},
    {"quoted with an escape", JSON "; charset=\"ut\\f-8\"", true, true},
    {"blanks beside the sign", JSON "; charset = utf-8", true, true},
    {"after another parameter", JSON "; profile=\"a;b\"; charset=utf-8", true, true},
    {"before another parameter", JSON "; charset=utf-8; profile=x", true, true},
    {"twice the same", JSON "; charset=utf-8; charset=utf8", true, true},
    {"another parameter alone", JSON "; profile=latin1", true, true},
    {"another name that ends alike", JSON "; xcharset=latin1", true, true},
    {"another name that begins alike", JSON "; charsets=latin1", true, true},
    {"a charset within quotes of another", JSON "; profile=\"; charset=latin1\"", true, true},
    {"a name without a value", JSON "; x", true, true},

    {"latin1", JSON "; charset=latin1", true, false},
    {"ISO-8859-1", JSON "; charset=ISO-8859-1", true, false},
    {"us-ascii", JSON "; charset=us-ascii", true, false},
    {"utf-16", JSON "; charset=utf-16", true, false},
    {"utf-8x", JSON "; charset=utf-8x", true, false},
    {"utf-80", JSON "; charset=utf-80", true, false},
    {"utf-8-sig", JSON "; charset=utf-8-sig", true, false},
    {"utf", JSON "; charset=utf", true, false},
    {"utf8mb4", JSON "; charset=utf8mb4", true, false},
    {"quoted latin1", JSON "; charset=\"latin1\"", true, false},
    {"utf-8 and blanks within quotes", JSON "; charset=\" utf-8\"", true, false},
    {"quotes of another kind", JSON "; charset='utf-8'", true, false},
    {"no value", JSON "; charset=", true, false},
    {"no sign", JSON "; charset", true, false},
    {"an empty value", JSON "; charset=\"\"", true, false},
    {"quotes without an end", JSON "; charset=\"utf-8", true, false},
    {"quotes that an escape ends", JSON "; charset=\"utf-8\\", true, false},
    {"something behind the quotes", JSON "; charset=\"utf-8\"x", true, false},
    {"something behind a blank", JSON "; charset=utf-8 x", true, false},
    {"utf-8, then latin1", JSON "; charset=utf-8; charset=latin1", true, false},
    {"latin1, then utf-8", JSON "; charset=latin1; charset=utf-8", true, false},
    {"latin1 behind a parameter without a sign", JSON "; x; charset=latin1", true, false},
    {"latin1 and blanks beside the sign", JSON ";charset = latin1", true, false},
    {"two fields in one", JSON "; charset=utf-8, " JSON, true, false},
};

static void reads(void **state)
{
    const row_t *row = *state;
    char *field = unit_copy(row->field, strlen(row->field) + 1);
    bool is_json = ratings_media_type_is(field, JSON);
    bool is_utf8 = ratings_media_type_is_utf8(field);

    free(field);
    assert_int_equal(is_json, row->is_json);
    assert_int_equal(is_utf8, row->is_utf8);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, reads, ROWS(rows));
    return unit_run("media_type", &suite);
}
