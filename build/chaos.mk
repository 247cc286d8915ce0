# make chaos: load, one fault at a time, an audit (t/chaos/run). NAMES="..." chooses scenarios.

SECONDS     ?= 900
CHAOS_RUN    = OUT='$(OUT)' APXS='$(APXS)' t/chaos/run
CHAOS_MODULE = $(OUT)/chaos/mod_ratings.so
CHAOS_LARGER = $(OUT)/chaos/larger.so
CHAOS_LAYOUT = $(OUT)/chaos/other_layout.so
CHAOS_FATAL  = $(OUT)/chaos/fatal.so

.PHONY: chaos chaos-short chaos-random chaos-mutants chaos-ready
chaos: chaos-ready ## every fault under load, each followed by an audit (NAMES="...": only these)
	@$(CHAOS_RUN) $(NAMES)

chaos-short: chaos-ready ## the short form of the faults that matter most
	@$(CHAOS_RUN) --short $(NAMES)

chaos-random: chaos-ready ## faults drawn by lot under one load (SECONDS=900 SEED=...)
	@$(CHAOS_RUN) --random --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(NAMES)

chaos-mutants: chaos-ready ## bugs put in on purpose, each of which the chaos suite must see (NAMES="...")
	@OUT='$(OUT)' APXS='$(APXS)' t/chaos/mutants/run $(NAMES)

chaos-ready: deps-test
	@$(MAKE) --no-print-directory module lambda-bootstrap $(CHAOS_MODULE) $(CHAOS_LARGER) $(CHAOS_LAYOUT) $(CHAOS_FATAL)

# The module as if it were a newer one: its version says so.
CHAOS_OBJECTS = $(MODULE_OBJECTS:$(OUT)/src/service/metadata.o=$(OUT)/chaos/metadata.o)

$(OUT)/chaos/build_version.h: FORCE
	@build/version $@ '$(VERSION)-next' '$(REVISION)'

$(OUT)/chaos/metadata.o: src/service/metadata.c $(OUT)/chaos/build_version.h
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) -iquote $(OUT)/chaos $(HTTPD_CFLAGS) $(MODULE_CFLAGS) -c $< -o $@

$(CHAOS_MODULE): $(CHAOS_OBJECTS) $(OUT)/libratings.a
	$(call quiet,LD)$(CC) -shared $(CFLAGS) $(HARDEN) -pthread -o $@ $^ $(MODULE_LIBS) $(LDFLAGS)

# The same, a megabyte larger: nothing of it is where it was in the other.
$(OUT)/chaos/padding.o: t/chaos/tools/padding.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) -c $< -o $@

$(CHAOS_LARGER): $(OUT)/chaos/padding.o $(CHAOS_OBJECTS) $(OUT)/libratings.a
	$(call quiet,LD)$(CC) -shared $(CFLAGS) $(HARDEN) -pthread -o $@ $^ $(MODULE_LIBS) $(LDFLAGS)

# A newer one, which shares no memory with the others, as its layout has another number.
$(OUT)/chaos/segment.o: src/shm/segment.c t/chaos/tools/other_layout.h
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) -include t/chaos/tools/other_layout.h $(HTTPD_CFLAGS) $(MODULE_CFLAGS) -c $< -o $@

$(CHAOS_LAYOUT): $(CHAOS_OBJECTS:$(OUT)/src/shm/segment.o=$(OUT)/chaos/segment.o) $(OUT)/libratings.a
	$(call quiet,LD)$(CC) -shared $(CFLAGS) $(HARDEN) -pthread -o $@ $^ $(MODULE_LIBS) $(LDFLAGS)

# Preloaded into httpd, ends a producer on demand. librdkafka, which it calls, comes with the module, later.
$(CHAOS_FATAL): t/chaos/tools/fatal.c
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(call system,$(shell pkg-config --cflags rdkafka)) -shared $< -o $@ $(LDFLAGS) -Wl,-z,lazy

-include $(OUT)/chaos/metadata.d $(OUT)/chaos/padding.d $(OUT)/chaos/segment.d $(OUT)/chaos/fatal.d
