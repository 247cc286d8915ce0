# The Lua that Redis runs stands in files of its own, beside the C that calls it (src/**/scripts/*.lua). Here C is made
# of them, which defines what a header in the sources declares.

# Parts of scripts, which these include.
LUA_PARTS := $(foreach part,prelude score,$(wildcard src/*/scripts/$(part).lua src/*/*/scripts/$(part).lua))

STORE_SCRIPTS := $(OUT)/src/backend/store/store_scripts
AUDIT_SCRIPTS := $(OUT)/src/ctl/audit_scripts

$(STORE_SCRIPTS).c: $(filter-out $(LUA_PARTS),$(wildcard src/backend/store/scripts/*.lua))
$(AUDIT_SCRIPTS).c: $(wildcard src/ctl/scripts/*.lua)

$(STORE_SCRIPTS).c: EMBEDDED = -d

$(OUT)/%_scripts.c: build/embed-lua $(LUA_PARTS)
	@mkdir -p $(@D)
	$(call quiet,LUA)build/embed-lua $(EMBEDDED) $*_scripts.h $(filter-out $(LUA_PARTS),$(filter %.lua,$^)) >$@

$(OUT)/%_scripts.o: $(OUT)/%_scripts.c
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) -iquote . -c $< -o $@

-include $(STORE_SCRIPTS).d $(AUDIT_SCRIPTS).d
