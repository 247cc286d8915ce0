#!/bin/sh
# jansson's json_dumps() looks at no failure while it writes the name of a member (dump.c, do_dump: dump_string()): where
# memory runs out just there, the name is left out, and what is not JSON is returned as a success.
#
# Seen with: libjansson 2.14 (Debian 12).
# Consequence: core writes JSON through json_dump_callback() with a buffer that remembers its failure (ratings_json_dump()),
# so that no record with a damaged member comes into the log.
# Needs: Debian's apt, gcc.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -o APT::Sandbox::User=root -qq download libjansson-dev libjansson4
for package in *.deb; do dpkg -x "$package" root; done

# Each allocation of json_dumps() fails in turn.
cat >dump.c <<'END'
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static int left;

static void *limited_malloc(size_t size) { return left-- == 0 ? NULL : malloc(size); }

int main(void)
{
    int damaged = 0;
    json_t *record = json_pack("{s:i, s:i}", "version", 1, "partitions", 3);
    for (int call = 0; call < 20; call++) {
        json_set_alloc_funcs(limited_malloc, free);
        left = call;
        char *text = json_dumps(record, JSON_COMPACT);
        left = -1;
        json_set_alloc_funcs(malloc, free);
        json_t *read = text ? json_loads(text, 0, NULL) : NULL;
        if (text && !read) {
            printf("json_dumps, without memory for call %d: %s\n", call + 1, text);
            damaged = 1;
        }
        json_decref(read);
        free(text);
    }
    json_decref(record);
    return !damaged;
}
END
library=$(echo root/usr/lib/*/)
gcc -o dump dump.c -Iroot/usr/include -I"$(echo root/usr/include/*/)" -L"$library" -ljansson
LD_LIBRARY_PATH=$library ./dump
echo "as seen: json_dumps() returns a text that is no JSON"
