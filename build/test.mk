# make test: the parts below, in this order, each in a make of its own (what is missing at first may
# be needed to read a rule). The cheap ones come first.
TEST_PARTS = unit "unit SANITIZE=1" "unit SANITIZE=thread" test-www test-alerts model test-backend "test-backend SANITIZE=1" test-lambda test-suite test-service chaos-short

.PHONY: test test-service service-mpms service-sanitized test-suite clean-test

# Where suites leave what they have made: t/lib/suite.bash.
SUITES_LEFT = $(or $(TEST_DIR),$(if $(filter 0,$(shell id -u)),/var/tmp/mod_ratings-tests,$(OUT)/tests))

test: deps-test ## every test, on real servers
	@for part in $(TEST_PARTS); do \
	    echo "== make $$part"; $(MAKE) --no-print-directory $$part || exit 1; done
	@echo "make test: all is well"

# The service in httpd against real backends: under each MPM, and beside that, since most of a test's time is waits, under
# ASan and UBSan and under ThreadSanitizer. What each says at its end is said again at the end of both. SERVICE_JOBS=1: one
# after the other, for a machine with little memory (two take 4 GB).
SERVICE_JOBS ?= 2
SERVICE_RUN   = OUT='$(OUT)' APXS='$(APXS)' t/run
test-service: ## the service in httpd: all MPMs, ASan and UBSan, ThreadSanitizer
	@$(MAKE) --no-print-directory module lambda-bootstrap
	@$(MAKE) --no-print-directory module SANITIZE=1
	@$(MAKE) --no-print-directory module SANITIZE=thread
	@rm -f $(SUITES_LEFT)/*/closing
	@$(MAKE) --no-print-directory -j$(SERVICE_JOBS) -k service-mpms service-sanitized; code=$$?; \
	    cat $(SUITES_LEFT)/*/closing; exit $$code

service-mpms:
	@$(SERVICE_RUN) event worker prefork

service-sanitized:
	@$(SERVICE_RUN) --beside event-asan event-tsan

# The examples of README.md, docs/api.md, docs/audit.md, docs/ratingsctl.md and docs/voters.md (t/examples.t): the outputs that differ are written into the documents.
EXAMPLES_LEFT = $(SUITES_LEFT)/test/event/t/logs/examples

.PHONY: docs-examples
docs-examples: deps-test ## the outputs of the examples in the documents, as they are today
	@$(MAKE) --no-print-directory module lambda-bootstrap
	@TEST_EXAMPLES=1 TESTS=examples OUT='$(OUT)' APXS='$(APXS)' t/run event || echo "docs-examples: read what has changed (git diff)"
	@cd $(EXAMPLES_LEFT) && install -m 644 README.md $(CURDIR)/ && install -m 644 api.md audit.md organisers.md ratingsctl.md voters.md $(CURDIR)/docs/

# The page in Chromium (t/browser.t runs the tests themselves): how soon it is painted, and how it looks.
BROWSER_RUN  = $(MAKE) --no-print-directory module lambda-bootstrap && TESTS=browser OUT='$(OUT)' APXS='$(APXS)'
BROWSER_LEFT = $(SUITES_LEFT)/test/event/t/logs/browser-pictures

.PHONY: bench-page screenshots
bench-page: deps-test ## how soon each view of the page is painted, with a CPU four times slower: within half a second
	@$(BROWSER_RUN) TEST_BROWSER=paint t/run event

screenshots: deps-test ## pictures of each view of the page, light and dark; those that README.md shows go to docs/images
	@$(BROWSER_RUN) TEST_BROWSER=screenshots t/run event
	@install -m 644 $(BROWSER_LEFT)/talk-light.png docs/images/page-talk.png
	@install -m 644 $(BROWSER_LEFT)/talk-stage-light.png docs/images/page-stage.png
	@echo "screenshots: all of them are in $(BROWSER_LEFT)"

test-suite: deps-test ## what tests must not do: disturb a make run, leave servers behind
	@$(MAKE) --no-print-directory module lambda-bootstrap
	@OUT='$(OUT)' APXS='$(APXS)' t/suite/run

# What a conference tool exports (pretalx), and what real people gave (MovieLens 100K): not part of make test, as it has to be fetched.
.PHONY: test-real
test-real: deps-real ## the exports of a real pretalx; 100,000 real ratings by 943 voters, changed, withdrawn, rebuilt, compared with SQL's (fetched; not in make test)
	@$(MAKE) --no-print-directory module lambda-bootstrap
	@OUT='$(OUT)' t/real/schedules
	@OUT='$(OUT)' APXS='$(APXS)' t/real/run

# One test by name. What it needs is installed and built before it: for a service test the servers as well (make deps).
ONE_PROGRAM = $(filter %/test_$(NAME),$(UNIT_PROGRAMS) $(BACKEND_TESTS))
ONE_SERVICE = $(and $(NAME),$(wildcard t/$(NAME).t))

.PHONY: test-one
test-one: ## the tests of one name: NAME=contract (t/contract.t, under event), NAME=breaker (t/unit/test_breaker.c)
	@[ -n '$(ONE_PROGRAM)$(ONE_SERVICE)' ] || { echo 'test-one: no test of the name "$(NAME)": NAME=X runs t/X.t, t/unit/test_X.c,' \
	    't/backend/test_X.c and lambda/t/test_X.c (SANITIZE=1: under ASan and UBSan)' >&2; exit 1; }
	@for t in $(ONE_PROGRAM); do $(MAKE) --no-print-directory $$t && echo "$$t" && $$t || exit 1; done
ifneq ($(ONE_SERVICE),)
	@$(MAKE) --no-print-directory deps-test
	@$(MAKE) --no-print-directory lambda-bootstrap SANITIZE=
	@$(MAKE) --no-print-directory module
	@TESTS='$(NAME)' OUT='$(OUT)' APXS='$(APXS)' t/run event$(if $(filter 1 address,$(SANITIZE)),-asan)$(if $(filter thread,$(SANITIZE)),-tsan)
endif

# What of the page needs no browser, by the test runner of Node.js, which t/oidc.t has as well.
.PHONY: test-www
test-www: deps-test ## the page's scripts without a browser: outbox, interval, polling; requests and answers as docs/openapi.yaml has them
	@node=$$(bash -c '. build/stack/config.bash && echo "$${artifact_dir[node]}/node"'); \
	    "$$node" --test --test-reporter=dot t/www/*.test.mjs
	@OUT='$(OUT)' t/www/typed/check && echo "test-www: all is well"

# Alert rules and dashboard, by promtool and by docs/metrics.md.
.PHONY: test-alerts
test-alerts: deps-test ## the alert rules on made-up series, and each metric that they and the dashboard name
	@t/prometheus/check

clean-test: ## remove what tests have left in TEST_DIR: logs, journals, data of their servers
	@OUT='$(OUT)' APXS='$(APXS)' t/suite/clean

# Servers that lie (t/liars.t, which make test-service runs as well, with few requests): many, with the module under
# the sanitizer asan or tsan, or all of httpd under valgrind. LIARS_SEED=... draws another plan.
LIARS_REQUESTS ?= 200000
LIARS_SEED     ?= 1
LIARS_UNDER    ?= asan

.PHONY: liars
liars: deps-test $(if $(filter valgrind,$(LIARS_UNDER)),deps-valgrind) ## Redis, PostgreSQL, the Lambda and records that lie (LIARS_REQUESTS=200000 LIARS_SEED=1 LIARS_UNDER=asan, tsan, valgrind)
	@$(MAKE) --no-print-directory module lambda-bootstrap
	@$(MAKE) --no-print-directory module SANITIZE=$(patsubst asan,address,$(patsubst tsan,thread,$(filter-out valgrind,$(LIARS_UNDER))))
	@TESTS=liars TEST_REQUESTS=$(LIARS_REQUESTS) TEST_SEED=$(LIARS_SEED) OUT='$(OUT)' APXS='$(APXS)' t/run event-$(LIARS_UNDER)

# A rating on one host, and a look at it on another (t/position.t, which make test-service runs as well, with few pairs).
PAIRS ?= 100000

.PHONY: pairs
pairs: deps-test ## POST on one of two hosts, then GET with its position on the other: none may be stale (PAIRS=100000)
	@$(MAKE) --no-print-directory module lambda-bootstrap
	@TESTS=position TEST_PAIRS=$(PAIRS) OUT='$(OUT)' APXS='$(APXS)' t/run event

# For ThreadSanitizer: C11's threads as those of POSIX, in the tool, and beside the module (t/run preloads it).
TSAN_THREADS := $(OUT)/t/tsan/c11_threads
ifeq ($(SANITIZE),thread)
module: $(TSAN_THREADS).so
$(CTL_PROGRAM): $(TSAN_THREADS).o
endif
lint-objects: $(TSAN_THREADS).o

$(TSAN_THREADS).o: t/tsan/c11_threads.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) -c $< -o $@

$(TSAN_THREADS).so: $(TSAN_THREADS).o
	$(call quiet,LD)$(CC) -shared $(CFLAGS) $(HARDEN) -pthread -o $@ $< $(LDFLAGS)

# Unit tests: t/unit/test_X.c each make one program. UNDER: a command that runs each (make test-valgrind).

ifneq ($(SANITIZE),thread)
UNIT_SOURCES  := $(wildcard t/unit/test_*.c)
else # what has no threads has no races
UNIT_SOURCES  := $(shell grep -l pthread_create t/unit/test_*.c)
endif
UNIT_PROGRAMS := $(UNIT_SOURCES:t/unit/%.c=$(OUT)/t/unit/%) $(LAMBDA_UNIT_PROGRAMS)

.PHONY: unit
unit: $(UNIT_PROGRAMS) replay ## the unit tests (SANITIZE=1: under ASan and UBSan)
	@for t in $(UNIT_PROGRAMS); do echo "$$t"; $(UNDER) $$t || exit 1; done

$(OUT)/t/unit/%: t/unit/%.c $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(CORE_CFLAGS) $(call system,$(shell pkg-config --cflags cmocka)) $< -o $@ \
	    $(OUT)/libratings.a $(shell pkg-config --libs cmocka) $(CORE_LIBS) -lm $(LDFLAGS)

# Calls that fail on purpose (t/unit/failing.h): what a program links for that, $(call failing,failing) or more of its files.
FAILING_NAMES = s/^MAY_FAIL[A-Z_]*(\([A-Za-z0-9_]*\),.*/-Wl,--wrap=\1/p
failing_wraps = $(shell sed -n '$(FAILING_NAMES)' $(patsubst %,t/unit/%.c,$(1)))
failing       = $(patsubst %,$(OUT)/t/unit/%.o,$(1)) $(failing_wraps)
FAILING_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard t/unit/failing*.c))

$(FAILING_OBJECTS): $(OUT)/t/unit/%.o: t/unit/%.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) $(CORE_CFLAGS) $(call system,$(shell pkg-config --cflags $(BACKEND_PACKAGES))) -c $< -o $@

$(OUT)/t/unit/test_failing: t/unit/test_failing.c $(OUT)/t/unit/failing.o $(OUT)/t/unit/failing_tls.o $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(CORE_CFLAGS) $(call system,$(shell pkg-config --cflags cmocka)) $< -o $@ \
	    $(call failing,failing failing_tls) $(OUT)/libratings.a $(shell pkg-config --libs cmocka) $(CORE_LIBS) -lm $(LDFLAGS)

# Of shared memory, and of the pending write that waits on it: these need its objects, and APR.
SHM_UNIT    := $(patsubst %,$(OUT)/t/unit/test_%,append_time applied_counts background checkpoints host_lease known_cache known_talks log_rate metrics pending_write response_cache status_lines thread visibility)
SHM_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard src/shm/*.c) src/backend/common/result.c)

$(SHM_UNIT): $(OUT)/t/unit/%: t/unit/%.c $(SHM_OBJECTS) $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(HTTPD_CFLAGS) $(call system,$(shell pkg-config --cflags cmocka apr-1)) $< -o $@ \
	    $(filter %.o,$^) $(filter %.a,$^) $(shell pkg-config --libs cmocka apr-1 apr-util-1) $(CORE_LIBS) -lm $(LDFLAGS)

# This one has the source itself in it.
$(OUT)/t/unit/test_append_ring: t/unit/test_append_ring.c $(filter-out %/append_ring.o,$(SHM_OBJECTS)) $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(HTTPD_CFLAGS) $(call system,$(shell pkg-config --cflags cmocka apr-1)) $< -o $@ \
	    $(filter %.o %.a,$^) $(shell pkg-config --libs cmocka apr-1 apr-util-1) $(CORE_LIBS) -lm $(LDFLAGS)

$(OUT)/t/unit/test_background: $(OUT)/src/service/background.o $(OUT)/src/backend/common/thread.o
$(OUT)/t/unit/test_pending_write: $(OUT)/src/service/pending_write.o
$(OUT)/t/unit/test_thread: $(OUT)/src/backend/common/thread.o
$(OUT)/t/unit/test_known_cache: $(OUT)/src/service/known_cache.o
$(OUT)/t/unit/test_known_talks: $(patsubst %,$(OUT)/src/service/%.o,known_talks known_cache background) $(OUT)/src/backend/common/thread.o
$(OUT)/t/unit/test_status_lines: $(OUT)/src/service/status_lines.o
$(OUT)/t/unit/test_time_search: $(OUT)/src/projector/partition.o
$(OUT)/t/unit/test_direct $(OUT)/t/unit/test_writer: $(OUT)/src/projector/own_records.o

# Of the projector: what needs no backend, or the test's own.
PROJECTOR_UNIT := $(patsubst %,$(OUT)/t/unit/test_%,ballots direct lease partition time_search topic_watch writer)

$(PROJECTOR_UNIT): $(OUT)/t/unit/test_%: t/unit/test_%.c $(OUT)/src/projector/%.o $(SHM_OBJECTS) $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(HTTPD_CFLAGS) $(call system,$(shell pkg-config --cflags cmocka apr-1)) $< -o $@ \
	    $(filter %.o,$^) $(filter %.a,$^) $(shell pkg-config --libs cmocka apr-1 apr-util-1) $(CORE_LIBS) -lm $(LDFLAGS)

-include $(UNIT_PROGRAMS:=.d) $(FAILING_OBJECTS:.o=.d)
