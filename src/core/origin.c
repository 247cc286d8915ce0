#include "origin.h"

#include "number.h"

#include <string.h>
#include <strings.h>

static const char letters[] = "abcdefghijklmnopqrstuvwxyz",
                  scheme_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789+.-",
                  host_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789._-",
                  address_characters[] = "0123456789abcdef:.", separator[] = "://";

/* Of an IPv6 address the brackets as well; 0 when it is none. */
static size_t length_of_host(const char *text)
{
    size_t length = text[0] == '[' ? strspn(text + 1, address_characters) : 0;
    if (text[0] != '[')
        return strspn(text, host_characters);
    return length > 0 && text[1 + length] == ']' ? length + 2 : 0;
}

/* `port`: what follows the host, "" or with its colon. */
static bool port_is_written(const char *origin, const char *port)
{
    int64_t number;
    if (port[0] == '\0')
        return true;
    if (port[0] != ':' || !ratings_parse_int(port + 1, strlen(port + 1), 1, 65535, &number))
        return false;
    return !(number == 80 && strncmp(origin, "http:", 5) == 0) &&
           !(number == 443 && strncmp(origin, "https:", 6) == 0);
}

const char *ratings_origin_problem(const char *origin)
{
    static const char taken[] =
        "it takes none, or origins as browsers write them: scheme://host[:port], in lower case, "
        "without a path and without the port that the scheme has anyway";
    size_t scheme = strspn(origin, scheme_characters);
    const char *host = origin + scheme + sizeof separator - 1;
    if (strspn(origin, letters) == 0 ||
        strncmp(origin + scheme, separator, sizeof separator - 1) != 0)
        return taken;
    size_t length = length_of_host(host);
    return length > 0 && port_is_written(origin, host + length) ? NULL : taken;
}

/* The port that a scheme has anyway, as it may stand in a Host field; "" if that is not known. */
static const char *port_of_scheme(const char *origin)
{
    static const char *const ports[][2] = {{"http://", ":80"}, {"https://", ":443"}};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
        if (strncasecmp(origin, ports[i][0], strlen(ports[i][0])) == 0)
            return ports[i][1];
    return "";
}

/* Browsers leave out that port in both; a proxy between may write it (RFC 9110, 7.2 takes both). */
bool ratings_origin_is_of_host(const char *origin, const char *host)
{
    const char *found = strstr(origin, separator);
    if (!found || !host)
        return false;
    const char *own = found + sizeof separator - 1;
    size_t length = strlen(own);
    if (strncasecmp(own, host, length) != 0)
        return false;
    return host[length] == '\0' || strcmp(host + length, port_of_scheme(origin)) == 0;
}
