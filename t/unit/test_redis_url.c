/* The URL of a Redis. */
#include "../../src/core/redis_url.h"
#include "unit.h"

#include <stdio.h>

typedef struct {
    const char *name;
    const char *url;
    const char *host; /* or the path of a socket; NULL: it is refused */
    int port, database;
    const char *user, *password; /* password NULL: none is sent */
} url_row_t;

static url_row_t urls[] = {
    {"a host alone", "redis://cache", "cache", 6379, 0, "", NULL},
    {"a port and a database", "redis://127.0.0.1:6380/3", "127.0.0.1", 6380, 3, "", NULL},
    {"a slash at the end is database 0", "redis://cache/", "cache", 6379, 0, "", NULL},
    {"an empty port is the usual one", "redis://cache:/1", "cache", 6379, 1, "", NULL},
    {"an address of IPv6", "redis://[::1]:6380", "::1", 6380, 0, "", NULL},
    {"an address of IPv6 without a port", "redis://[::1]/2", "::1", 6379, 2, "", NULL},
    {"a user and a password", "redis://u:p@cache", "cache", 6379, 0, "u", "p"},
    {"a password alone", "redis://:p@cache", "cache", 6379, 0, "", "p"},
    {"an empty password is one", "redis://u:@cache", "cache", 6379, 0, "u", ""},
    {"escapes", "redis://a%40b:%2f%3A%25@cache", "cache", 6379, 0, "a@b", "/:%"},
    {"an '@' that was not escaped", "redis://u:p@q@cache", "cache", 6379, 0, "u", "p@q"},
    {"a colon in the password", "redis://u:p:q@cache", "cache", 6379, 0, "u", "p:q"},

    {"TLS", "rediss://u:p@cache/1", "cache", 6379, 1, "u", "p"},

    {"a Unix socket", "unix:///run/redis.sock", "/run/redis.sock", 0, 0, "", NULL},
    {"one with a database", "unix:///r?db=3", "/r", 0, 3, "", NULL},
    {"one with a login", "unix://u:p@/r?db=0", "/r", 0, 0, "u", "p"},
    {"one with a password", "unix://:p%2F@/r", "/r", 0, 0, "", "p/"},
    {"escapes in its path", "unix:///a%20b%40c", "/a b@c", 0, 0, "", NULL},

    {"a Unix socket without a path", "unix://", NULL, 0, 0, NULL, NULL},
    {"a Unix socket that is the root", "unix:///", NULL, 0, 0, NULL, NULL},
    {"a Unix socket of a host", "unix://host/r", NULL, 0, 0, NULL, NULL},
    {"a Unix socket with a login and a host", "unix://u:p@host/r", NULL, 0, 0, NULL, NULL},
    {"a Unix socket with a database by slash", "unix:///r?1", NULL, 0, 0, NULL, NULL},
    {"a database that is none", "unix:///r?db=", NULL, 0, 0, NULL, NULL},
    {"a database of a Unix socket with more", "unix:///r?db=1&x=2", NULL, 0, 0, NULL, NULL},
    {"an unescaped slash in a password", "unix://u:p/q@/r", NULL, 0, 0, NULL, NULL},
    {"an unescaped end of a login in a password", "unix://u:p@/q@/r", NULL, 0, 0, NULL, NULL},
    {"an escape of NUL in a path", "unix:///r%00", NULL, 0, 0, NULL, NULL},

    {"a single word before the host", "redis://word@cache", NULL, 0, 0, NULL, NULL},
    {"nothing before the '@'", "redis://@cache", NULL, 0, 0, NULL, NULL},
    {"nothing", "", NULL, 0, 0, NULL, NULL},
    {"no scheme", "cache:6379", NULL, 0, 0, NULL, NULL},
    {"another scheme", "http://cache", NULL, 0, 0, NULL, NULL},
    {"TLS by another name", "redis+tls://cache", NULL, 0, 0, NULL, NULL},
    {"a Unix socket by TLS", "unixs:///r", NULL, 0, 0, NULL, NULL},
    {"no host", "redis://", NULL, 0, 0, NULL, NULL},
    {"no host but a port", "redis://:6379", NULL, 0, 0, NULL, NULL},
    {"no host but a user", "redis://u:p@", NULL, 0, 0, NULL, NULL},
    {"port 0", "redis://cache:0", NULL, 0, 0, NULL, NULL},
    {"a port that is too high", "redis://cache:65536", NULL, 0, 0, NULL, NULL},
    {"a port with more", "redis://cache:6379x", NULL, 0, 0, NULL, NULL},
    {"a database that is no number", "redis://cache/x", NULL, 0, 0, NULL, NULL},
    {"a database with more", "redis://cache/1/", NULL, 0, 0, NULL, NULL},
    {"a fragment", "redis://u:p#q@cache", NULL, 0, 0, NULL, NULL},
    {"a query", "redis://cache?db=1", NULL, 0, 0, NULL, NULL},
    {"a bracket that stays open", "redis://[::1", NULL, 0, 0, NULL, NULL},
    {"a bracket with more", "redis://[::1]x", NULL, 0, 0, NULL, NULL},
    {"an escape cut short", "redis://u:p%4@cache", NULL, 0, 0, NULL, NULL},
    {"an escape at the end", "redis://u:p%@cache", NULL, 0, 0, NULL, NULL},
    {"an escape of no digits", "redis://u:%zz@cache", NULL, 0, 0, NULL, NULL},
    {"an escape of NUL", "redis://u:%00@cache", NULL, 0, 0, NULL, NULL},
};

static void parses(void **state)
{
    const url_row_t *row = *state;
    char *url = unit_copy(row->url, strlen(row->url) + 1);
    ratings_redis_url_t parsed;
    const char *problem = ratings_redis_url_parse(url, &parsed);

    free(url);
    if (!row->host) {
        assert_non_null(problem);
        return;
    }
    assert_problem(problem, NULL);
    assert_string_equal(row->host[0] == '/' ? parsed.socket : parsed.host[0].name, row->host);
    assert_int_equal(parsed.hosts, parsed.socket[0] == '\0');
    assert_string_equal(parsed.master, "");
    assert_int_equal(parsed.has_tls, strncmp(row->url, "rediss", 6) == 0);
    assert_int_equal(parsed.host[0].port, row->port);
    assert_int_equal(parsed.database, row->database);
    assert_string_equal(parsed.user, row->user);
    assert_int_equal(parsed.has_password, row->password != NULL);
    assert_string_equal(parsed.password, row->password ? row->password : "");
}

typedef struct {
    const char *name, *url;
    const char *hosts; /* one after the other; NULL: it is refused */
    const char *master;
    int database;
} sentinel_row_t;

static sentinel_row_t sentinel_rows[] = {
    {"one sentinel", "redis+sentinel://a/m", "a:26379", "m", 0},
    {"three", "redis+sentinel://a,b:1,[::1]:2/my-m.1_x/3", "a:26379 b:1 ::1:2", "my-m.1_x", 3},
    {"a slash at the end", "redis+sentinel://a/m/", "a:26379", "m", 0},
    {"TLS", "rediss+sentinel://u:p@a,b:1/m/2", "a:26379 b:1", "m", 2},
    {"nine", "redis+sentinel://:p@a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1/m",
     "a:1 a:1 a:1 a:1 a:1 a:1 a:1 a:1 a:1", "m", 0},

    {"ten", "redis+sentinel://a,a,a,a,a,a,a,a,a,a/m", NULL, NULL, 0},
    {"none", "redis+sentinel:///m", NULL, NULL, 0},
    {"a comma before", "redis+sentinel://,a/m", NULL, NULL, 0},
    {"a comma at the end", "redis+sentinel://a,/m", NULL, NULL, 0},
    {"no master", "redis+sentinel://a,b", NULL, NULL, 0},
    {"no master, and a slash", "redis+sentinel://a,b/", NULL, NULL, 0},
    {"no master, and a database", "redis+sentinel://a,b//1", NULL, NULL, 0},
    {"another character in its name", "redis+sentinel://a/m,n", NULL, NULL, 0},
    {"a query", "redis+sentinel://a/m?db=1", NULL, NULL, 0},
    {"a database that is none", "redis+sentinel://a/m/x", NULL, NULL, 0},
    {"a port that is none", "redis+sentinel://a:x,b/m", NULL, NULL, 0},
    {"a login without a colon", "redis+sentinel://u@a/m", NULL, NULL, 0},
};

static void parses_sentinels(void **state)
{
    const sentinel_row_t *row = *state;
    char *url = unit_copy(row->url, strlen(row->url) + 1), hosts[128] = "";
    ratings_redis_url_t parsed;
    const char *problem = ratings_redis_url_parse(url, &parsed);

    free(url);
    if (!row->hosts) {
        assert_non_null(problem);
        return;
    }
    assert_problem(problem, NULL);
    for (int i = 0; i < parsed.hosts; i++)
        (void)snprintf(hosts + strlen(hosts), sizeof hosts - strlen(hosts), "%s%s:%d",
                       i > 0 ? " " : "", parsed.host[i].name, parsed.host[i].port);
    assert_string_equal(hosts, row->hosts);
    assert_string_equal(parsed.master, row->master);
    assert_int_equal(parsed.has_tls, strncmp(row->url, "rediss", 6) == 0);
    assert_int_equal(parsed.database, row->database);
}

typedef struct {
    const char *name, *url, *shown; /* NULL: as it is */
} shown_row_t;

static shown_row_t shown_rows[] = {
    {"a URL without a password is shown as it is", "redis://127.0.0.1:6379", NULL},
    {"one with a database is, too", "redis://[::1]:6379/3", NULL},
    {"an empty port and database stay", "redis://cache:/", NULL},
    {"the password of a user goes", "redis://u:secret@cache:6379/1", "redis://u:***@cache:6379/1"},
    {"a password without a user goes", "redis://:secret@cache", "redis://:***@cache"},
    {"an empty password as well", "redis://u:@cache", "redis://u:***@cache"},
    {"a password with a colon goes", "redis://u:a:b@cache", "redis://u:***@cache"},
    {"a password with an at sign goes", "redis://u:a@b@cache", "redis://u:***@cache"},
    {"an escaped password goes", "redis://u:%73ecret@cache", "redis://u:***@cache"},
    {"an escaped user stays", "redis://a%40b:secret@cache", "redis://a%40b:***@cache"},
    {"of a single word nothing is shown", "redis://secret@cache", "redis://***"},
    {"nor of an unescaped slash", "redis://u:sec/ret@cache", "redis://***"},
    {"nor of an unescaped question mark", "redis://u:sec?ret@cache", "redis://***"},
    {"nor of an escape that is none", "redis://u:secret%@cache", "redis://***"},
    {"the password goes by TLS as well", "rediss://u:s@cache", "rediss://u:***@cache"},
    {"a socket is shown as it is", "unix:///run/redis.sock?db=1", NULL},
    {"the password of one goes", "unix://u:s%2Fe@/r?db=1", "unix://u:***@/r?db=1"},
    {"of an unescaped slash nothing is shown", "unix://u:sec/ret@/r", "unix://***"},
    {"nor of one after an '@'", "unix://u:s@/ret@/r", "unix://***"},
    {"nor of another query", "unix://u:secret@/r?password=secret", "unix://***"},
    {"sentinels are shown as they are", "redis+sentinel://a,b:1/m/2", NULL},
    {"the password beside them goes", "redis+sentinel://u:s@a,b/m", "redis+sentinel://u:***@a,b/m"},
    {"nothing of an unescaped slash", "redis+sentinel://u:s/t@a,b/m", "redis+sentinel://***"},
    {"by TLS it goes, too", "rediss+sentinel://:s@a/m", "rediss+sentinel://:***@a/m"},
    {"and nothing is shown", "rediss+sentinel://u:s/t@a,b/m", "rediss+sentinel://***"},
    {"nothing of one after an '@'", "redis+sentinel://u:s@s/t@a,b/m", "redis+sentinel://***"},
    {"nor of another scheme", "secret://cache", "***"},
};

static void shows(void **state)
{
    const shown_row_t *row = *state;
    char *url = unit_copy(row->url, strlen(row->url) + 1);
    char *shown = ratings_redis_url_redact(url);

    free(url);
    assert_non_null(shown);
    assert_string_equal(shown, row->shown ? row->shown : row->url);
    free(shown);
}

static void has_limits(void **state)
{
    char url[2048];
    ratings_redis_url_t parsed;

    (void)state;
    (void)snprintf(url, sizeof url, "redis://:%0*d@cache", RATINGS_REDIS_SECRET_MAX, 0);
    assert_problem(ratings_redis_url_parse(url, &parsed), NULL);
    (void)snprintf(url, sizeof url, "redis://:%0*d@cache", RATINGS_REDIS_SECRET_MAX + 1, 0);
    assert_non_null(ratings_redis_url_parse(url, &parsed));
    (void)snprintf(url, sizeof url, "redis://%0*d", RATINGS_REDIS_HOST_MAX, 0);
    assert_problem(ratings_redis_url_parse(url, &parsed), NULL);
    (void)snprintf(url, sizeof url, "redis://%0*d", RATINGS_REDIS_HOST_MAX + 1, 0);
    assert_non_null(ratings_redis_url_parse(url, &parsed));
    (void)snprintf(url, sizeof url, "unix:///%0*d", RATINGS_REDIS_SOCKET_MAX - 1, 0);
    assert_problem(ratings_redis_url_parse(url, &parsed), NULL);
    (void)snprintf(url, sizeof url, "unix:///%0*d", RATINGS_REDIS_SOCKET_MAX, 0);
    assert_non_null(ratings_redis_url_parse(url, &parsed));
}

static void what_a_sentinel_tells_is_read(void **state)
{
    static const struct {
        const char *name;
        size_t name_len;
        const char *port;
        bool is_good;
    } rows[] = {
        {"::1", 3, "6379", true},   {"", 0, "6379", false},   {"a\0b", 3, "6379", false},
        {"host", 4, "", false},     {"host", 4, "0", false},  {"host", 4, "65536", false},
        {"host", 4, "65535", true}, {"host", 4, "1x", false}, {"host", 4, "01", false},
    };
    char longest[RATINGS_REDIS_HOST_MAX + 2];
    ratings_redis_host_t host;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(ratings_redis_host_read(rows[i].name, rows[i].name_len, rows[i].port,
                                                 strlen(rows[i].port), &host),
                         rows[i].is_good);
    memset(longest, 'a', sizeof longest);
    longest[RATINGS_REDIS_HOST_MAX + 1] = '\0';
    assert_false(ratings_redis_host_read(longest, RATINGS_REDIS_HOST_MAX + 1, "1", 1, &host));
    longest[RATINGS_REDIS_HOST_MAX] = '\0';
    assert_true(ratings_redis_host_read(longest, RATINGS_REDIS_HOST_MAX, "1", 1, &host));
    assert_string_equal(host.name, longest);
    assert_int_equal(host.port, 1);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, parses, ROWS(urls));
    unit_add_rows(&suite, parses_sentinels, ROWS(sentinel_rows));
    unit_add_rows(&suite, shows, ROWS(shown_rows));
    unit_add(&suite, "host, password and path have a limit", has_limits, NULL);
    unit_add(&suite, "what a sentinel tells is read", what_a_sentinel_tells_is_read, NULL);
    return unit_run("redis_url", &suite);
}
