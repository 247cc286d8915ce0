/* Takes the place of the C library's getaddrinfo and connect in a test program, for some names and
 * two addresses; the others are resolved, and connected to, as ever. */
#include "slow_resolver.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
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

static const struct {
    const char *name, *first, *second;
} twos[] = {{TWO_NAME, TWO_FIRST, TWO_SECOND},
            {NO_PORT_FIRST, NO_PORT, TWO_SECOND},
            {NO_PORT_LAST, TWO_FIRST, NO_PORT}};

/* glibc frees a list link by link, so that two can be joined. */
static int resolve_both(size_t i, const char *service, const struct addrinfo *hints,
                        struct addrinfo **out)
{
    int error = resolve(twos[i].first, service, hints, out);
    struct addrinfo *last = *out;
    if (error)
        return error;
    while (last->ai_next)
        last = last->ai_next;
    return resolve(twos[i].second, service, hints, &last->ai_next);
}

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **out)
{
    bool by_name = node && (!hints || !(hints->ai_flags & AI_NUMERICHOST));
    if (by_name && strcmp(node, SLOW_NAME) == 0)
        return resolve_slowly();
    for (size_t i = 0; by_name && i < sizeof twos / sizeof twos[0]; i++)
        if (strcmp(node, twos[i].name) == 0)
            return resolve_both(i, service, hints, out);
    return resolve(node, service, hints, out);
}

/* ---- connecting ---- */

static bool has_no_port(const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    const void *bytes = address->sa_family == AF_INET
                            ? (const void *)&((const struct sockaddr_in *)address)->sin_addr
                            : &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (address->sa_family == AF_INET || address->sa_family == AF_INET6)
        (void)inet_ntop(address->sa_family, bytes, text, sizeof text);
    return strcmp(text, NO_PORT) == 0 || strcmp(text, NO_PORT_6) == 0;
}

/* glibc declares it with a union of all kinds of addresses */
__attribute__((visibility("default"))) int connect(int fd, __CONST_SOCKADDR_ARG address,
                                                   socklen_t len)
{
    int (*real)(int, __CONST_SOCKADDR_ARG, socklen_t);
    void *symbol = dlsym(RTLD_NEXT, "connect");
    memcpy(&real, &symbol, sizeof real);
    if (!has_no_port(address.__sockaddr__))
        return real(fd, address, len);
    errno = EADDRNOTAVAIL;
    return -1;
}
