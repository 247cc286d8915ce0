# The statistics function: a program to run on this machine, and its zip for provided.al2023, with the template that deploys it.

LAMBDA_SOURCES := $(filter-out lambda/launcher.c,$(wildcard lambda/*.c))
LAMBDA_OBJECTS := $(LAMBDA_SOURCES:%.c=$(OUT)/%.o)
LAMBDA_PROGRAM := $(OUT)/lambda/bootstrap
LAMBDA_ZIP     := $(OUT)/lambda/ratings-stats.zip
LAMBDA_STACK   := $(OUT)/lambda/template.yaml
LAMBDA_CFLAGS   = $(CORE_CFLAGS) $(call system,$(shell pkg-config --cflags libcurl))
LAMBDA_LIBS     = $(shell pkg-config --libs libcurl jansson)

# All but the parts that are talking to the world, for the unit tests of lambda/t (build/test.mk).
LAMBDA_PURE          := $(filter-out %/main.o %/runtime.o,$(LAMBDA_OBJECTS))
LAMBDA_UNIT_SOURCES  := $(wildcard lambda/t/test_*.c)
LAMBDA_UNIT_PROGRAMS := $(LAMBDA_UNIT_SOURCES:%.c=$(OUT)/%)

# As AWS calls what the compiler builds for.
LAMBDA_ARCHITECTURE = $(if $(filter aarch64%,$(shell $(CC) -dumpmachine)),arm64,x86_64)

.PHONY: lambda lambda-arm64 lambda-bootstrap test-lambda
lambda-bootstrap: $(LAMBDA_PROGRAM) ## build the statistics function alone, to run here
lambda: $(LAMBDA_ZIP) $(LAMBDA_STACK) ## build the statistics function and its zip for AWS (provided.al2023)
lambda-arm64: deps-arm64 ## the same for arm64, on a machine of another kind: out-arm64/lambda
	@build/arm64 $(MAKE) --no-print-directory lambda OUT='$(OUT)-arm64' SANITIZE= DEPS=no

$(OUT)/lambda/%.o: lambda/%.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) $(LAMBDA_CFLAGS) -c $< -o $@

$(LAMBDA_PROGRAM): $(LAMBDA_OBJECTS) $(OUT)/libratings.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(HARDEN) -pthread -o $@ $^ $(LAMBDA_LIBS) $(LDFLAGS)

# Without HARDEN: sanitizers cannot be linked statically, and there is nothing here to watch.
$(OUT)/lambda/launcher: lambda/launcher.c
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -std=gnu11 $(WARNINGS) -Os -static -s -o $@ $<

$(LAMBDA_ZIP): lambda/package $(LAMBDA_PROGRAM) $(OUT)/lambda/launcher
	$(call quiet,ZIP)CC='$(CC)' $^ $@

$(LAMBDA_STACK): lambda/template.yaml
	@mkdir -p $(@D)
	@sed 's/Default: x86_64/Default: $(LAMBDA_ARCHITECTURE)/' $< >$@

$(OUT)/lambda/t/%: lambda/t/%.c $(LAMBDA_PURE) $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(LAMBDA_CFLAGS) -It/unit $< -o $@ \
	    $(LAMBDA_PURE) $(OUT)/libratings.a $(shell pkg-config --libs cmocka) $(CORE_LIBS) $(LDFLAGS)

# Breaks jansson, for the test of a function that cannot start.
$(OUT)/lambda/t/no_json.so: lambda/t/no_json.c
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) -std=gnu11 $(WARNINGS) $(LAMBDA_CFLAGS) -fPIC -shared -o $@ $<

# MINISTACK and CARGO_LAMBDA name the programs: if they are not given, those that `make deps` put into
# the cache, else those on PATH. LAMBDA_TEST_PORT is the first of the ports to use, if it is given.
installed = $$(source build/stack/config.bash; \
	    command -v "$${artifact_dir[$(1)]}/bin/$(1)" || echo $(1))

test-lambda: lambda-bootstrap lambda lambda-arm64 $(OUT)/lambda/t/no_json.so ## test the function and its zips
	@MINISTACK="$${MINISTACK:-$(call installed,ministack)}" \
	    CARGO_LAMBDA="$${CARGO_LAMBDA:-$(call installed,cargo-lambda)}" \
	    LAMBDA_OUT=$(OUT)/lambda LAMBDA_OUT_ARM64=$(OUT)-arm64/lambda lambda/t/run

-include $(LAMBDA_OBJECTS:.o=.d) $(LAMBDA_UNIT_PROGRAMS:=.d)
