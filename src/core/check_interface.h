/* What ratingsctl and the module have agreed on, that it runs httpd for: `ratingsctl check` is
 * `httpd -t -D RATINGS_CHECK`, and the module's lines on standard output name the parts of a
 * service that were checked: files, and the backends (backend_names.h). */
#ifndef RATINGS_CORE_CHECK_INTERFACE_H
#define RATINGS_CORE_CHECK_INTERFACE_H

#define RATINGS_CHECK_DEFINE "RATINGS_CHECK"
#define RATINGS_CHECK_VARIABLE "RATINGS_CHECK_TIMEOUT" /* seconds that a backend has, 1..86400 */
#define RATINGS_CHECK_FILES "files"

#endif
