#include "../../src/core/redact.h"
#include "unit.h"

typedef struct {
    const char *name;
    const char *connection;
    const char *redacted; /* NULL: the same */
} row_t;

static row_t rows[] = {
    {"nothing stays nothing", "", NULL},
    {"a host and a port are kept", "127.0.0.1:9092", NULL},
    {"a URL without password is kept", "postgres://h:5432/talks?sslmode=disable", NULL},
    {"a user without password is kept", "postgres://user@h/talks", NULL},
    {"words without password are kept", "host=h port=5432 user=u dbname=talks", NULL},
    {"a name that only begins so is kept", "passwordless=yes host=h", NULL},
    {"a file of passwords is kept", "passfile=/etc/pgpass host=h", NULL},
    {"a value that spells password is kept", "user=password host=h", NULL},

    {"the password of a URL goes", "postgres://user:secret@h:5432/talks",
     "postgres://user:***@h:5432/talks"},
    {"a password without user goes", "redis://:secret@h:6379", "redis://:***@h:6379"},
    {"an empty password goes as well", "redis://user:@h", "redis://user:***@h"},
    {"a password with a colon goes", "redis://user:a:b@h", "redis://user:***@h"},
    {"a password with an at sign goes", "redis://user:a@b@h", "redis://user:***@h"},
    {"a password with a slash goes", "redis://user:a/b@h", "redis://user:***@h"},
    {"a password with a question mark goes", "redis://user:a?b@h", "redis://user:***@h"},
    {"a password with an at sign before a question mark goes", "redis://user:a@b?c@h",
     "redis://user:***@h"},
    {"an at sign in the query takes what is before it along", "redis://user:secret@h?x=a@b",
     "redis://user:***@b"},
    {"a password in the query goes", "postgres://h/talks?password=secret&sslmode=disable",
     "postgres://h/talks?password=***&sslmode=disable"},
    {"both passwords of a URL go", "postgres://u:one@h/talks?sslpassword=two",
     "postgres://u:***@h/talks?sslpassword=***"},
    {"the password of hosts in a row goes", "postgres://u:secret@h1:1,h2:2/talks",
     "postgres://u:***@h1:1,h2:2/talks"},

    {"the password among words goes", "host=h password=secret user=u",
     "host=h password=*** user=u"},
    {"the first word goes", "password=secret host=h", "password=*** host=h"},
    {"the last word goes", "host=h password=secret", "host=h password=***"},
    {"the password of a key goes", "host=h sslpassword=secret", "host=h sslpassword=***"},
    {"a password twice goes twice", "password=a password=b", "password=*** password=***"},
    {"capital letters hide nothing", "PassWord=secret", "PassWord=***"},
    {"blanks around the equals sign hide nothing", "host=h password = secret user=u",
     "host=h password = *** user=u"},
    {"line ends separate words", "host=h\npassword=secret\nuser=u", "host=h\npassword=***\nuser=u"},
    {"a quoted password goes", "password='se cret' host=h", "password=*** host=h"},
    {"a quote in a quoted password hides nothing", "password='se\\'cret' host=h",
     "password=*** host=h"},
    {"a quoted password without end goes", "host=h password='secret user=u", "host=h password=***"},
    {"an escaped blank is part of the password", "password=se\\ cret host=h",
     "password=*** host=h"},
    {"a backslash at the end ends it", "password=secret\\", "password=***"},
    {"an empty password among words is starred", "password= ", "password= ***"},
};

static void redacts(void **state)
{
    const row_t *row = *state;
    char *connection = unit_copy(row->connection, strlen(row->connection) + 1);
    char *redacted = ratings_redact(connection);

    assert_non_null(redacted);
    assert_string_equal(redacted, row->redacted ? row->redacted : row->connection);
    free(connection);
    free(redacted);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, redacts, ROWS(rows));
    return unit_run("redact", &suite);
}
