#include "routing_record.h"

#include "json.h"

#include <string.h>

char *ratings_routing_encode(int partitions, size_t *len)
{
    char *text = ratings_json_write(
        json_pack("{s:i, s:i}", "version", RATINGS_ROUTING_VERSION, "partitions", partitions), 0);

    *len = text ? strlen(text) : 0;
    return text;
}

static int read_routing_partitions(const json_t *object, int most)
{
    json_int_t partitions = json_integer_value(json_object_get(object, "partitions"));

    if (json_integer_value(json_object_get(object, "version")) != RATINGS_ROUTING_VERSION ||
        partitions < 1 || partitions > most)
        return 0;
    return (int)partitions;
}

int ratings_routing_decode(const void *key, size_t key_len, const void *value, size_t value_len,
                           int most)
{
    json_t *object = ratings_json_read_record(RATINGS_ROUTING_KEY, RATINGS_ROUTING_VALUE_MAX, key,
                                              key_len, value, value_len);
    int partitions = object ? read_routing_partitions(object, most) : 0;

    json_decref(object);
    return partitions;
}
