/* The functions of the endpoints' methods (ratings_method_fn). */
#ifndef RATINGS_HTTP_HANDLERS_H
#define RATINGS_HTTP_HANDLERS_H

#include "endpoint.h"

ratings_method_fn ratings_get_ratings;
ratings_method_fn ratings_post_ratings;
ratings_method_fn ratings_get_metadata;
ratings_method_fn ratings_get_health;

#endif
