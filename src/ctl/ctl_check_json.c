/* The module's lines, which are read, and the report that is written. */
#include "audit_json.h"
#include "ctl_check.h"
#include "ctl_printable.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

/* A copy that is printable; NULL: memory ran out. What is no text is "". */
static char *text_member(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    char *copy = strdup(value ? value : "");
    if (copy)
        ctl_make_printable(copy);
    return copy;
}

/* One that is not known is the worst. */
static ctl_verdict_e verdict_member(const json_t *object)
{
    const char *value = json_string_value(json_object_get(object, "verdict"));
    for (int i = 0; i < CTL_VERDICTS && value; i++)
        if (strcmp(value, ctl_verdict_name((ctl_verdict_e)i)) == 0)
            return (ctl_verdict_e)i;
    return CTL_VERDICT_FAIL;
}

static bool read_finding(ctl_check_t *check, const json_t *object)
{
    const json_t *ms = json_object_get(object, "ms");
    ctl_finding_t *finding = ctl_check_add(check);
    if (!finding)
        return false;
    finding->service = (int)json_integer_value(json_object_get(object, "service"));
    finding->server = text_member(object, "server");
    finding->part = text_member(object, "part");
    finding->subject = text_member(object, "subject");
    finding->text = text_member(object, "text");
    finding->verdict = verdict_member(object);
    finding->ms = json_is_number(ms) ? json_number_value(ms) : -1;
    return finding->server && finding->part && finding->subject && finding->text;
}

static void read_first(ctl_check_t *check, const json_t *object)
{
    const char *version = json_string_value(json_object_get(object, "version"));
    (void)snprintf(check->version, sizeof check->version, "%s", version ? version : "unknown");
    ctl_make_printable(check->version);
    check->services = (int)json_integer_value(json_object_get(object, "services"));
}

bool ctl_check_read(ctl_check_t *check, const char *line, audit_failure_t *why)
{
    bool good = true;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    if (json_object_get(object, "check"))
        read_first(check, object);
    else if (json_object_get(object, "verdict"))
        good = read_finding(check, object);
    else if (json_is_true(json_object_get(object, "done")))
        check->is_done = true;
    json_decref(object);
    return good || audit_no_memory(why);
}

/* ---- writing ---- */

static json_t *finding_row(const ctl_finding_t *finding)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:s}", "service", finding->service, "server",
                     finding->server, "backend", finding->part, "subject", finding->subject,
                     "verdict", ctl_verdict_name(finding->verdict), "ms",
                     finding->ms < 0 ? json_null() : json_real(finding->ms), "text", finding->text);
}

static json_t *finding_rows(const ctl_check_t *check)
{
    json_t *rows = json_array();
    for (int i = 0; i < check->count && rows; i++)
        if (json_array_append_new(rows, finding_row(&check->findings[i])) != 0) {
            json_decref(rows);
            rows = NULL;
        }
    return rows;
}

bool ctl_check_json(const ctl_check_t *check, audit_failure_t *why)
{
    return audit_json_write(json_pack("{s:b, s:i, s:i, s:s?, s:s, s:i, s:o}", "ready",
                                      check->verdicts[CTL_VERDICT_FAIL] == 0, "failed",
                                      check->verdicts[CTL_VERDICT_FAIL], "warnings",
                                      check->verdicts[CTL_VERDICT_WARN], "config", check->config,
                                      "version", check->version, "services", check->services,
                                      "findings", finding_rows(check)),
                            why);
}
