/* Takes the place of the C library's getaddrinfo in a test program, for two names; the others are
 * resolved as ever. */
#include "slow_resolver.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

static int resolve(const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    /* ISO C has no conversion from an object pointer to a function's */
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&real, &symbol, sizeof real);
    return real(node, service, hints, out);
}

static int resolve_slowly(void)
{
    struct timespec left = {SLOW_SECONDS, 0};
    while (nanosleep(&left, &left) != 0)
        ;
    return EAI_AGAIN;
}

/* glibc frees a list link by link, so that two can be joined. */
static int resolve_both(const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    int error = resolve(TWO_FIRST, service, hints, out);
    struct addrinfo *last = *out;
    if (error)
        return error;
    while (last->ai_next)
        last = last->ai_next;
    return resolve(TWO_SECOND, service, hints, &last->ai_next);
}

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **out)
{
    bool by_name = node && (!hints || !(hints->ai_flags & AI_NUMERICHOST));
    if (by_name && strcmp(node, SLOW_NAME) == 0)
        return resolve_slowly();
    if (by_name && strcmp(node, TWO_NAME) == 0)
        return resolve_both(service, hints, out);
    return resolve(node, service, hints, out);
}
