#include "audit_json.h"

bool audit_json_electorate(const audit_electorate_t *electorate, const char *when,
                           audit_failure_t *why)
{
    const char *name = electorate->it.name;
    if (!name[0])
        return audit_json_write(json_pack("{s:n}", "electorate"), why);
    return audit_json_write(json_pack("{s:s, s:i, s:I, s:s?}", "electorate", name, "partition",
                                      RATINGS_ELECTORATE_PARTITION, "offset",
                                      (json_int_t)electorate->offset, "time", when),
                            why);
}
