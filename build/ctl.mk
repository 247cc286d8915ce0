# ratingsctl (docs/ratingsctl.md), which ratings-audit is a link to. It has nothing of the module but
# src/core, so that a fault of the projector is not repeated in it, but for the client of the statistics function.

CTL_SOURCES  := $(wildcard src/ctl/*.c)
CTL_SCHEMA   := $(OUT)/src/ctl/ctl_schema
CTL_OBJECTS  := $(CTL_SOURCES:%.c=$(OUT)/%.o) $(AUDIT_SCRIPTS).o $(CTL_SCHEMA).o
CTL_CLIENT   := $(patsubst %.c,$(OUT)/%.o,$(wildcard src/backend/common/*.c src/backend/stats/*.c))
CTL_PROGRAM  := $(OUT)/ratingsctl
CTL_MANUAL   := docs/ratingsctl.1
CTL_PACKAGES  = jansson libssl libcrypto hiredis rdkafka libpq libcurl libqrencode apr-1 apr-util-1
# what needs neither Kafka nor Redis, for the unit tests
CTL_PURE     := $(patsubst %,$(OUT)/src/ctl/%.o,audit_bars audit_fold audit_keys audit_place audit_tickets audit_votes ctl_page ctl_printable ctl_progress ctl_rows ctl_time)
CTL_UNIT     := $(patsubst %,$(OUT)/t/unit/test_%,audit ctl)
CTL_BINDIR    = $(DESTDIR)$(shell $(APXS) -q bindir)
CTL_MANDIR    = $(DESTDIR)$(shell $(APXS) -q mandir)/man1

.PHONY: ctl install-ctl
ctl: $(CTL_PROGRAM) ## build ratingsctl alone: it explains, audits and exports what the service counts
module: $(CTL_PROGRAM)
install: install-ctl
lint-objects: $(CTL_PROGRAM)

$(CTL_OBJECTS): | deps-build

$(OUT)/src/ctl/%.o: src/ctl/%.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) -D_GNU_SOURCE -iquote $(OUT) $(call system,$(shell pkg-config --cflags $(CTL_PACKAGES))) \
	    -c $< -o $@

# conf/schema.sql, which talks migrate runs.
$(CTL_SCHEMA).c: conf/schema.sql build/ctl.mk
	@mkdir -p $(@D)
	$(call quiet,SQL){ echo '#include "src/ctl/ctl_schema.h"'; echo 'const char ctl_schema_sql[] ='; \
	    sed -e 's/[\\"]/\\&/g' -e 's/.*/    "&\\n"/' $<; echo '    ;'; } >$@

$(CTL_SCHEMA).o: $(CTL_SCHEMA).c
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) -iquote . -c $< -o $@

$(CTL_PROGRAM): $(CTL_OBJECTS) $(CTL_CLIENT) $(OUT)/libschedule.a $(OUT)/libratings.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(HARDEN) -pthread -o $@ $^ \
	    $(shell pkg-config --libs $(CTL_PACKAGES)) $(SCHEDULE_LIBS) -lm $(LDFLAGS)

$(CTL_UNIT): $(OUT)/t/unit/%: t/unit/%.c $(CTL_PURE) $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(CORE_CFLAGS) $(call system,$(shell pkg-config --cflags cmocka)) $< -o $@ \
	    $(CTL_PURE) $(OUT)/libratings.a $(shell pkg-config --libs cmocka) $(CORE_LIBS) -lm $(LDFLAGS)

# By rename: a job that runs meanwhile keeps the program that it has.
install-ctl: $(CTL_PROGRAM)
	install -d "$(CTL_BINDIR)" "$(CTL_MANDIR)"
	install -m 755 $(CTL_PROGRAM) "$(CTL_BINDIR)/.ratingsctl.new"
	mv "$(CTL_BINDIR)/.ratingsctl.new" "$(CTL_BINDIR)/ratingsctl"
	ln -sf ratingsctl "$(CTL_BINDIR)/ratings-audit"
	install -m 644 $(CTL_MANUAL) "$(CTL_MANDIR)/"
	ln -sf ratingsctl.1 "$(CTL_MANDIR)/ratings-audit.1"

-include $(CTL_OBJECTS:.o=.d)
