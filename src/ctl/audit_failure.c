#include "audit_failure.h"

#include "ctl_printable.h"

#include <stdarg.h>
#include <stdio.h>

bool audit_fail(audit_failure_t *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    ctl_make_printable(why->text);
    return false;
}

bool audit_no_memory(audit_failure_t *why)
{
    return audit_fail(why, "memory ran out");
}
