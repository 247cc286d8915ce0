# make bench-rebuild: how fast an empty store is rebuilt from the log (t/bench/rebuild), beside what kcat
# needs to read the same topic. EVENTS=..., TALKS=..., ZIPF=..., VOTERS=..., ROUNDS=... change what is measured.

BENCH_FILL := $(OUT)/bench/fill

.PHONY: bench-rebuild
bench-rebuild: deps-test bench-before ## events a second of a rebuild, beside kcat's on the same topic (EVENTS=10000000)
	@$(MAKE) --no-print-directory module lambda-bootstrap $(BENCH_FILL)
	@OUT='$(OUT)' APXS='$(APXS)' BENCH_BEFORE='$(filter-out none,$(BENCH_BEFORE))' t/bench/rebuild

lint-objects: $(BENCH_FILL)

$(BENCH_FILL): t/bench/tools/fill.c $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(call system,$(shell pkg-config --cflags rdkafka jansson)) $< -o $@ \
	    $(OUT)/libratings.a $(shell pkg-config --libs rdkafka jansson) -lm $(LDFLAGS)

-include $(BENCH_FILL).d
