/* What is read at each start and graceful restart, by whoever may read files of root. */
#ifndef RATINGS_CONFIG_SECRETS_H
#define RATINGS_CONFIG_SECRETS_H

#include "config.h"

/* Reads the secrets that the server's settings name into httpd's record of it, in `pconf`. OK, or
 * an error, which was logged. By httpd's one thread, once the settings are finished. */
int ratings_config_load_secrets(const server_rec *server, apr_pool_t *pconf);

/* The same with the files of TLS to Redis, if RatingsStore wants TLS: for the first server of a
 * service, whose others share what was read. */
int ratings_config_load_store_tls(const server_rec *server, apr_pool_t *pconf);

#endif
