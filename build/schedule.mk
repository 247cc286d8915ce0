# The readers of schedules, which ratingsctl links and the module does not: libxml2 and libical come with them.

SCHEDULE_SOURCES  := $(wildcard src/schedule/*.c)
SCHEDULE_OBJECTS  := $(SCHEDULE_SOURCES:%.c=$(OUT)/%.o)
SCHEDULE_PACKAGES  = jansson libxml-2.0 libical
SCHEDULE_LIBS      = $(shell pkg-config --libs $(SCHEDULE_PACKAGES))
SCHEDULE_CFLAGS    = $(call system,$(shell pkg-config --cflags $(SCHEDULE_PACKAGES)))
SCHEDULE_UNIT     := $(OUT)/t/unit/test_schedule

$(SCHEDULE_OBJECTS): | deps-build

$(OUT)/src/schedule/%.o: src/schedule/%.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BASE_CFLAGS) -D_GNU_SOURCE $(SCHEDULE_CFLAGS) -c $< -o $@

$(OUT)/libschedule.a: $(SCHEDULE_OBJECTS)
	$(call quiet,AR)rm -f $@ && $(AR) rcs $@ $^

$(SCHEDULE_UNIT): $(OUT)/t/unit/%: t/unit/%.c $(OUT)/libschedule.a $(OUT)/libratings.a $(OUT)/t/unit/failing.o
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) $(CORE_CFLAGS) $(call system,$(shell pkg-config --cflags cmocka)) $< -o $@ \
	    $(call failing,failing) $(OUT)/libschedule.a $(OUT)/libratings.a $(shell pkg-config --libs cmocka) $(SCHEDULE_LIBS) $(CORE_LIBS) -lm $(LDFLAGS)

-include $(SCHEDULE_OBJECTS:.o=.d)
