#include "trace_context.h"

#include "number.h"

#include <stddef.h>
#include <string.h>

/* ---- traceparent ---- */

#define VERSION_AT 0
#define ID_AT 3
#define PARENT_AT 36
#define FLAGS_AT 53

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length && (is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f')))
        i++;
    return i == length;
}

static bool is_all(const char *text, size_t length, char c)
{
    size_t i = 0;
    while (i < length && text[i] == c)
        i++;
    return i == length;
}

/* An id is any but all zeros. */
static bool is_id(const char *text, size_t length)
{
    return is_hex(text, length) && !is_all(text, length, '0');
}

/* What is common to all versions. */
static bool has_known_fields(const char *parent)
{
    return is_hex(parent + VERSION_AT, 2) && !is_all(parent + VERSION_AT, 2, 'f') &&
           parent[ID_AT - 1] == '-' && is_id(parent + ID_AT, RATINGS_TRACE_ID_LENGTH) &&
           parent[PARENT_AT - 1] == '-' && is_id(parent + PARENT_AT, 16) &&
           parent[FLAGS_AT - 1] == '-' && is_hex(parent + FLAGS_AT, 2);
}

/* Of the flags of a later version, that of 00 alone, the lowest bit: sampled. */
static void make_version_00(char parent[RATINGS_TRACE_PARENT_LENGTH + 1])
{
    bool is_sampled = ratings_hex_digit(parent[FLAGS_AT + 1]) % 2 == 1;
    memcpy(parent + VERSION_AT, "00", 2);
    memcpy(parent + FLAGS_AT, is_sampled ? "01" : "00", 2);
}

static bool read_parent(const char *text, char parent[RATINGS_TRACE_PARENT_LENGTH + 1])
{
    if (strlen(text) < RATINGS_TRACE_PARENT_LENGTH || !has_known_fields(text))
        return false;
    bool is_version_00 = is_all(text + VERSION_AT, 2, '0');
    char next = text[RATINGS_TRACE_PARENT_LENGTH];
    if (next != '\0' && (is_version_00 || next != '-'))
        return false;
    memcpy(parent, text, RATINGS_TRACE_PARENT_LENGTH);
    parent[RATINGS_TRACE_PARENT_LENGTH] = '\0';
    if (!is_version_00)
        make_version_00(parent);
    return true;
}

/* ---- tracestate ---- */

#define MEMBERS_MAX 32
#define MEMBER_LONG 128 /* longer ones are dropped first */

typedef struct {
    const char *text;
    size_t length;
} member_t;

typedef struct {
    member_t member[MEMBERS_MAX];
    int count;
} members_t;

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* How many characters of a key begin the text. */
static size_t key_span(const char *text, size_t length)
{
    size_t i = 0;
    while (i < length &&
           (is_lower(text[i]) || is_digit(text[i]) || (text[i] != '\0' && strchr("_-*/", text[i]))))
        i++;
    return i;
}

/* simple-key, or tenant-id "@" system-id */
static bool is_key(const char *text, size_t length)
{
    size_t tenant = key_span(text, length);
    if (tenant == 0)
        return false;
    if (tenant == length)
        return is_lower(text[0]) && length <= 256;
    const char *system = text + tenant + 1;
    size_t rest = length - tenant - 1;
    return tenant <= 241 && text[tenant] == '@' && (is_lower(text[0]) || is_digit(text[0])) &&
           rest >= 1 && rest <= 14 && is_lower(system[0]) && key_span(system, rest) == rest;
}

static bool is_value(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~' || text[i] == ',' || text[i] == '=')
            return false;
    return length >= 1 && length <= 256 && text[length - 1] != ' ';
}

static bool is_member(const member_t *member)
{
    const char *equals = memchr(member->text, '=', member->length);
    size_t key = equals ? (size_t)(equals - member->text) : 0;
    return equals && is_key(member->text, key) && is_value(equals + 1, member->length - key - 1);
}

static bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

static member_t trimmed(const char *text, size_t length)
{
    while (length > 0 && is_ows(text[length - 1]))
        length--;
    while (length > 0 && is_ows(text[0])) {
        text++;
        length--;
    }
    return (member_t){text, length};
}

/* Members that are empty are no more than allowed. False: it is malformed. */
static bool split(const char *state, members_t *members)
{
    members->count = 0;
    for (;;) {
        size_t length = strcspn(state, ",");
        member_t member = trimmed(state, length);
        if (member.length > 0) {
            if (members->count == MEMBERS_MAX || !is_member(&member))
                return false;
            members->member[members->count++] = member;
        }
        if (!state[length])
            return true;
        state += length + 1;
    }
}

static size_t joined_length(const members_t *members)
{
    size_t length = members->count > 0 ? (size_t)members->count - 1 : 0;
    for (int i = 0; i < members->count; i++)
        length += members->member[i].length;
    return length;
}

static void drop(members_t *members, int at)
{
    members->count--;
    memmove(&members->member[at], &members->member[at + 1],
            (size_t)(members->count - at) * sizeof(member_t));
}

/* Drops members of more than `length` characters, from the end, until the others fit. */
static void drop_longer(members_t *members, size_t length)
{
    for (int i = members->count - 1; i >= 0 && joined_length(members) > RATINGS_TRACE_STATE_MAX;
         i--)
        if (members->member[i].length > length)
            drop(members, i);
}

static void join(const members_t *members, char *text)
{
    for (int i = 0; i < members->count; i++) {
        if (i > 0)
            *text++ = ',';
        memcpy(text, members->member[i].text, members->member[i].length);
        text += members->member[i].length;
    }
    *text = '\0';
}

/* ---- both ---- */

bool ratings_trace_read(const char *parent, const char *state, ratings_trace_t *trace)
{
    members_t members = {.count = 0};
    if (!parent || !read_parent(parent, trace->parent))
        return false;
    if (state && !split(state, &members))
        members.count = 0;
    drop_longer(&members, MEMBER_LONG);
    drop_longer(&members, 0);
    join(&members, trace->state);
    return true;
}

const char *ratings_trace_id(const ratings_trace_t *trace)
{
    return trace->parent + ID_AT;
}
