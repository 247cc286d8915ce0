# How much of src/ the tests reach, by gcov: lines and branches, a table by room. Outside of make test: all of it takes half an hour.
# COVERAGE_TESTS names the service tests (contract votes ...), "none" leaves them out; COVERAGE_LINES and
# COVERAGE_BRANCHES are the per cents below which it fails, which with all service tests are the goals.

COVERAGE_TESTS    ?=
COVERAGE_LINES    ?= $(if $(COVERAGE_TESTS),0,95)
COVERAGE_BRANCHES ?= $(if $(COVERAGE_TESTS),0,85)

.PHONY: coverage
coverage: deps-coverage ## lines and branches of src/ that unit, backend and service tests reach (COVERAGE_TESTS="contract votes"; not in make test)
	@rm -rf $(OUT)-coverage/counts
	@find $(OUT)-coverage -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) --no-print-directory SANITIZE=coverage unit test-backend module
	@$(MAKE) --no-print-directory lambda-bootstrap
	@[ '$(COVERAGE_TESTS)' = none ] || TESTS='$(COVERAGE_TESTS)' OUT='$(OUT)' APXS='$(APXS)' t/run event-coverage || \
	    echo 'coverage: service tests failed (above); what they reached counts' >&2
	@build/coverage $(OUT)-coverage $(SUITES_LEFT)/test/event-coverage/coverage $(COVERAGE_LINES) $(COVERAGE_BRANCHES)

ifeq ($(SANITIZE),coverage)
COUNTED_EXIT := $(OUT)/t/coverage/counted_exit.o
$(MODULE) $(CTL_PROGRAM) $(CTL_FAILING) $(BACKEND_TESTS): $(COUNTED_EXIT)
$(MODULE) $(CTL_PROGRAM) $(CTL_FAILING) $(BACKEND_TESTS): LDFLAGS += -Wl,--wrap=_exit

$(COUNTED_EXIT): t/coverage/counted_exit.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) -c $< -o $@
endif
