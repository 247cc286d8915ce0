# shellcheck shell=bash
# A walk: commands of docs/install.md are run as they stand, in a system of their own, beside a site that is asked all the
# time. Sourced by t/install/run and t/install/package after t/install/machine.bash.
document=docs/install.md

# ---- the site ----

make_site() {
    local name
    mkdir -p "$root/var/www/shop/ratings"
    echo 'the front page' >"$root/var/www/html/index.html"
    for name in index.html healthz readyz ratings/index.html; do echo "the shop's $name" >"$root/var/www/shop/$name"; done
    cat >"$root/etc/apache2/sites-available/shop.conf" <<'SITE'
<VirtualHost *:80>
    ServerName shop.example.org
    DocumentRoot /var/www/shop
</VirtualHost>
SITE
    echo 'ServerName www.example.org' >"$root/etc/apache2/conf-available/name.conf"
    inside "$root" a2enconf -q name
    inside "$root" a2ensite -q shop
    inside "$root" apachectl start
    within 20 asks_well www.example.org / 'the front page' || die "the site does not answer"
    parent=$(httpd_parent)
}

# pid and start time: no other process has both
httpd_parent() {
    local pid
    pid=$(<"$root/run/apache2/apache2.pid")
    printf '%s %s\n' "$pid" "$(awk '{ print $22 }' "/proc/$pid/stat")"
}

# asks_well HOST PATH BODY
asks_well() {
    local answer
    answer=$(curl -q -sS -m 5 -H "Host: $1" -w '[%{http_code}]' "http://127.0.0.1$2" 2>&1) || true
    [ "$answer" = "$3"$'\n[200]' ] || { echo "$1$2: $answer" && return 1; }
}

# What was there before, asked until the file `enough` is there.
ask_all_the_time() {
    local asked=0 failed=0
    until [ -e "$walk/enough" ]; do
        for page in 'www.example.org / the front page' "shop.example.org / the shop's index.html" \
            "shop.example.org /healthz the shop's healthz" "shop.example.org /readyz the shop's readyz" \
            "shop.example.org /ratings/ the shop's ratings/index.html"; do
            read -r host path body <<<"$page"
            asks_well "$host" "$path" "$body" >>"$walk/failed" || failed=$((failed + 1))
            asked=$((asked + 1))
        done
        sleep 0.02
    done
    echo "$asked $failed" >"$walk/asked"
}

# ---- who follows the document ----

# The connection strings of the sample become those of the backends.
make_editor() {
    cat >"$root/usr/local/bin/editor" <<'EDITOR'
#!/bin/sh -e
sed -i -e 's|sslmode=verify-full[^"]*|sslmode=disable|' -e 's|ratings:PASSWORD@redis|redis|' \
    -e 's|kafka1[^"]*|127.0.0.1:9092|' -e 's|https://ID[^"]*|http://127.0.0.1:9000/|' "$1"
EDITOR
    chmod 755 "$root/usr/local/bin/editor"
    sed -i '1i 127.0.0.1 db.example.org redis.example.org' "$root/etc/hosts"
    echo 'db.example.org:*:*:postgres:postgres' >"$root/root/.pgpass"
    chmod 600 "$root/root/.pgpass"
}

# follow SECTION...: the blocks of these sections, in the document's order
follow() {
    local block section wanted
    for block in "$blocks"/*.sh; do
        section=$(<"${block%.sh}.section")
        for wanted; do
            [ "$section" != "$wanted" ] || step "$block" "$section"
        done
    done
}

# step BLOCK SECTION: its output is left in the walk's directory
step() {
    local before told
    before=$(times_up)
    cp "$1" "$root/tmp/block"
    say "$kind: $2: $(grep -cv '^    ' "$1") commands"
    told=$walk/${1##*/}.out
    inside "$root" bash -e -c 'cd /usr/src/mod_ratings && . /tmp/block' >"$told" 2>&1 ||
        { cat "$1" "$told" && die "$kind: these commands of $2 failed"; }
    # the command returns before httpd has read its configuration anew
    ! grep -q 'apachectl graceful' "$1" || within 30 is_up_after "$before" ||
        die "$kind: $2: httpd does not come back from its graceful restart"
    check "$2: httpd is the same process" same_parent
    [ ! -s "$walk/failed" ] || { cat "$walk/failed" && die "$kind: the site failed in $2"; }
}

times_up() { grep -c 'resuming normal operations' "$root/var/log/apache2/error.log" || true; }
is_up_after() { [ "$(times_up)" -gt "$1" ]; }
same_parent() { [ "$(httpd_parent)" = "$parent" ]; }
sql() { inside "$root" psql -X -q -A -t 'postgres://postgres@db.example.org/talks' -c "$1"; }
# as another machine asks: neither of the addresses is httpd's own and the client's at once
from_elsewhere() { status_of --interface 192.0.2.2 "http://192.0.2.1$1"; }
answers() { [ "$(status_of "http://127.0.0.1$1")" = "$2" ]; }

check() {
    local name=$1
    shift
    "$@" || die "$kind: NOT OK: $name"
}

is_loaded() { inside "$root" apachectl -M 2>/dev/null | grep -q ratings_module; }
secret_kept() {
    [ "$(stat -c '%a %U' "$root/etc/apache2/ratings-connections.conf")" = '600 root' ] &&
        ! inside "$root" setpriv --reuid=www-data --clear-groups cat /etc/apache2/ratings-connections.conf >/dev/null 2>&1
}
# What the document says of the state after Check and Talks.
look_around() {
    check 'no talk but the one that was added' test "$(sql 'select uuid from talks')" = opening
    check 'the rating is counted' grep -qs '"5":[1-9]' "$walk"/*.out
    check 'it is ready' answers /readyz 200
    check 'the ratings are for all' test "$(from_elsewhere '/ratings?talkId=opening')" = 200
    for path in /healthz /readyz /ratings/metadata; do
        check "$path is for this machine" answers "$path" 200
        check "$path is for no other" test "$(from_elsewhere "$path")" = 403
    done
    check 'passwords are readable by root alone' secret_kept
    check 'the log tells of the service' grep -q 'ratings:info.*RT' "$root/var/log/apache2/error.log"
    check 'the log has no fault' test -z "$(grep -E 'ratings:(error|crit|alert)' "$root/var/log/apache2/error.log")"
}

# ---- a walk ----

# make_system KIND: sets `root` to a system of its own; commands are run in its /usr/src/mod_ratings
make_system() {
    kind="$release, $1" walk=$RUN_DIR/systems/$release-$1
    root=$walk/root
    rm -rf --one-file-system "$walk"
    mkdir -p "$walk"
    cp -a "$machine" "$root"
    mkdir -p "$root/usr/src/mod_ratings"
    mount -t proc proc "$root/proc"
}

# begin KIND: such a system with the site, for the document's commands
begin() {
    make_system "$1"
    make_editor
    make_site
    ask_all_the_time &
    asker=$!
}

finish() {
    local asked failed
    touch "$walk/enough"
    wait "$asker"
    read -r asked failed <"$walk/asked"
    check "$asked requests to the site, $failed failed" test "$failed" -eq 0
    stop_httpd
    say "ok: $kind: $asked requests to the site, none failed"
}

stop_httpd() {
    inside "$root" apachectl stop
    within 20 test ! -e "$root/run/apache2/apache2.pid" || die "$kind: httpd does not end"
}

# A database without what the document puts there.
as_before() {
    local talks
    talks=$(stack env | sed -n "s/^TALKS_CONNECTION='\(.*\)'/\1/p")
    psql -X -q "$talks" -c 'drop database if exists talks' -c 'drop role if exists ratings' -c 'create database talks' 2>/dev/null
}

# cut_blocks RELEASE [SECTION]...: sets `blocks` to the directory of the document's commands, without those of these sections
cut_blocks() {
    local block section
    blocks=$RUN_DIR/blocks-$1
    rm -rf "$blocks"
    mkdir -p "$blocks"
    t/install/blocks "$1" "$document" "$blocks"
    for section in "${@:2}"; do
        for block in "$blocks"/*.sh; do
            [ "$(<"${block%.sh}.section")" != "$section" ] || rm "$block"
        done
    done
}
