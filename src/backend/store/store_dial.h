/* Private to the store: a connection to a host by TCP, or to a Unix socket, by a deadline that
 * can be cancelled.
 *
 * Not by redisConnectWithTimeout: its timeout is that of each address, it looks names up without
 * any, and nothing interrupts it. */
#ifndef RATINGS_STORE_DIAL_H
#define RATINGS_STORE_DIAL_H

#include "../common/resolver.h"

/* Tries the addresses of the host in turn, each with its share of the time. On APR_SUCCESS `*fd` is
 * a connected socket that does not block, the caller's. APR_TIMEUP; APR_ECONNREFUSED: no address
 * can be connected to; RATINGS_NOT_ASKED: cancelled, or this host is at fault. Any thread. */
apr_status_t store_dial(ratings_resolver_t *host, const ratings_deadline_t *deadline, int *fd,
                        ratings_result_t *why);

/* The same to the Unix socket of a path of at most RATINGS_REDIS_SOCKET_MAX bytes; one whose
 * backlog is full is tried until the deadline. */
apr_status_t store_dial_socket(const char *path, const ratings_deadline_t *deadline, int *fd,
                               ratings_result_t *why);

#endif
