#!/usr/bin/env bash
# httpd as Debian packages it, a page with `<!--#include virtual="words.html"-->`, and compression by type as in Debian's
# deflate.conf. Where words.html is a file, the answer is one gzip stream. Where mod_negotiation selects it (words.html.en,
# MultiViews), the included text goes to the client as it is, before the stream, and no client can decode the answer:
# mod_negotiation looks a variant up without the filters of the request that it is for, and the fast redirect to it takes
# those of the look-up, which end at the connection and not in the page. Without compression the same page is right.
#
# Seen with: apache2 2.4.71-1~deb12u1 (Debian 12).
# Consequence: conf/ratings-page.conf negotiates what is asked for, which then includes the page, by its name.
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
mkdir "$work/htdocs"
echo 'the words' >"$work/htdocs/words.html.en"
cp "$work/htdocs/words.html.en" "$work/htdocs/file.html"
echo '<!--#include virtual="words.html"-->the page' >"$work/htdocs/negotiated.html"
echo '<!--#include virtual="file.html"-->the page' >"$work/htdocs/named.html"
chmod 755 "$work"
{
    for name in mpm_event authz_core mime negotiation filter deflate include; do
        echo "LoadModule ${name}_module \"$modules/mod_$name.so\""
    done
    cat <<CONF
ServerRoot "$work"
ServerName localhost
Listen 127.0.0.1:$port
PidFile "$work/pid"
DefaultRuntimeDir "$work"
ErrorLog "$work/error_log"
TypesConfig /dev/null
User nobody
Group nogroup
DocumentRoot "$work/htdocs"
<Directory "$work/htdocs">
    Options Includes MultiViews
    AddType text/html .html
    AddLanguage en .en
    AddOutputFilter INCLUDES .html
    AddOutputFilterByType DEFLATE text/html
</Directory>
CONF
} >"$work/httpd.conf"
LD_LIBRARY_PATH="$work/usr/lib/x86_64-linux-gnu" "$work/usr/sbin/apache2" -f "$work/httpd.conf"
for _ in {1..100}; do [ ! -s "$work/pid" ] || break; sleep 0.1; done

# What a client is sent that takes gzip, and what it makes of that
answer_of() {
    curl -q -s --noproxy '*' -m 5 --retry 5 --retry-connrefused -H "Accept-Encoding: $2" "http://127.0.0.1:$port/$1" >"$work/answer"
    if gunzip -c "$work/answer" 2>/dev/null >"$work/decoded"; then
        echo "$1, $2: gzip: $(tr '\n' '|' <"$work/decoded")"
    else
        echo "$1, $2: no gzip: $(head -c 10 "$work/answer" | tr '\n' '|')"
    fi
}
seen=$(answer_of named.html gzip && answer_of negotiated.html gzip && answer_of negotiated.html identity)
printf '%s\n' "$seen"
expected='named.html, gzip: gzip: the words|the page|
negotiated.html, gzip: no gzip: the words|
negotiated.html, identity: no gzip: the words|'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
