/* A peer that is a script of Python: it prints its port, and ends when its standard input does,
 * which the end of this program closes. */
#ifndef RATINGS_T_SCRIPT_PEER_H
#define RATINGS_T_SCRIPT_PEER_H

#include "backend_test.h"

#include <sys/wait.h>

typedef struct {
    pid_t pid;
    int input, port;
} script_peer_t;

static inline void script_peer_run(const char *script, const char *argument, int input, int output)
{
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    execlp("python3", "python3", script, argument, (char *)NULL);
    _exit(127);
}

/* `argument` NULL: none. */
static inline void script_peer_start(script_peer_t *peer, const char *script, const char *argument)
{
    int to_peer[2], from_peer[2];
    char line[16] = "";
    assert_int_equal(pipe(to_peer), 0);
    assert_int_equal(pipe(from_peer), 0);
    peer->pid = fork();
    if (peer->pid == 0) {
        close(to_peer[1]);
        script_peer_run(script, argument, to_peer[0], from_peer[1]);
    }
    close(to_peer[0]);
    close(from_peer[1]);
    peer->input = to_peer[1];
    assert_true(read(from_peer[0], line, sizeof line - 1) > 0);
    close(from_peer[0]);
    peer->port = atoi(line);
    assert_in_range(peer->port, 1, 65535);
}

static inline void script_peer_stop(script_peer_t *peer)
{
    close(peer->input);
    assert_int_equal(waitpid(peer->pid, NULL, 0), peer->pid);
}

#endif
