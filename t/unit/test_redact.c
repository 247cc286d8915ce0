/* What redaction leaves of a connection string that nobody can read. */
#include "../../src/core/redact.h"
#include "unit.h"

typedef struct {
    const char *name, *connection, *shown;
} row_t;

static row_t rows[] = {
    {"nothing", "", "***"},
    {"a word", "secret", "***"},
    {"words", "host=h password='secret", "***"},
    {"PostgreSQL", "postgres://u:sec/ret@h", "postgres://***"},
    {"its other name", "postgresql://u:sec@ret@h", "postgresql://***"},
    {"Redis", "redis://secret@h", "redis://***"},
    {"Redis with TLS", "rediss://:secret@h", "rediss://***"},
    {"sentinels with TLS", "rediss+sentinel://:secret@h", "rediss+sentinel://***"},
    {"a function", "http://secret@h:99999/", "http://***"},
    {"a function with TLS", "https://h/?code=secret", "https://***"},
    {"a scheme that nobody knows", "secret://h", "***"},
    {"a scheme alone", "redis://", "redis://***"},
    {"less than a scheme", "redis:/", "***"},
};

static void redacts(void **state)
{
    const row_t *row = *state;
    char *connection = unit_copy(row->connection, strlen(row->connection) + 1);
    const char *shown = ratings_redact(connection);

    free(connection); /* nothing of it is left */
    assert_string_equal(shown, row->shown);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, redacts, ROWS(rows));
    return unit_run("redact", &suite);
}
