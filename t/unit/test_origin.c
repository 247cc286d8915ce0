#include "../../src/core/origin.h"
#include "unit.h"

typedef struct {
    const char *text; /* the origin is the name of the case */
    bool taken;
} origin_t;

static origin_t origins[] = {
    {"https://talks.example.org", true},
    {"http://talks.example.org", true},
    {"https://talks.example.org:8443", true},
    {"http://localhost:8080", true},
    {"http://192.0.2.7:81", true},
    {"https://[2001:db8::1]", true},
    {"https://[2001:db8::1]:8443", true},
    {"https://xn--bcher-kva.example", true},
    {"capacitor://localhost", true},
    {"chrome-extension://abcdefghijklmnop", true},
    {"http://a:443", true},
    {"https://a:80", true},
    {"", false},
    {"*", false},
    {"null", false},
    {"talks.example.org", false},
    {"//talks.example.org", false},
    {"://talks.example.org", false},
    {"https:talks.example.org", false},
    {"https:/talks.example.org", false},
    {"https://", false},
    {"https://talks.example.org/", false},
    {"https://talks.example.org/a", false},
    {"https://talks.example.org?a", false},
    {"https://user@talks.example.org", false},
    {"https://*.example.org", false},
    {"https://Talks.example.org", false},
    {"HTTPS://talks.example.org", false},
    {"9p://talks.example.org", false},
    {"https://b\xc3\xbc"
     "cher.example",
     false},
    {"https://talks.example.org:443", false},
    {"http://talks.example.org:80", false},
    {"https://talks.example.org:", false},
    {"https://talks.example.org:0", false},
    {"https://talks.example.org:65536", false},
    {"https://talks.example.org:081", false},
    {"https://talks.example.org:8443x", false},
    {"https://[2001:db8::1", false},
    {"https://[]", false},
    {"https://[2001:db8::1]x", false},
};

static void problem(void **state)
{
    const origin_t *row = *state;
    assert_int_equal(ratings_origin_problem(row->text) == NULL, row->taken);
}

typedef struct {
    const char *name;
    const char *origin, *host;
    bool same;
} host_t;

static host_t hosts[] = {
    {"the same host", "https://a.example", "a.example", true},
    {"another scheme", "http://a.example", "a.example", true},
    {"the same port", "http://a.example:81", "a.example:81", true},
    {"another case", "http://a.example", "A.Example", true},
    {"an IPv6 address", "http://[::1]:81", "[::1]:81", true},
    {"the port of http", "http://a.example", "a.example:80", true},
    {"the port of https", "https://A.example", "a.example:443", true},
    {"the port of https behind an IPv6 address", "https://[::1]", "[::1]:443", true},
    {"the port of another scheme", "http://a.example", "a.example:443", false},
    {"the port of a scheme that has none", "app://a.example", "a.example:80", false},
    {"the port of http twice", "http://a.example", "a.example:80:80", false},
    {"a port that begins so", "http://a.example", "a.example:8080", false},
    {"a port without a number", "http://a.example", "a.example:", false},
    {"no host", "http://a.example", NULL, false},
    {"an empty host", "http://a.example", "", false},
    {"another host", "https://b.example", "a.example", false},
    {"a longer host", "https://a.example.evil.example", "a.example", false},
    {"a shorter host", "https://a.example", "a.example.org", false},
    {"a host below", "https://x.a.example", "a.example", false},
    {"another port", "http://a.example:81", "a.example:82", false},
    {"a port more", "http://a.example:81", "a.example", false},
    {"a port less", "http://a.example", "a.example:81", false},
    {"a page that hides its origin", "null", "null", false},
    {"nothing", "", "", false},
};

static void of_host(void **state)
{
    const host_t *row = *state;
    assert_int_equal(ratings_origin_is_of_host(row->origin, row->host), row->same);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, problem, ROWS(origins));
    unit_add_rows(&suite, of_host, ROWS(hosts));
    return unit_run("origin", &suite);
}
