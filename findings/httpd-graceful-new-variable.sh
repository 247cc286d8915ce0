#!/usr/bin/env bash
# httpd as Debian packages it: a variable is added to envvars and used by a directive. `apachectl configtest` says
# "Syntax OK" and `apachectl graceful`, which tests the configuration first, returns 0: both read envvars. The httpd
# that runs does not: its environment is that of its start. Its parent reads the configuration, the variable is
# not there, the directive is a syntax error, and httpd ends. The site is down after a graceful restart that was
# tested twice. With the same value in a `Define` line, the graceful restart goes well.
#
# Seen with: apache2 2.4.71-1~deb12u1 (Debian 12).
# Consequence: what is to be taken over without a restart is defined in a configuration file, not in envvars.
# Needs: Debian 12's apt, curl.
set -euo pipefail

work=$(mktemp -d)
port=$((20000 + RANDOM % 10000))
# shellcheck disable=SC2317
finish() {
    [ ! -s "$work/pid" ] || kill "$(<"$work/pid")" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
(cd "$work" && apt-get -o APT::Sandbox::User=root download -qq apache2=2.4.71-1~deb12u1 apache2-bin=2.4.71-1~deb12u1 libapr1=1.7.2-3+deb12u1 libaprutil1=1.6.3-1)
for package in "$work"/*.deb; do dpkg -x "$package" "$work"; done
modules=$work/usr/lib/apache2/modules
echo : >"$work/envvars"
cat >"$work/apache2.conf" <<CONF
ServerRoot "$work"
ServerName localhost
Listen 127.0.0.1:$port
PidFile "$work/pid"
DefaultRuntimeDir "$work"
ErrorLog "$work/error_log"
LoadModule mpm_event_module "$modules/mod_mpm_event.so"
LoadModule authz_core_module "$modules/mod_authz_core.so"
DocumentRoot "$work"
IncludeOptional "$work/more.conf"
CONF
control() {
    env LD_LIBRARY_PATH="$work/usr/lib/x86_64-linux-gnu" APACHE_CONFDIR="$work" APACHE_ENVVARS="$work/envvars" \
        APACHE_HTTPD="$work/usr/sbin/apache2" sh "$work/usr/sbin/apachectl" "$@" >"$work/said" 2>&1 && echo "$1: 0 $(tail -n 1 "$work/said")"
}
# whether it answers two seconds later, time for a graceful restart
answers() { sleep 2 && curl -s -o /dev/null -m 5 "http://127.0.0.1:$port/" && echo 'the site is up' || echo 'the site is down'; }
begin() {
    control start >/dev/null
    for _ in {1..100}; do [ ! -s "$work/pid" ] || break; sleep 0.1; done
}

seen=$(
    begin
    # a directive that takes a number
    echo 'Define LIMIT 1000' >"$work/more.conf"
    echo "LimitRequestBody \${LIMIT}" >>"$work/more.conf"
    control configtest
    control graceful
    echo "defined: $(answers)"
    echo 'export OTHER_LIMIT=1000' >"$work/envvars"
    echo "LimitRequestBody \${OTHER_LIMIT}" >"$work/more.conf"
    control configtest
    control graceful
    echo "in envvars: $(answers)"
)
seen=${seen// $'\n'/$'\n'}
printf '%s\n' "$seen"
expected='configtest: 0 Syntax OK
graceful: 0
defined: the site is up
configtest: 0 Syntax OK
graceful: 0
in envvars: the site is down'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
