#include "result.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

apr_status_t ratings_result_set(ratings_result_t *result, apr_status_t status, const char *format,
                                ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(result->detail, sizeof result->detail, format, args);
    va_end(args);
    /* libraries end their texts with newlines, and one entry of the log is one line */
    for (char *c = result->detail; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = ' ';
    result->fault = 0;
    return result->status = status;
}

apr_status_t ratings_result_ok(ratings_result_t *result)
{
    result->detail[0] = '\0';
    result->fault = 0;
    return result->status = APR_SUCCESS;
}
