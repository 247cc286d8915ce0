# Unit tests: t/unit/test_X.c each make one program. The service's tests come after them.

UNIT_SOURCES  := $(wildcard t/unit/test_*.c)
UNIT_PROGRAMS := $(UNIT_SOURCES:t/unit/%.c=$(OUT)/t/unit/%)

.PHONY: unit
unit: $(UNIT_PROGRAMS) ## the unit tests (SANITIZE=1: under ASan and UBSan)
	@for t in $^; do echo "$$t"; $$t || exit 1; done

$(OUT)/t/unit/%: t/unit/%.c $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(CC) $(BASE_CFLAGS) $(CORE_CFLAGS) $(call system,$(shell pkg-config --cflags cmocka)) $< -o $@ \
	    $(OUT)/libratings.a $(shell pkg-config --libs cmocka) $(CORE_LIBS) -lm $(LDFLAGS)

-include $(UNIT_PROGRAMS:=.d)
