/* GET metadata */
#include "handlers.h"

#include "reply.h"

int ratings_get_metadata(request_rec *r, const ratings_server_t *server)
{
    return ratings_reply_constant(r, server->metadata);
}
