#include "findings.h"

#include "../../core/clock.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

void ratings_findings_ask(ratings_findings_t *findings)
{
    findings->asked_at = ratings_monotonic();
    findings->us = -1;
}

void ratings_findings_answered(ratings_findings_t *findings)
{
    findings->us = ratings_monotonic() - findings->asked_at;
}

void ratings_finding(ratings_findings_t *findings, ratings_finding_e verdict, const char *subject,
                     const char *format, ...)
{
    char text[RATINGS_FINDING_TEXT];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++) /* libraries end their texts with newlines */
        if (iscntrl((unsigned char)*c))
            *c = ' ';
    const ratings_finding_t finding = {verdict, subject, findings->us, text};
    findings->report(findings, &finding);
}
