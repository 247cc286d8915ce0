# make lint: compilers, format, clang-tidy, cppcheck, shellcheck, and the project's own rules (build/lint/).
# Nothing is run of what is built. make lint-X does one part; lint-analyzer takes minutes, and is not one of lint's.

LINT_JOBS  ?= 2
LINT_GCC   ?= gcc
LINT_CLANG ?= clang
# Beyond flags.mk: what only one of the two compilers knows, or what would be noise while one works.
# Not -Wlogical-op: it objects to errno == EAGAIN || errno == EWOULDBLOCK.
LINT_GCC_WARNINGS   = -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init -Wtrampolines
# Not -Wcast-qual with clang: it objects to what APR's and librdkafka's macros do with their arguments.
LINT_CLANG_WARNINGS = -Wno-cast-qual -Wunreachable-code-aggressive -Wcomma -Wextra-semi -Wnewline-eof -Wassign-enum

LINT_C       = $(shell build/lint/files '*.c' '*.h')
LINT_SOURCES = $(filter %.c,$(LINT_C))
LINT_LUA     = $(shell build/lint/files '*.lua')
LINT_HEADERS = $(filter %.h,$(LINT_C))
# from where the sources are read: in one place for all, since a file knows what it includes
LINT_CFLAGS  = -std=gnu11 -pthread -It/unit -iquote $(OUT) $(HTTPD_CFLAGS) $(MODULE_CFLAGS) $(SCHEDULE_CFLAGS) \
               $(call system,$(shell pkg-config --cflags cmocka))

LINT_PARTS = lint-rules lint-manual lint-shell lint-lua lint-template lint-compose lint-format lint-cppcheck lint-hardening lint-gcc lint-clang lint-tidy

.PHONY: lint format $(LINT_PARTS) lint-analyzer lint-objects
lint: deps-lint ## warnings as errors by gcc and clang, format, clang-tidy, cppcheck, hardening, shellcheck, the project's rules
	@$(MAKE) --no-print-directory -k -j1 $(LINT_PARTS)
	@echo "lint: all is well"

format: deps-lint ## format the sources with clang-format, as lint wants them
	@clang-format -i $(LINT_C)

# All of them, whichever fail; those are named at the end.
LINT_RULES = architecture dependencies directives endpoints messages function-length names words links hygiene mutants page packaging
lint-rules:
	@failed=; for rule in $(LINT_RULES); do APXS='$(APXS)' build/lint/$$rule || failed="$$failed $$rule"; done; \
	    [ -z "$$failed" ] || { echo "lint-rules: FAILED:$$failed" >&2; exit 1; }

# Its style as well: mandoc's lint has levels, of which this is the lowest. And each command and each option is in it.
lint-manual: $(CTL_PROGRAM)
	@mandoc -T lint -W style $(CTL_MANUAL)
	@build/lint/manual $(CTL_PROGRAM) $(CTL_MANUAL)

# SC2154, a variable that nobody sets: parts are sourced by name, and set -u finds it when it runs.
# SC2317, code that is never reached: takes what a trap calls for that.
LINT_SHELL_NOT = SC2154,SC2317
lint-shell:
	@build/lint/files --shell | xargs shellcheck --external-sources --exclude=$(LINT_SHELL_NOT)
	@echo "lint-shell: $$(build/lint/files --shell | wc -l) scripts"

# .luacheckrc says which globals each has.
lint-lua:
	@luac5.1 -p $(LINT_LUA)
	@report=$$(luacheck --quiet --no-color $(LINT_LUA)) || { printf '%s\n' "$$report" >&2; exit 1; }
	@echo "lint-lua: $(words $(LINT_LUA)) scripts"

# The template by which AWS deploys the Lambda; for the zip that it names beside it.
lint-template:
	@$(call lint_tool,cfn-lint)/cfn-lint --include-checks I -- lambda/template.yaml
	@echo "lint-template: lambda/template.yaml"

# By the schema of the Compose specification; then by what it says again of others.
lint-compose:
	@$(call lint_tool,check-jsonschema)/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	@$(call lint_tool,check-jsonschema)/python3 build/lint/compose

# Where the programs of an artifact are that make deps has fetched.
lint_tool = $$(bash -c '. build/stack/config.bash && echo "$${artifact_dir[$(1)]}/bin"')

lint-format:
	@clang-format --dry-run --Werror $(LINT_C)
	@echo "lint-format: $(words $(LINT_C)) files"

# All that is compiled, linked as well, so that a symbol that nobody defines is found.
lint-objects: $(MODULE) $(LAMBDA_PROGRAM) $(UNIT_PROGRAMS) $(BACKEND_TESTS) $(CHAOS_FATAL) $(BENCH_FLOOR) $(REPLAYS)

lint-gcc:
	@$(MAKE) --no-print-directory -s -j$(LINT_JOBS) lint-objects OUT=$(OUT)/lint/gcc CC=$(LINT_GCC) \
	    CFLAGS="-g -O2 $(LINT_GCC_WARNINGS)" >$(call lint_log,gcc) && echo "lint-gcc: no warnings"

lint-clang:
	@$(MAKE) --no-print-directory -s -j$(LINT_JOBS) lint-objects OUT=$(OUT)/lint/clang CC=$(LINT_CLANG) \
	    CFLAGS="-g -O2 $(LINT_CLANG_WARNINGS)" >$(call lint_log,clang) && echo "lint-clang: no warnings"

# standard output says what is built; faults go to standard error
lint_log = /dev/null

# In tests, assertions end a function, which the analyzer does not know; and they take liberties with
# fixed buffers, atoi and system(). They run under the sanitizers.
LINT_TIDY_TESTS = -clang-analyzer-*,-bugprone-not-null-terminated-result,-cert-env33-c,-cert-err33-c,-cert-err34-c

# A file is looked at again when it, any header or the settings have changed.
lint-tidy:
	@$(MAKE) --no-print-directory -s -k -j$(LINT_JOBS) $(LINT_SOURCES:%.c=$(OUT)/lint/tidy/%.ok)
	@echo "lint-tidy: $(words $(LINT_SOURCES)) files"

$(OUT)/lint/tidy/%.ok: %.c .clang-tidy $(wildcard *.h src/*.h src/*/*.h src/*/*/*.h lambda/*.h t/*/*.h) | $(OUT)/build_version.h
	@mkdir -p $(@D)
	@clang-tidy --quiet $(if $(findstring /t/,/$<),--checks='$(LINT_TIDY_TESTS)') $< -- $(LINT_CFLAGS) 2>$@.errors || \
	    { grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -' $@.errors >&2; exit 1; }
	@touch $@

# What has been built for use, as it is.
LINT_HARDENED = $(MODULE) $(CTL_PROGRAM) $(LAMBDA_PROGRAM)
lint-hardening: $(LINT_HARDENED)
	@build/lint/hardening $(LINT_HARDENED)

# cppcheck reads no headers of the system but sys/queue.h, whose macros declare structs. Not
#   ctuuninitvar          it takes sizeof of what a pointer leads to for a use of that
#   leakReturnValNotUsed  dlopen pins a library for good
#   readdirCalled         readdir_r is deprecated, and each caller has a DIR of its own
LINT_CPPCHECK_NOT = ctuuninitvar leakReturnValNotUsed readdirCalled missingIncludeSystem
LINT_QUEUE        = $(shell $(CC) -M -include sys/queue.h -xc /dev/null | grep -o '/[^ ]*/sys/queue.h')
lint-cppcheck:
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --error-exitcode=1 --library=posix,gnu \
	    --include=$(LINT_QUEUE) -D'APR_STRINGIFY(n)=#n' $(LINT_CPPCHECK_NOT:%=--suppress=%) -j$(LINT_JOBS) $(LINT_SHIPPED)
	@echo "lint-cppcheck: $(words $(LINT_SHIPPED)) files"

# What is built for use; tests take liberties.
LINT_SHIPPED = $(filter-out t/% lambda/t/%,$(LINT_SOURCES))

# By gcc's analyzer, which follows each path through a function and those that it calls.
lint-analyzer: ## what gcc -fanalyzer finds in what is built for use (minutes; not a part of lint)
	@$(MAKE) --no-print-directory -s -k -j$(LINT_JOBS) $(MODULE) $(CTL_PROGRAM) $(LAMBDA_PROGRAM) OUT=$(OUT)/lint/analyzer CC=$(LINT_GCC) \
	    CFLAGS='-g -O2 -fanalyzer $$(ANALYZER_NOT)' >$(call lint_log,analyzer) && echo "lint-analyzer: no warnings"

# What it takes for a fault and is none.
$(OUT)/src/ctl/ctl_explain.o: ANALYZER_NOT           = -Wno-analyzer-malloc-leak # tsearch keeps what it is given
$(OUT)/src/service/health_check.o: ANALYZER_NOT      = -Wno-analyzer-use-of-uninitialized-value # a loop has filled the array
$(OUT)/src/schedule/schedule_ical.o: ANALYZER_NOT    = -Wno-analyzer-use-of-uninitialized-value # libical returns the struct
