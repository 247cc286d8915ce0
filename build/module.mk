# The module, and the core library that the Lambda, the tools and the unit tests link as well.

CORE_SOURCES   := $(wildcard src/core/*.c)
MODULE_SOURCES := mod_ratings.c $(filter-out src/core/% src/ctl/% src/schedule/%,$(wildcard src/*/*.c src/*/*/*.c))
CORE_OBJECTS   := $(CORE_SOURCES:%.c=$(OUT)/%.o)
MODULE_OBJECTS := $(MODULE_SOURCES:%.c=$(OUT)/%.o) $(STORE_SCRIPTS).o
MODULE         := $(OUT)/mod_ratings.so

.PHONY: module install install-page uninstall FORCE
module: $(MODULE) ## build the module alone

$(OUT)/src/core/%.o: src/core/%.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) $(CORE_CFLAGS) -c $< -o $@

# What names the version includes "build_version.h", which is made here.
$(OUT)/build_version.h: FORCE
	@build/version $@ '$(VERSION)' '$(REVISION)'

$(OUT)/src/service/metadata.o $(OUT)/src/service/metrics_page.o $(OUT)/src/check/check_line.o $(OUT)/src/ctl/ctl_main.o $(OUT)/src/ctl/ctl_talks_export_json.o: $(OUT)/build_version.h

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) -iquote $(OUT) $(HTTPD_CFLAGS) $(MODULE_CFLAGS) -c $< -o $@

$(OUT)/libratings.a: $(CORE_OBJECTS)
	$(call quiet,AR)rm -f $@ && $(AR) rcs $@ $^

# What httpd and the libraries have is found when the module is loaded; these are its own.
OWN_PREFIXES = ratings|store|stream|talks|stats|lease|leader|ranker|standby|batch|partition|projection|applier|routing|electorate|rebuild|stall|lua

# glibc loads libgcc_s when a thread calls pthread_exit, as httpd's do, and aborts where it is not to
# be found, as below ChrootDir: so it is there before.
$(MODULE): $(MODULE_OBJECTS) $(OUT)/libratings.a
	$(call quiet,LD)$(CC) -shared $(CFLAGS) $(HARDEN) -pthread -o $@ $^ $(MODULE_LIBS) -lm \
	    -Wl,--no-as-needed -lgcc_s $(LDFLAGS)
	@! nm --dynamic --undefined-only $@ | grep -E ' ($(OWN_PREFIXES))_' || { echo "$@: nobody defines these" >&2; exit 1; }

# By rename: an httpd that runs keeps the file that it has mapped.
install: $(MODULE) ## install the module into the httpd that apxs belongs to
	install -d "$(DESTDIR)$(shell $(APXS) -q LIBEXECDIR)"
	install -m 644 $(MODULE) "$(DESTDIR)$(shell $(APXS) -q LIBEXECDIR)/.mod_ratings.so.new"
	mv "$(DESTDIR)$(shell $(APXS) -q LIBEXECDIR)/.mod_ratings.so.new" \
	   "$(DESTDIR)$(shell $(APXS) -q LIBEXECDIR)/mod_ratings.so"

# Beside httpd's own folder of data (Debian: /usr/share/mod_ratings), which a site may have files in.
install: install-page
install-page:
	build/install-page "$(DESTDIR)$(dir $(shell $(APXS) -q datadir))mod_ratings/www"

uninstall: ## remove what install has put, once httpd's configuration does not load it (docs/install.md)
	@APXS='$(APXS)' DESTDIR='$(DESTDIR)' build/uninstall

-include $(CORE_OBJECTS:.o=.d) $(MODULE_OBJECTS:.o=.d)
