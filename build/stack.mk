# The packages that all this needs, and the servers of the development stack. The settings of both
# (RUN_DIR CACHE_DIR HTTP_PORT PG_PORT REDIS_PORT KAFKA_PORT LAMBDA_PORT ...) are in
# build/stack/config.bash; those given to make reach the scripts through the environment.

STACK = OUT='$(OUT)' APXS='$(APXS)' build/stack

DEPS_build = build
DEPS_run   = build run
DEPS_test  = build run test arm64
DEPS_lint  = build lint
DEPS_arm64 = build arm64
DEPS_bench = build run bench
DEPS_real  = build run test real
DEPS_matrix = build run test matrix
DEPS_coverage = build run test coverage
DEPS_mutants = build run test mutants
DEPS_valgrind = build run test valgrind

.PHONY: deps deps-build deps-run deps-test deps-lint deps-bench deps-arm64 deps-real deps-matrix deps-coverage deps-mutants deps-valgrind run stack stack-stop clean-run clean-cache
deps: ## install what is missing, for everything (DEPS=no: nothing is ever installed)
	@build/deps/install build run test lint bench arm64

deps-build deps-run deps-test deps-lint deps-bench deps-arm64 deps-real deps-matrix deps-coverage deps-mutants deps-valgrind: deps-%:
	@build/deps/install $(DEPS_$*)

$(CORE_OBJECTS) $(MODULE_OBJECTS) $(LAMBDA_OBJECTS): | deps-build

# In makes of their own: what is missing now may be needed to read a rule.
run: deps-run ## everything, in the foreground; Ctrl-C stops it
	@$(MAKE) $(if $(V),,-s) --no-print-directory module lambda-bootstrap
	@exec env $(STACK)/run

stack: deps-run ## PostgreSQL, Redis, Kafka and the Lambda alone, in the background
	@$(MAKE) $(if $(V),,-s) --no-print-directory lambda-bootstrap
	@$(STACK)/stack start

stack-stop: ## stop them
	@$(STACK)/stack stop

clean-run: ## stop them and remove their data
	@$(STACK)/stack clean

clean-cache: ## remove what was fetched into CACHE_DIR: about 1 GB by make deps, more by make package and make matrix
	@build/deps/clean
