/* Takes the place of the C library's getaddrinfo in a test program: a name server that does not
 * answer for SLOW_SECONDS, for one name; the others are resolved as ever. */
#include "slow_resolver.h"

#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <time.h>

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (node && strcmp(node, SLOW_NAME) == 0) {
        struct timespec left = {SLOW_SECONDS, 0};
        while (nanosleep(&left, &left) != 0)
            ;
        return EAI_AGAIN;
    }
    /* ISO C has no conversion from an object pointer to a function's */
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&real, &symbol, sizeof real);
    return real(node, service, hints, out);
}
