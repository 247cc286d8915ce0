/* Where the credentials for AWS come from. */
#include "../../src/core/aws_source.h"
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char file[] = "/tmp/test_aws_source.XXXXXX"; /* with the profiles default and other */

typedef struct {
    const char *name;
    ratings_aws_environment_t environment;
    const char *problem; /* a part of it; NULL: none, and what follows is found */
    ratings_aws_source_e kind;
    const char *text; /* the access key id, or the URL */
} source_row_t;

#define KEYS .key_id = "AKID", .secret = "s"
#define PLACE_OF_ECS "http://169.254.170.2/v2/credentials/1"

static source_row_t sources[] = {
    {"nothing", {0}, NULL, RATINGS_AWS_INSTANCE, "http://169.254.169.254"},
    {"empty variables",
     {.key_id = "",
      .secret = "",
      .file = "",
      .profile = "",
      .home = "",
      .web_identity = "",
      .container_path = "",
      .container_url = "",
      .instance_url = "",
      .instance_disabled = ""},
     NULL,
     RATINGS_AWS_INSTANCE,
     "http://169.254.169.254"},
    {"the environment", {KEYS}, NULL, RATINGS_AWS_STATIC, "AKID"},
    {"the environment before all others",
     {KEYS, .file = file, .container_path = "/v2", .instance_url = "http://h"},
     NULL,
     RATINGS_AWS_STATIC,
     "AKID"},
    {"an id without a secret", {.key_id = "AKID"}, "no secret access key", 0, NULL},
    {"a secret without an id", {.secret = "s"}, "no access key id", 0, NULL},
    {"a file", {.file = file}, NULL, RATINGS_AWS_STATIC, "AKIDDEFAULT"},
    {"a file and a profile",
     {.file = file, .profile = "other"},
     NULL,
     RATINGS_AWS_STATIC,
     "AKIDOTHER"},
    {"a file before a container",
     {.file = file, .container_path = "/v2"},
     NULL,
     RATINGS_AWS_STATIC,
     "AKIDDEFAULT"},
    {"a profile that is missing",
     {.file = file, .profile = "none"},
     "has no profile none",
     0,
     NULL},
    {"a profile that is broken",
     {.file = file, .profile = "half"},
     "no secret access key",
     0,
     NULL},
    {"a named file that is missing", {.file = "/no/such/file"}, "No such file", 0, NULL},
    {"a named file that is none", {.file = "/tmp"}, "no regular file", 0, NULL},
    {"a profile without a place", {.profile = "x"}, "neither HOME", 0, NULL},
    {"a profile in a home without a file",
     {.home = "/no/such", .profile = "x"},
     "/no/such/.aws/credentials: No such file",
     0,
     NULL},
    {"a home without a file",
     {.home = "/no/such"},
     NULL,
     RATINGS_AWS_INSTANCE,
     "http://169.254.169.254"},
    {"a container of ECS",
     {.container_path = "/v2/credentials/1"},
     NULL,
     RATINGS_AWS_CONTAINER,
     PLACE_OF_ECS},
    {"both places of a container: the path",
     {.container_path = "/v2/credentials/1", .container_url = "http://localhost/"},
     NULL,
     RATINGS_AWS_CONTAINER,
     PLACE_OF_ECS},
    {"a path without a slash", {.container_path = "v2"}, "begin with a slash", 0, NULL},
    {"an authorization of two lines",
     {.container_path = "/v2", .authorization = "a\r\nX: y"},
     "line end",
     0,
     NULL},
    {"an instance elsewhere",
     {.instance_url = "http://[fd00:ec2::254]:80//"},
     NULL,
     RATINGS_AWS_INSTANCE,
     "http://[fd00:ec2::254]:80"},
    {"an instance that is none", {.instance_url = "h"}, "takes http://", 0, NULL},
    {"an instance with a user", {.instance_url = "http://u:p@h"}, "has a user", 0, NULL},
    {"an instance with a token", {.instance_url = "https://t@h/?x"}, "has a user", 0, NULL},
    {"a container with a user",
     {.container_url = "https://u:p@credentials.example.org/"},
     "has a user",
     0,
     NULL},
    {"an at sign in a path",
     {.container_url = "http://localhost/a@b"},
     NULL,
     RATINGS_AWS_CONTAINER,
     "http://localhost/a@b"},
    {"a web identity", {.web_identity = "/token"}, "web identity is not supported", 0, NULL},
    {"a web identity before a container",
     {.web_identity = "/token", .container_path = "/v2"},
     "web identity is not supported",
     0,
     NULL},
    {"the environment before a web identity",
     {KEYS, .web_identity = "/token"},
     NULL,
     RATINGS_AWS_STATIC,
     "AKID"},
    {"a file before a web identity",
     {.file = file, .web_identity = "/token"},
     NULL,
     RATINGS_AWS_STATIC,
     "AKIDDEFAULT"},
    {"no instance", {.instance_disabled = "true"}, "there are none", 0, NULL},
    {"an instance that is not disabled",
     {.instance_disabled = "false"},
     NULL,
     RATINGS_AWS_INSTANCE,
     "http://169.254.169.254"},
};

static void source_is_found(void **state)
{
    const source_row_t *row = *state;
    static ratings_aws_source_t source;
    char why[256] = "";
    bool is_found = ratings_aws_source_find(&row->environment, &source, why, sizeof why);
    if (row->problem) {
        assert_false(is_found);
        if (!strstr(why, row->problem))
            fail_msg("%s", why);
        return;
    }
    if (!is_found)
        fail_msg("%s", why);
    assert_int_equal(source.kind, row->kind);
    assert_string_equal(row->kind == RATINGS_AWS_STATIC ? source.credentials.key_id : source.url,
                        row->text);
}

/* ---- a container's URL ---- */

typedef struct {
    const char *name; /* and the URL */
    bool is_taken;
} url_row_t;

static url_row_t urls[] = {
    {"http://localhost/get", true},
    {"http://127.0.0.1:80/get", true},
    {"http://127.1.2.3", true},
    {"http://[::1]:80/get", true},
    {"http://[fd00:ec2::23]/v1/credentials", true},
    {"http://169.254.170.23/v1/credentials", true},
    {"https://credentials.example.org/", true},
    {"https://u:p@credentials.example.org/", false},
    {"http://u@localhost/", false},
    {"http://credentials.example.org/", false},
    {"http://127.0.0.1.example.org/", false},
    {"http://localhost.example.org/", false},
    {"http://localhost@example.org/", false},
    {"http://localhost:80@example.org/", false},
    {"http://[::1].example.org/", false},
    {"http://[::1", false},
    {"http://[::2]/", false},
    {"http:///", false},
    {"http://", false},
    {"ftp://localhost/", false},
    {"localhost", false},
};

static void url_is_taken(void **state)
{
    const url_row_t *row = *state;
    const ratings_aws_environment_t environment = {
        .container_url = row->name, .authorization = "t", .authorization_file = "/token"};
    static ratings_aws_source_t source;
    char why[256] = "";
    assert_int_equal(ratings_aws_source_find(&environment, &source, why, sizeof why),
                     row->is_taken);
    if (!row->is_taken)
        return;
    assert_string_equal(source.url, row->name);
    assert_string_equal(source.authorization_file, "/token");
    assert_string_equal(source.authorization, "");
}

/* ---- regions ---- */

typedef struct {
    const char *name;   /* and the URL */
    const char *region; /* NULL: it has none */
} region_row_t;

static region_row_t regions[] = {
    {"https://abc123.lambda-url.eu-central-1.on.aws/", "eu-central-1"},
    {"https://abc123.lambda-url.us-gov-west-1.on.aws", "us-gov-west-1"},
    {"https://abc123.lambda-url.us-east-1.on.aws:443/x", "us-east-1"},
    {"http://abc123.lambda-url.us-east-1.on.aws/", NULL},
    {"https://abc123.lambda-url..on.aws/", NULL},
    {"https://abc123.lambda-url.us-east-1.on.aws.example.org/", NULL},
    {"https://lambda-url.us-east-1.on.aws/", NULL},
    {"https://a/.lambda-url.us-east-1.on.aws/", NULL},
    {"https://u:p@a.lambda-url.us-east-1.on.aws/", NULL},
    {"https://a.lambda-url.US-EAST-1.on.aws/", NULL},
    {"https://a.lambda-url.us-east-1-us-east-1-us-east-1-us-e.on.aws/", NULL},
    {"https://example.org/", NULL},
    {"", NULL},
};

static void region_is_found(void **state)
{
    const region_row_t *row = *state;
    char region[RATINGS_AWS_REGION_MAX + 1];
    assert_int_equal(ratings_aws_function_region(row->name, region), row->region != NULL);
    if (row->region)
        assert_string_equal(region, row->region);
}

/* ---- the variables ---- */

static void environment_is_read(void **state)
{
    ratings_aws_environment_t environment;
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "1", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "2", 1);
    setenv("AWS_SESSION_TOKEN", "3", 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "4", 1);
    unsetenv("AWS_PROFILE");
    ratings_aws_environment_read(&environment);
    assert_string_equal(environment.key_id, "1");
    assert_string_equal(environment.secret, "2");
    assert_string_equal(environment.token, "3");
    assert_string_equal(environment.web_identity, "4");
    assert_null(environment.profile);
}

static void file_that_others_may_read(void **state)
{
    const ratings_aws_environment_t environment = {.file = file};
    static ratings_aws_source_t source;
    char why[256] = "";
    (void)state;
    assert_int_equal(chmod(file, 0604), 0);
    assert_false(ratings_aws_source_find(&environment, &source, why, sizeof why));
    assert_int_equal(chmod(file, 0600), 0);
    assert_non_null(strstr(why, "others than its owner"));
}

static void write_file(void)
{
    static const char text[] =
        "[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = s\n"
        "[other]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = s\n"
        "[half]\naws_access_key_id = AKIDHALF\n";
    int to = mkstemp(file);
    if (to < 0 || write(to, text, sizeof text - 1) != (ssize_t)sizeof text - 1)
        abort();
    (void)close(to);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    write_file();
    unit_add_rows(&suite, source_is_found, ROWS(sources));
    unit_add_rows(&suite, url_is_taken, ROWS(urls));
    unit_add_rows(&suite, region_is_found, ROWS(regions));
    unit_add(&suite, "the variables", environment_is_read, NULL);
    unit_add(&suite, "a file that others may read", file_that_others_may_read, NULL);
    int failed = unit_run("aws_source", &suite);
    (void)unlink(file);
    return failed;
}
