# ratings-audit: compares the store with the log (docs/audit.md). It has nothing of the module but
# src/core, so that a fault of the projector is not repeated in it.

AUDIT_SOURCES  := $(wildcard src/ctl/*.c)
AUDIT_OBJECTS  := $(AUDIT_SOURCES:%.c=$(OUT)/%.o) $(AUDIT_SCRIPTS).o
AUDIT_PROGRAM  := $(OUT)/ratings-audit
AUDIT_PACKAGES  = jansson hiredis rdkafka
# what needs neither Kafka nor Redis, for its unit test
AUDIT_PURE     := $(patsubst %,$(OUT)/src/ctl/%.o,audit_fold audit_keys)
AUDIT_UNIT     := $(OUT)/t/unit/test_audit
AUDIT_BINDIR    = $(DESTDIR)$(shell $(APXS) -q bindir)

.PHONY: audit install-audit
audit: $(AUDIT_PROGRAM) ## build ratings-audit alone: it compares the store with the log
module: $(AUDIT_PROGRAM)
install: install-audit
lint-objects: $(AUDIT_PROGRAM)

$(AUDIT_OBJECTS): | deps-build

$(OUT)/src/ctl/%.o: src/ctl/%.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) -iquote $(OUT) $(call system,$(shell pkg-config --cflags $(AUDIT_PACKAGES))) \
	    -c $< -o $@

$(AUDIT_PROGRAM): $(AUDIT_OBJECTS) $(OUT)/libratings.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(HARDEN) -pthread -o $@ $^ \
	    $(shell pkg-config --libs $(AUDIT_PACKAGES)) $(LDFLAGS)

$(AUDIT_UNIT): t/unit/test_audit.c $(AUDIT_PURE) $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(CORE_CFLAGS) $(call system,$(shell pkg-config --cflags cmocka)) $< -o $@ \
	    $(AUDIT_PURE) $(OUT)/libratings.a $(shell pkg-config --libs cmocka) $(CORE_LIBS) -lm $(LDFLAGS)

install-audit: $(AUDIT_PROGRAM)
	install -d "$(AUDIT_BINDIR)"
	install -m 755 $(AUDIT_PROGRAM) "$(AUDIT_BINDIR)/.ratings-audit.new"
	mv "$(AUDIT_BINDIR)/.ratings-audit.new" "$(AUDIT_BINDIR)/ratings-audit"

-include $(AUDIT_OBJECTS:.o=.d)
