/* Credentials for AWS: what they are read from, and how long they are valid. */
#include "../../src/core/aws_credentials.h"
#include "unit.h"

/* ---- age ---- */

typedef struct {
    const char *name;
    int64_t left; /* until they expire, seconds */
    ratings_aws_age_e age;
} age_row_t;

static age_row_t ages[] = {
    {"an hour", 3600, RATINGS_AWS_FRESH},   {"301 seconds", 301, RATINGS_AWS_FRESH},
    {"five minutes", 300, RATINGS_AWS_DUE}, {"a second", 1, RATINGS_AWS_DUE},
    {"no time", 0, RATINGS_AWS_EXPIRED},    {"since an hour", -3600, RATINGS_AWS_EXPIRED},
};

static void age_is(void **state)
{
    const age_row_t *row = *state;
    const int64_t now = INT64_C(1800000000000000);
    const ratings_aws_credentials_t credentials = {.expires_at = now + row->left * 1000000};
    assert_int_equal(ratings_aws_credentials_age(&credentials, now), row->age);
}

static void static_ones_do_not_expire(void **state)
{
    ratings_aws_credentials_t credentials;
    (void)state;
    assert_null(ratings_aws_credentials_set("id", "secret", NULL, &credentials));
    assert_string_equal(credentials.token, "");
    assert_int_equal(ratings_aws_credentials_age(&credentials, INT64_MAX - 1 - RATINGS_AWS_DUE_US),
                     RATINGS_AWS_FRESH);
}

/* ---- JSON ---- */

typedef struct {
    const char *name;
    const char *text;
    const char *problem; /* a part of it; NULL: it is read */
    const char *token;
    int64_t expires_at; /* seconds */
} answer_row_t;

#define KEYS "\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"se/cr+et=\""

static answer_row_t answers[] = {
    {"an instance's",
     "{\"Code\":\"Success\",\"LastUpdated\":\"2026-11-30T06:00:00Z\",\"Type\":\"AWS-HMAC\"," KEYS
     ",\"Token\":\"to/ken==\",\"Expiration\":\"2026-11-30T12:00:00Z\"}",
     NULL, "to/ken==", 1796040000},
    {"a container's",
     "{\"RoleArn\":\"arn:aws:iam::1:role/r\"," KEYS
     ",\"Token\":\"t\",\"Expiration\":\"2026-11-30T12:00:00.123456Z\"}",
     NULL, "t", 1796040000},
    {"without a token and an end", "{" KEYS "}", NULL, "", INT64_MAX},
    {"nothing", "", "the JSON is malformed", NULL, 0},
    {"no JSON", "<html>", "the JSON is malformed", NULL, 0},
    {"no object", "[]", "the JSON is not an object", NULL, 0},
    {"half of it", "{" KEYS, "the JSON is malformed", NULL, 0},
    {"an empty object", "{}", "no access key id", NULL, 0},
    {"no secret", "{\"AccessKeyId\":\"AKID\"}", "no secret access key", NULL, 0},
    {"an empty secret", "{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"\"}",
     "no secret access key", NULL, 0},
    {"a number", "{\"AccessKeyId\":1,\"SecretAccessKey\":\"s\"}", "no access key id", NULL, 0},
    {"another code", "{\"Code\":\"AssumeRoleUnauthorizedAccess\"," KEYS "}", "Code", NULL, 0},
    {"a line end in the token", "{" KEYS ",\"Token\":\"a\\r\\nX: y\"}", "session token", NULL, 0},
    {"a blank in the id", "{\"AccessKeyId\":\"A B\",\"SecretAccessKey\":\"s\"}", "access key id",
     NULL, 0},
    {"letters beyond ASCII", "{\"AccessKeyId\":\"\xc3\xa9\",\"SecretAccessKey\":\"s\"}",
     "access key id", NULL, 0},
    {"an end that is no time", "{" KEYS ",\"Expiration\":\"tomorrow\"}", "Expiration", NULL, 0},
    {"an end in another zone", "{" KEYS ",\"Expiration\":\"2026-11-30T12:00:00+01:00\"}",
     "Expiration", NULL, 0},
    {"an end with more", "{" KEYS ",\"Expiration\":\"2026-11-30T12:00:00Zx\"}", "Expiration", NULL,
     0},
    {"an end without its time", "{" KEYS ",\"Expiration\":\"2026-11-30\"}", "Expiration", NULL, 0},
};

static void answer_is_read(void **state)
{
    const answer_row_t *row = *state;
    ratings_aws_credentials_t credentials;
    const char *problem =
        ratings_aws_credentials_from_json(row->text, strlen(row->text), &credentials);
    if (row->problem) {
        assert_non_null(problem);
        assert_non_null(strstr(problem, row->problem));
        return;
    }
    assert_null(problem);
    assert_string_equal(credentials.key_id, "AKID");
    assert_string_equal(credentials.secret, "se/cr+et=");
    assert_string_equal(credentials.token, row->token);
    assert_true(credentials.expires_at ==
                (row->expires_at == INT64_MAX ? INT64_MAX : row->expires_at * 1000000));
}

/* ---- bounds ---- */

static void bounds_are_kept(void **state)
{
    ratings_aws_credentials_t credentials;
    char text[RATINGS_AWS_TOKEN_MAX + 2];
    (void)state;
    memset(text, 'x', sizeof text);
    text[RATINGS_AWS_TOKEN_MAX] = '\0';
    assert_null(ratings_aws_credentials_set("id", "secret", text, &credentials));
    assert_string_equal(credentials.token, text);
    text[RATINGS_AWS_TOKEN_MAX] = 'x';
    text[RATINGS_AWS_TOKEN_MAX + 1] = '\0';
    assert_non_null(ratings_aws_credentials_set("id", "secret", text, &credentials));
    text[RATINGS_AWS_SECRET_MAX + 1] = '\0';
    assert_non_null(ratings_aws_credentials_set("id", text, NULL, &credentials));
    text[RATINGS_AWS_SECRET_MAX] = '\0';
    assert_null(ratings_aws_credentials_set("id", text, NULL, &credentials));
    assert_non_null(ratings_aws_credentials_set(text, "secret", NULL, &credentials));
}

/* ---- profiles ---- */

typedef struct {
    const char *name;
    const char *text, *profile;
    bool is_found;
    const char *problem; /* a part of it; NULL: none */
    const char *secret, *token;
} profile_row_t;

static profile_row_t profiles[] = {
    {"the only one", "[default]\naws_access_key_id=AKID\naws_secret_access_key=s\n", "default",
     true, NULL, "s", ""},
    {"with blanks, comments and other settings",
     "# aws_access_key_id = no\n\n  [ default ]  \r\n ; no\n\taws_access_key_id =  AKID \r\n"
     "region = eu-central-1\naws_secret_access_key = s/=+ \naws_session_token\t=\tt",
     "default", true, NULL, "s/=+", "t"},
    {"one of several",
     "[a]\naws_access_key_id=AKID\naws_secret_access_key=1\n[b]\naws_access_key_id=AKID\n"
     "aws_secret_access_key=2\n[c]\naws_access_key_id=AKID\naws_secret_access_key=3\n",
     "b", true, NULL, "2", ""},
    {"one in two parts", "[a]\naws_access_key_id=AKID\n[b]\n[a]\naws_secret_access_key=2\n", "a",
     true, NULL, "2", ""},
    {"twice the same setting",
     "[a]\naws_access_key_id=AKID\naws_secret_access_key=1\naws_secret_access_key=2\n", "a", true,
     NULL, "2", ""},
    {"another one", "[a]\naws_access_key_id=AKID\naws_secret_access_key=1\n", "b", false, NULL, "",
     ""},
    {"settings of none", "aws_access_key_id=AKID\naws_secret_access_key=1\n", "default", false,
     NULL, "", ""},
    {"a name that is longer", "[default2]\naws_access_key_id=AKID\n", "default", false, NULL, "",
     ""},
    {"an empty file", "", "default", false, NULL, "", ""},
    {"a bracket that stays open", "[default\naws_access_key_id=AKID\n", "default", false, NULL, "",
     ""},
    {"an empty one", "[default]\n", "default", true, "no access key id", "", ""},
    {"no secret", "[default]\naws_access_key_id=AKID\n", "default", true, "no secret access key",
     "", ""},
    {"a comment behind a value",
     "[default]\naws_access_key_id=AKID # mine\naws_secret_access_key=s\n", "default", true,
     "access key id is none", "", ""},
};

static void profile_is_read(void **state)
{
    const profile_row_t *row = *state;
    ratings_aws_credentials_t credentials;
    bool is_found;
    const char *problem = ratings_aws_credentials_from_profile(
        row->text, strlen(row->text), row->profile, &credentials, &is_found);
    assert_int_equal(is_found, row->is_found);
    if (row->problem) {
        assert_non_null(problem);
        assert_non_null(strstr(problem, row->problem));
        return;
    }
    assert_null(problem);
    if (!is_found)
        return;
    assert_string_equal(credentials.key_id, "AKID");
    assert_string_equal(credentials.secret, row->secret);
    assert_string_equal(credentials.token, row->token);
    assert_true(credentials.expires_at == INT64_MAX);
}

static void profile_that_is_too_long(void **state)
{
    static const char begin[] = "[default]\naws_access_key_id=";
    char text[sizeof begin + RATINGS_AWS_KEY_ID_MAX + 1];
    ratings_aws_credentials_t credentials;
    bool is_found;
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, begin, sizeof begin - 1);
    assert_non_null(ratings_aws_credentials_from_profile(text, sizeof text, "default", &credentials,
                                                         &is_found));
    assert_true(is_found);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, age_is, ROWS(ages));
    unit_add(&suite, "static ones do not expire", static_ones_do_not_expire, NULL);
    unit_add_rows(&suite, answer_is_read, ROWS(answers));
    unit_add(&suite, "bounds", bounds_are_kept, NULL);
    unit_add_rows(&suite, profile_is_read, ROWS(profiles));
    unit_add(&suite, "a profile that is too long", profile_that_is_too_long, NULL);
    return unit_run("aws_credentials", &suite);
}
