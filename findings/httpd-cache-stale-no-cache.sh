#!/usr/bin/env bash
# httpd as Debian packages it, mod_cache before an origin whose answer has an ETag and `Cache-Control: no-cache`: it is kept, and the
# origin is asked each time whether it holds. When the origin answers 503 with `no-store`, the client gets 200 with what was kept, and
# `Warning: 111`: CacheStaleOnError is on by default, and of what is kept it heeds must-revalidate and proxy-revalidate alone. A cache
# must not do so with no-cache (RFC 9111, 4.2.4). With CacheStaleOnError Off, and with must-revalidate beside no-cache, the client gets
# the 503.
#
# Seen with: apache2 2.4.71-1~deb12u1 (Debian 12).
# Consequence: docs/api.md asks for CacheStaleOnError Off where mod_cache is in front, and t/position.t has it.
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
(cd "$work" && apt-get -o APT::Sandbox::User=root download -qq apache2-bin=2.4.71-1~deb12u1 libapr1=1.7.2-3+deb12u1 libaprutil1=1.6.3-1)
for package in "$work"/*.deb; do dpkg -x "$package" "$work"; done
modules=$work/usr/lib/apache2/modules
mkdir "$work/htdocs" "$work/cache"
for name in default off must; do echo 'an answer' >"$work/htdocs/$name"; done
chmod 755 "$work"
chmod 777 "$work/cache"
{
    for name in mpm_event authz_core mime headers rewrite proxy proxy_http cache cache_disk; do
        echo "LoadModule ${name}_module \"$modules/mod_$name.so\""
    done
    cat <<CONF
ServerRoot "$work"
ServerName localhost
Listen 127.0.0.1:$port
Listen 127.0.0.1:$((port + 1))
PidFile "$work/pid"
DefaultRuntimeDir "$work"
ErrorLog "$work/error_log"
TypesConfig /dev/null
User nobody
Group nogroup
<VirtualHost 127.0.0.1:$((port + 1))>
    DocumentRoot "$work/htdocs"
    Header always set Cache-Control no-cache
    Header always set Cache-Control "no-cache, must-revalidate" "expr=%{REQUEST_URI} == '/must'"
    Header always set Cache-Control no-store "expr=%{REQUEST_STATUS} == '503'"
    Header unset Last-Modified
    RewriteEngine On
    RewriteCond "$work/unavailable" -f
    RewriteRule "^" "-" [R=503]
</VirtualHost>
<VirtualHost 127.0.0.1:$port>
    CacheRoot "$work/cache"
    CacheEnable disk "/"
    ProxyPass "/" "http://127.0.0.1:$((port + 1))/"
    <Location "/off">
        CacheStaleOnError Off
    </Location>
</VirtualHost>
CONF
} >"$work/httpd.conf"
LD_LIBRARY_PATH="$work/usr/lib/x86_64-linux-gnu" "$work/usr/sbin/apache2" -f "$work/httpd.conf"
for _ in {1..100}; do [ ! -s "$work/pid" ] || break; sleep 0.1; done

status_of() {
    curl -q -s --noproxy '*' -m 5 --retry 5 --retry-connrefused -D "$work/head" -o "$work/body" "http://127.0.0.1:$port/$1"
    tr -d '\r' <"$work/head" | sed -nE -e '1s/^[^ ]* ([0-9]+).*/\1/p' -e 's/^(Warning: [0-9]+).*/\1/p' | paste -sd ' '
}
seen=$(
    for name in default off must; do echo "$name: $(status_of "$name")"; done
    touch "$work/unavailable"
    for name in default off must; do echo "$name, origin 503: $(status_of "$name")"; done
)
printf '%s\n' "$seen"
expected='default: 200
off: 200
must: 200
default, origin 503: 200 Warning: 111
off, origin 503: 503
must, origin 503: 503'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
