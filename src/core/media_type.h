/* The field Content-Type (RFC 9110, 8.3.1) of a request that carries text. Pure functions, any
 * thread. */
#ifndef RATINGS_CORE_MEDIA_TYPE_H
#define RATINGS_CORE_MEDIA_TYPE_H

#include <stdbool.h>

/* Whether `field` names the media type `type`, in whatever case and with whatever parameters. */
bool ratings_media_type_is(const char *field, const char *type);

/* Whether the text may be read as UTF-8: each parameter charset is utf-8, or utf8 as many clients
 * write it, in any case, quoted or not; there need be none. Other parameters are ignored. False
 * when a parameter is malformed. */
bool ratings_media_type_is_utf8(const char *field);

#endif
