# Fuzzing: t/fuzz/fuzz_X.c is a target, t/fuzz/corpus/X its inputs (t/fuzz/README.md). `make unit` replays those, with any
# compiler; `make fuzz` looks for more, and leaves an input that fails in $(OUT)-fuzzer/found: put one of its kind into the
# corpus with the correction.

FUZZ_SECONDS ?= 30
FUZZ_CC      ?= clang
FUZZ_TARGETS := $(patsubst t/fuzz/fuzz_%.c,%,$(wildcard t/fuzz/fuzz_*.c))
REPLAYS      := $(FUZZ_TARGETS:%=$(OUT)/t/fuzz/replay_%)

.PHONY: replay fuzz $(FUZZ_TARGETS:%=fuzz-%)
replay: $(REPLAYS)
	@for t in $(FUZZ_TARGETS); do $(UNDER) $(OUT)/t/fuzz/replay_$$t t/fuzz/corpus/$$t/* || exit 1; done

# What reads the bytes of peers and of the administrator, beside src/core. A target takes of it what it calls; what it
# defines itself (store_dial, which would connect; functions of httpd) takes the place of the other.
FUZZ_OBJECTS := $(filter $(OUT)/src/backend/% $(OUT)/src/config/% $(OUT)/src/http/accept.o,$(MODULE_OBJECTS)) $(LAMBDA_PURE)
FUZZ_ARCHIVE := $(OUT)/t/fuzz/libpeers.a
FUZZ_LINKED   = $(FUZZ_ARCHIVE) $(OUT)/libschedule.a $(OUT)/libratings.a
FUZZ_LIBS     = -Wl,--as-needed $(MODULE_LIBS) $(SCHEDULE_LIBS) $(shell pkg-config --libs apr-1 apr-util-1) -lm
FUZZ_COMPILE  = $(CC) $(filter-out -MMD -MP,$(BASE_CFLAGS)) $(HTTPD_CFLAGS) $(MODULE_CFLAGS)

$(FUZZ_ARCHIVE): $(FUZZ_OBJECTS)
	@mkdir -p $(@D)
	$(call quiet,AR)rm -f $@ && $(AR) rcs $@ $^

$(OUT)/t/fuzz/replay_%: t/fuzz/fuzz_%.c t/fuzz/replay.c t/fuzz/fuzz.h $(FUZZ_LINKED)
	@mkdir -p $(@D)
	$(call quiet,LD)$(FUZZ_COMPILE) $(filter %.c,$^) -o $@ $(FUZZ_LINKED) $(FUZZ_LIBS) $(LDFLAGS)

ifneq ($(SANITIZE),fuzzer)
fuzz: ## fuzz what reads the bytes of others, FUZZ_SECONDS=30 each (needs clang); make fuzz-X: one target
$(FUZZ_TARGETS:%=fuzz-%): deps-lint
fuzz $(FUZZ_TARGETS:%=fuzz-%):
	@$(MAKE) --no-print-directory SANITIZE=fuzzer $@
else
fuzz: $(FUZZ_TARGETS:%=fuzz-%)

$(OUT)/t/fuzz/fuzz_%: t/fuzz/fuzz_%.c t/fuzz/fuzz.h $(FUZZ_LINKED)
	@mkdir -p $(@D)
	$(call quiet,LD)$(FUZZ_COMPILE) -fsanitize=fuzzer $(filter %.c,$^) -o $@ $(FUZZ_LINKED) $(FUZZ_LIBS) $(LDFLAGS)

$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: $(OUT)/t/fuzz/fuzz_%
	@mkdir -p $(OUT)/corpus/$* $(OUT)/found
	$< -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=1024 -max_len=8192 -dict=t/fuzz/words.dict \
	    -artifact_prefix=$(OUT)/found/$*- $(OUT)/corpus/$* t/fuzz/corpus/$*
endif
