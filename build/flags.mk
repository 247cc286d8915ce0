# Compiler flags. SANITIZE=1 builds with ASan and UBSan, SANITIZE=thread with ThreadSanitizer, SANITIZE=fuzzer with clang
# for libFuzzer, each into a directory of its own and with assertions (src/core/assertion.h); SANITIZE=coverage for gcov,
# without them. CPPFLAGS, CFLAGS and LDFLAGS are those of the
# environment, if it has them.

WARNINGS = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 \
           -Wvla -Wundef -Werror

ASSERTIONS_ON = -DRATINGS_ASSERTIONS=1

ifneq ($(filter 1 address,$(SANITIZE)),)
override OUT := $(OUT)-asan
CFLAGS  ?= -g -O1 -fno-omit-frame-pointer
HARDEN   = -fsanitize=address,undefined -fno-sanitize-recover=undefined $(ASSERTIONS_ON)
else ifeq ($(SANITIZE),thread)
override OUT := $(OUT)-tsan
CFLAGS  ?= -g -O1 -fno-omit-frame-pointer
HARDEN   = -fsanitize=thread $(ASSERTIONS_ON)
else ifeq ($(SANITIZE),fuzzer)
override OUT := $(OUT)-fuzzer
override CC   = $(FUZZ_CC)
CFLAGS  ?= -g -O1 -fno-omit-frame-pointer
HARDEN   = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -Wno-cast-qual $(ASSERTIONS_ON)
else ifeq ($(SANITIZE),coverage)
override OUT := $(OUT)-coverage
# What http_log.h has for each file, used or not, would want the module in unit tests that have none.
CFLAGS  ?= -g -O0 -ftoplevel-reorder -fno-keep-static-consts
HARDEN   = --coverage -fprofile-update=atomic
else ifneq ($(SANITIZE),)
$(error SANITIZE=$(SANITIZE): 1 (ASan and UBSan), thread, fuzzer (make fuzz) or coverage (make coverage))
else
CFLAGS  ?= -g -O2
LDFLAGS ?= -Wl,-z,relro -Wl,-z,now
# The flags of a distribution have it already, and may have it at another level.
HARDEN   = $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong
endif

REVISION := $(shell build/revision)
VERSION  := 0.1.0

# Commands are shown with V=1.
ifneq ($(V),1)
QUIET = @echo "  $(1) $@";
endif
quiet = $(call QUIET,$(1))

# No two operations on doubles are made into one, on no processor: src/core/ranking.c and a script of Redis agree bit by bit.
BASE_CFLAGS = -std=gnu11 -ffp-contract=off -fPIC -fvisibility=hidden -pthread $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(HARDEN) -MMD -MP

# Headers of others are system headers: their warnings are theirs.
system = $(patsubst -I%,-isystem %,$(filter-out -I/usr/include -I.,$(1)))
HTTPD_CFLAGS    = -isystem $(shell $(APXS) -q INCLUDEDIR) $(call system,$(shell $(APXS) -q EXTRA_INCLUDES)) \
                  $(filter -D%,$(shell $(APXS) -q EXTRA_CPPFLAGS))
MODULE_PACKAGES = $(CORE_PACKAGES) libssl hiredis rdkafka libcurl libpq
MODULE_CFLAGS   = $(call system,$(shell pkg-config --cflags $(MODULE_PACKAGES)))
MODULE_LIBS     = $(shell pkg-config --libs $(MODULE_PACKAGES))
CORE_PACKAGES   = jansson libssl libcrypto
CORE_CFLAGS     = -D_GNU_SOURCE $(call system,$(shell pkg-config --cflags $(CORE_PACKAGES)))
CORE_LIBS       = $(shell pkg-config --libs $(CORE_PACKAGES))
