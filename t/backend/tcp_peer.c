#include "tcp_peer.h"

#include "backend_test.h"

#include <poll.h>

#define TIMEOUT_MS 10000 /* nothing here takes longer */
#define DRIP_MS 50
#define LATER_MS 20

static int bind_to(const char *host, int port, int *bound)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *bound = ntohs(address.sin_port);
    return fd;
}

/* ---- answering ---- */

/* Whether the client said something, rather than closed. */
static bool hear(int fd, char *request, size_t size)
{
    struct pollfd ready = {fd, POLLIN, 0};
    ssize_t length = poll(&ready, 1, TIMEOUT_MS) == 1 ? recv(fd, request, size - 1, 0) : 0;
    request[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static void drip(int fd)
{
    for (int ms = 0; ms < TIMEOUT_MS && send(fd, "x", 1, MSG_NOSIGNAL) == 1; ms += DRIP_MS)
        pause_ms(DRIP_MS);
}

/* The answer to ECHO, which is a request's last word. */
static void echo(char *answer, size_t size, const char *request)
{
    const char *command = strstr(request, "ECHO\r\n");
    (void)snprintf(answer, size, "%s", command ? command + strlen("ECHO\r\n") : "");
}

static void say(int fd, const char *answer, const char *request)
{
    char echoed[64], whole[4096];
    const char *at = strstr(answer, ECHOED);
    echo(echoed, sizeof echoed, request);
    if (at)
        (void)snprintf(whole, sizeof whole, "%.*s%s%s", (int)(at - answer), answer, echoed,
                       at + strlen(ECHOED));
    (void)send(fd, at ? whole : answer, strlen(at ? whole : answer), MSG_NOSIGNAL);
}

static then_e take_step(peer_t *peer, int fd, const char *request)
{
    const step_t *step = peer->step;
    if (!step->answer)
        return THEN_SILENCE;
    peer->step++;
    say(fd, step->answer, request);
    return step->then;
}

/* What a new connection is tried with. */
static bool is_echo(const char *request)
{
    return strncmp(request, "*2\r\n$4\r\nECHO\r\n", 14) == 0;
}

static void serve(peer_t *peer, int fd)
{
    char request[65536];
    then_e then = THEN_NEXT;
    while (then == THEN_NEXT && hear(fd, request, sizeof request)) {
        if (is_echo(request)) {
            say(fd, ECHOED, request);
            continue;
        }
        atomic_fetch_add(&peer->requests, 1);
        then = take_step(peer, fd, request);
        if (then == THEN_MORE) {
            pause_ms(LATER_MS);
            then = take_step(peer, fd, request);
            atomic_fetch_add(&peer->unasked, 1);
        }
    }
    if (then == THEN_DRIP)
        drip(fd);
    while (then == THEN_SILENCE && hear(fd, request, sizeof request))
        ;
    close(fd);
}

static void *run(void *data)
{
    peer_t *peer = data;
    for (int fd; (fd = accept(peer->listener, NULL, NULL)) >= 0;) {
        atomic_fetch_add(&peer->accepted, 1);
        serve(peer, fd);
    }
    return NULL;
}

void peer_start(peer_t *peer, const step_t *steps)
{
    *peer = (peer_t){.step = steps};
    peer->listener = bind_to("127.0.0.1", 0, &peer->port);
    assert_int_equal(listen(peer->listener, 16), 0);
    assert_int_equal(pthread_create(&peer->thread, NULL, run, peer), 0);
}

void peer_stop(peer_t *peer)
{
    shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
}

/* ---- not even accepting ---- */

static int knock(const char *host, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
    (void)connect(fd, (struct sockaddr *)&address, sizeof address);
    return fd;
}

/* The last one that knocks finds no room: the others have taken it. */
void swamp_make(swamp_t *swamp, const char *address, int port)
{
    const int count = sizeof swamp->fds / sizeof swamp->fds[0];
    swamp->fds[0] = bind_to(address, port, &swamp->port);
    assert_int_equal(listen(swamp->fds[0], 1), 0);
    for (int i = 1; i < count; i++)
        swamp->fds[i] = knock(address, swamp->port);
    struct pollfd last = {swamp->fds[count - 1], POLLOUT, 0};
    assert_int_equal(poll(&last, 1, 100), 0);
}

void swamp_drain(swamp_t *swamp)
{
    for (size_t i = 0; i < sizeof swamp->fds / sizeof swamp->fds[0]; i++)
        close(swamp->fds[i]);
}
