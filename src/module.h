/* The module record, and the use of httpd's log under its name (LogLevel ratings:debug). */
#ifndef RATINGS_MODULE_H
#define RATINGS_MODULE_H

#include <httpd.h>

#include <http_config.h> /* needs httpd.h before it */
#include <http_log.h>

extern module AP_MODULE_DECLARE_DATA ratings_module;
APLOG_USE_MODULE(ratings);

#endif
