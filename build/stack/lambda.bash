# shellcheck shell=bash
# The Lambda: cargo-lambda serves the Runtime API and the function URL, the function runs beside it.

lambda_dir=$RUN_DIR/lambda

prepare_lambda() {
    own_dir "$lambda_dir" "$1"
    [ -x "$LAMBDA_BOOTSTRAP" ] || die "no $LAMBDA_BOOTSTRAP: make lambda-bootstrap"
    # copies, where its user can reach them; by rename, since the old one may be running
    local file
    for file in "$LAMBDA_BOOTSTRAP" "$stack_dir/cargo-metadata"; do
        install -m 755 "$file" "$lambda_dir/.new"
        mv "$lambda_dir/.new" "$lambda_dir/${file##*/}"
    done
}

launch_lambda() {
    [ -e "${artifact_dir[cargo-lambda]}/.complete" ] || die "no cargo-lambda in $CACHE_DIR: make deps"
    # It looks for sources below its directory: a small one. It reaches no further than for "metadata".
    launch lambda "$lambda_dir" "$1" CARGO="$lambda_dir/cargo-metadata" "${artifact_dir[cargo-lambda]}/bin/cargo-lambda" \
        lambda watch --only-lambda-apis --ignore-changes --disable-cors -A 127.0.0.1 -P "$LAMBDA_PORT"
    # the function ends where it finds no Runtime API
    wait_for 5 port_taken "$LAMBDA_PORT" || true
    # the text of the script, since its user may not reach the file
    launch lambda-runtime "$lambda_dir" "$1" AWS_LAMBDA_RUNTIME_API="127.0.0.1:$LAMBDA_PORT/.rt" \
        AWS_LAMBDA_FUNCTION_NAME=ratings-stats AWS_LAMBDA_FUNCTION_VERSION=1 AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128 \
        bash -c "$(<"$stack_dir/supervise")" supervise "$LAMBDA_PROCESSES" "$lambda_dir/${LAMBDA_BOOTSTRAP##*/}"
}

# An invoke, from one end to the other.
ready_lambda() {
    port_taken "$LAMBDA_PORT" && [ "$(http_status -d '{"ratings":{"1":0,"2":0,"3":0,"4":0,"5":1}}' \
        -H 'Content-Type: application/json' "$RATINGS_LAMBDA_URL")" = 200 ]
}
