# What reads or writes memory that it should not, or loses it, by valgrind's memcheck, in programs as they are built for use. The sanitizers
# see more of the module, and nothing of what libraries do with what it gives them. Outside of make test: valgrind runs one
# thread at a time, and each many times slower. VALGRIND_TESTS names the service tests (contract votes ...), "none" leaves them out.

VALGRIND_TESTS ?=

.PHONY: test-valgrind
test-valgrind: deps-valgrind ## the unit tests, and some of the service in httpd, under valgrind (VALGRIND_TESTS="contract votes"; not in make test)
	@$(MAKE) --no-print-directory unit UNDER='t/valgrind/memcheck --quiet --error-exitcode=9'
	@$(MAKE) --no-print-directory module lambda-bootstrap
	@[ '$(VALGRIND_TESTS)' = none ] || TESTS='$(VALGRIND_TESTS)' OUT='$(OUT)' APXS='$(APXS)' t/run event-valgrind
