#include "schedule_fault.h"

#include <stdarg.h>
#include <stdio.h>

bool schedule_fail(schedule_fault_t *fault, int line, const char *field, const char *format, ...)
{
    va_list arguments;
    fault->line = line;
    (void)snprintf(fault->field, sizeof fault->field, "%s", field ? field : "");
    va_start(arguments, format);
    (void)vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return false;
}

bool schedule_no_memory(schedule_fault_t *fault)
{
    return schedule_fail(fault, 0, NULL, "memory ran out");
}
