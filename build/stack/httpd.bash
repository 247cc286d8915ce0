# shellcheck shell=bash
# httpd with the module, as conf/httpd.conf sets it up.

httpd_dir=$RUN_DIR/httpd

prepare_httpd() {
    own_dir "$httpd_dir" "$1"
    # its children read here when root has started it
    chmod 755 "$httpd_dir"
    mkdir -p "$httpd_dir/htdocs"
    # a copy: httpd's user may not get at the checkout
    "$top/build/install-page" "$httpd_dir/www"
    [ -e "$MODULE" ] || die "no $MODULE: make module"
}

launch_httpd() {
    local name httpd modules
    local -a settings=(RUN_DIR="$RUN_DIR" CONF="$top/conf" HTTP_PORT="$HTTP_PORT" MODULE="$MODULE"
        HTTPD_USER="$HTTPD_USER" HTTPD_GROUP="$HTTPD_GROUP")
    httpd=$("$APXS" -q SBINDIR)/$("$APXS" -q PROGNAME)
    modules=$("$APXS" -q LIBEXECDIR)
    for name in "${connections[@]}"; do settings+=("$name=${!name}"); done
    launch httpd "$httpd_dir" "$1" "${settings[@]}" HTTPD_MODULES="$modules" \
        "$httpd" -D FOREGROUND -d "$httpd_dir" -f "$top/conf/httpd.conf"
}

explain_httpd() {
    echo "the end of $RUN_DIR/log/httpd.log:"
    tail -n 10 "$RUN_DIR/log/httpd.log"
    echo "http://127.0.0.1:$HTTP_PORT/readyz:"
    curl -q -s --noproxy '*' -m 2 "http://127.0.0.1:$HTTP_PORT/readyz" || true
    echo
}

ready_httpd() { port_taken "$HTTP_PORT" && [ "$(http_status "http://127.0.0.1:$HTTP_PORT/readyz")" = 200 ]; }
