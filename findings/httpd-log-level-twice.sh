#!/usr/bin/env bash
# Apache httpd's modules: ap_log_error() is a macro that evaluates its level several times, up to three for one
# line, and how often depends on the value. A level that a function with an effect decides ("is this line due?
# then INFO, else DEBUG") is asked again, and the line is written at the level of the second answer.
#
# Seen with: apache2-dev 2.4.71-1~deb12u1 (Debian 12), gcc 12.
# Consequence: keep the level in a variable before the call.
# Needs: Debian 12's apt, gcc.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -o APT::Sandbox::User=root -qq download apache2-dev=2.4.71-1~deb12u1 libapr1-dev libaprutil1-dev
for package in *.deb; do dpkg -x "$package" root; done
cat >finding.c <<'C'
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include <stdio.h>

APLOG_USE_MODULE(finding);
module AP_MODULE_DECLARE_DATA finding_module = {.module_index = 0};

static int asked;

/* INFO for the first line in a while, DEBUG for its repetitions */
static int level(void)
{
    return asked++ == 0 ? APLOG_INFO : APLOG_DEBUG;
}

/* httpd's own, which writes the line */
void ap_log_error_(const char *file, int line, int module_index, int at, apr_status_t status, const server_rec *server,
                   const char *format, ...)
{
    (void)file, (void)line, (void)module_index, (void)status, (void)server, (void)format;
    printf("written at level: %s\n", at == APLOG_INFO ? "info" : "debug");
}

int main(void)
{
    signed char levels[] = {APLOG_DEBUG};
    server_rec server = {.log = {.level = APLOG_DEBUG, .module_levels = levels}};
    ap_log_error(APLOG_MARK, level(), 0, &server, "a line");
    printf("the level was asked for %d times\n", asked);
    return 0;
}
C
gcc -w -DLINUX -D_GNU_SOURCE -D_LARGEFILE64_SOURCE -Iroot/usr/include/apache2 -Iroot/usr/include/apr-1.0 finding.c -o finding
seen=$(./finding)
printf '%s\n' "$seen"
expected='written at level: debug
the level was asked for 3 times'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
