#include "store_denial.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define DENIAL(command)                                                                            \
    {                                                                                              \
        command, "it refuses the command " command " to the service's user: see the error log"     \
    }

/* The commands of docs/security.md, and how readiness says that one is refused. */
static const struct {
    const char *name, *text;
} denials[] = {
    {"", NULL},
    {"", "it refuses a key to the service's user: see the error log"},
    DENIAL("EVAL"),
    DENIAL("TYPE"),
    DENIAL("HMGET"),
    DENIAL("HGETALL"),
    DENIAL("HLEN"),
    DENIAL("HSET"),
    DENIAL("HDEL"),
    DENIAL("ZCARD"),
    DENIAL("ZRANGEBYSCORE"),
    DENIAL("ZADD"),
    DENIAL("ZREM"),
    DENIAL("UNLINK"),
    DENIAL("SCAN"),
    DENIAL("GET"),
    DENIAL("SET"),
    DENIAL("PTTL"),
    DENIAL("INFO"),
    DENIAL("SELECT"),
    DENIAL("ECHO"),
};

#define A_KEY 1
#define DENIALS (sizeof denials / sizeof denials[0])

const char *store_denial_text(int denied)
{
    return denied > 0 && denied < (int)DENIALS ? denials[denied].text : NULL;
}

static int named(const char *name, size_t length)
{
    for (size_t i = A_KEY + 1; i < DENIALS; i++)
        if (strlen(denials[i].name) == length && strncasecmp(denials[i].name, name, length) == 0)
            return (int)i;
    return 0;
}

/* Of Redis 6.0 to 7.2 and Valkey: an ACL, or a command that was renamed. A state that passes (full,
 * a replica, loading, cannot save) is none, whichever command it is told for. */
static bool is_denial(const char *text)
{
    static const char *const words[] = {"NOPERM", "permission", "can't run this command",
                                        "nknown command", "nknown Redis command"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(text, words[i]))
            return true;
    return false;
}

int store_denied(const char *text)
{
    const char *name = strrchr(text, '('), *quote = strpbrk(text, "'`");
    if (!is_denial(text))
        return 0;
    if (name && name[strcspn(name, ")")] == ')')
        return named(name + 1, strcspn(name + 1, ")"));
    if (quote && named(quote + 1, strcspn(quote + 1, "'`")))
        return named(quote + 1, strcspn(quote + 1, "'`"));
    return strncmp(text, "NOPERM", 6) == 0 ? A_KEY : 0;
}
