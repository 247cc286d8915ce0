# make run    everything on this machine: installs, builds, starts; Ctrl-C stops it
# make test   the same set-up, then every test
# make        build the module and its tools only
# make help   lists the rest

OUT   ?= out
APXS  ?= apxs
SHELL  = /bin/bash

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

include build/flags.mk
include build/scripts.mk
include build/module.mk
include build/schedule.mk
include build/ctl.mk
include build/lambda.mk
include build/stack.mk
include build/test.mk
include build/fuzz.mk
include build/mutants.mk
include build/valgrind.mk
include build/dist.mk
include build/install-test.mk
include build/backend-test.mk
include build/coverage.mk
include build/model.mk
include build/chaos.mk
include build/matrix.mk
include build/bench.mk
include build/bench-rebuild.mk
include build/lint.mk

.PHONY: all clean help
all: module lambda-bootstrap ## build the module and the statistics function

clean: ## remove what was built (the run directory stays: make clean-run)
	rm -rf $(OUT) $(OUT)-asan $(OUT)-tsan $(OUT)-arm64 $(OUT)-fuzzer $(OUT)-coverage

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'
