# make bench: what the service costs, beside what httpd costs by itself and what others cost (t/bench/run).
# make bench-memory: what memory its children take, and that it is bounded.
# make bench-vote: a vote of a continent's size, RATINGS of VOTERS.
# make bench-counting: what the metrics of a cached GET cost.
# NAMES="..." chooses systems, CASES="..." cases, CONNECTIONS="..." numbers of connections; ROUNDS, BENCH_SECONDS;
# REQUESTS, of bench-memory. BEFORE: the revision that is measured beside today's (t/bench/before); none, not any.

BENCH_FLOOR    = $(OUT)/bench/mod_floor.so
# Before there was one writer a host
BENCH_BEFORE   = $(or $(BEFORE),1fbdce053aa542025100bff1c56b5f8f09bae7eb)
BENCH_PROGRAMS = $(OUT)/bench/peer-go $(OUT)/bench/stub-lambda
BENCH_OPTIONS  = $(if $(CASES),--cases '$(CASES)') $(if $(CONNECTIONS),--connections '$(CONNECTIONS)') \
                 $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(BENCH_SECONDS),--seconds $(BENCH_SECONDS))
BENCH_GIVEN    = $(foreach name,NAMES CASES CONNECTIONS ROUNDS BENCH_SECONDS REQUESTS RATINGS VOTERS BEFORE,$(if $($(name)),$(name)="$($(name))"))
BENCH_RUN      = OUT='$(OUT)' APXS='$(APXS)' BENCH_BEFORE='$(filter-out none,$(BENCH_BEFORE))' \
                 BENCH_COMMAND='$(strip make $@ $(BENCH_GIVEN))' t/bench/run

.PHONY: bench bench-short bench-memory bench-vote bench-counting bench-publish bench-ready bench-before
bench: bench-ready bench-before ## measure the service, httpd's floor and the peers (NAMES= CASES= CONNECTIONS= ROUNDS= BENCH_SECONDS= BEFORE=)
	@$(BENCH_RUN) $(BENCH_OPTIONS) $(NAMES)

bench-short: bench-ready bench-before ## one round at 32 connections of what the targets need
	@$(BENCH_RUN) --short $(BENCH_OPTIONS) $(NAMES)

bench-memory: bench-ready ## what memory a child takes, while it answers ten million requests (REQUESTS=)
	@$(BENCH_RUN) --memory $(if $(REQUESTS),--requests $(REQUESTS))

bench-vote: bench-ready ## 3.8 million ratings by a million voters, each count audited, in 6 minutes (RATINGS= VOTERS=)
	@$(BENCH_RUN) --vote $(if $(RATINGS),--ratings $(RATINGS)) $(if $(VOTERS),--voters $(VOTERS))

# Three tenths of a microsecond
bench-counting: $(OUT)/bench/counting ## what the metrics of a GET cost that the response cache answers, in nanoseconds
	@$< 300

bench-publish: ## docs/performance-tables.md anew, of the last whole make bench, bench-memory and bench-vote
	@t/bench/publish $(OUT)/bench

bench-ready: deps-bench
	@$(MAKE) --no-print-directory module lambda-bootstrap $(BENCH_FLOOR) $(BENCH_PROGRAMS)

bench-before: deps-bench
	@[ '$(BENCH_BEFORE)' = none ] || t/bench/before '$(BENCH_BEFORE)' $(OUT)/bench/before

# The same flags as the module's: the floor is to differ in nothing but the work.
$(BENCH_FLOOR): t/bench/floor/mod_floor.c
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(HTTPD_CFLAGS) -shared $< -o $@ $(LDFLAGS)

$(OUT)/bench/counting: t/bench/counting/counting.c $(SHM_OBJECTS) $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(HTTPD_CFLAGS) $(filter %.c %.o %.a,$^) -o $@ $(shell pkg-config --libs apr-1 apr-util-1) $(CORE_LIBS) -lm $(LDFLAGS)

$(BENCH_PROGRAMS): $(OUT)/bench/%: t/bench/%/main.go t/bench/%/go.mod t/bench/%/go.sum t/bench/go-build
	@mkdir -p $(@D)
	$(call quiet,GO)t/bench/go-build t/bench/$* $@

-include $(BENCH_FLOOR:.so=.d) $(OUT)/bench/counting.d
