#!/usr/bin/env bash
# universalmutator's --lines FILE is to keep it to the lines whose numbers are in the file. Of a file that says 2 it makes no mutant of
# line 2, ends with 0 and says "0 VALID MUTANTS": the numbers are an iterator, and the first mutant, of line 1, is looked for in it
# up to its end. With --tstl, whose file has the numbers in brackets, they are a list, and all mutants of the line are made.
#
# Seen with: universalmutator 1.0.2 (PyPI), Python 3.11.
# Consequence: t/mutants/run hands over a line as TSTL writes it.
# Needs: pip, python3-venv.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check universalmutator==1.0.2 python-Levenshtein==0.27.5
cat >two.c <<'END'
int first(int a) { return a + 1; }
int second(int a) { return a < 2 ? a : 3; }
END

# how many mutants of line 2 are made by a file of lines, with the options
made() {
    local file=$1
    shift
    mkdir -p mutants
    venv/bin/mutate two.c c --noCheck --noFastCheck --mutantDir mutants --lines "$file" "$@" >said
    find mutants -name '*.c' | while read -r mutant; do ! diff -q <(sed -n 2p two.c) <(sed -n 2p "$mutant") >/dev/null && echo; done | wc -l
    rm -rf mutants
}
echo 2 >plain
echo 'LINES two.c [2]' >tstl
plain=$(made plain) tstl=$(made tstl --tstl)
seen="plain: $plain, as TSTL has them: $([ "$tstl" -gt 5 ] && echo many || echo "$tstl")"
echo "$seen"
expected='plain: 0, as TSTL has them: many'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before: $expected"; exit 1; }
