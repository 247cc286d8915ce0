/* Of libcurl. */
#include "failing.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include <stdarg.h>

MAY_FAIL(curl_easy_init, CURL *, NULL, (void), ())
MAY_FAIL(curl_multi_init, CURLM *, NULL, (void), ())
MAY_FAIL(curl_slist_append, struct curl_slist *, NULL, (struct curl_slist * list, const char *text),
         (list, text))
MAY_FAIL(curl_url, CURLU *, NULL, (void), ())
MAY_FAIL(curl_url_set, CURLUcode, CURLUE_OUT_OF_MEMORY,
         (CURLU * url, CURLUPart part, const char *text, unsigned flags), (url, part, text, flags))
MAY_FAIL(curl_url_get, CURLUcode, CURLUE_OUT_OF_MEMORY,
         (const CURLU *url, CURLUPart part, char **text, unsigned flags), (url, part, text, flags))
MAY_FAIL(curl_multi_add_handle, CURLMcode, CURLM_OUT_OF_MEMORY, (CURLM * multi, CURL *easy),
         (multi, easy))
MAY_FAIL(curl_multi_perform, CURLMcode, CURLM_OUT_OF_MEMORY, (CURLM * multi, int *running),
         (multi, running))
MAY_FAIL(curl_multi_info_read, CURLMsg *, NULL, (CURLM * multi, int *left), (multi, left))

/* A value of any option is as long as a pointer. */
#define MAY_FAIL_TO_SET(name, type, result, handle_t, option_t)                                    \
    type real_##name(handle_t *handle, option_t option, ...) __asm__("__real_" #name);             \
    FAILING_SEEN type failing_##name(handle_t *handle, option_t option,                            \
                                     ...) __asm__("__wrap_" #name);                                \
    type failing_##name(handle_t *handle, option_t option, ...)                                    \
    {                                                                                              \
        va_list values;                                                                            \
        va_start(values, option);                                                                  \
        void *value = va_arg(values, void *);                                                      \
        va_end(values);                                                                            \
        return failing_now(#name) ? (result) : real_##name(handle, option, value);                 \
    }

MAY_FAIL_TO_SET(curl_easy_setopt, CURLcode, CURLE_OUT_OF_MEMORY, CURL, CURLoption)
MAY_FAIL_TO_SET(curl_multi_setopt, CURLMcode, CURLM_OUT_OF_MEMORY, CURLM, CURLMoption)
