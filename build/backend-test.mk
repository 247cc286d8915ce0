# Tests of the backends on libpq, libcurl and hiredis, each against a real server that the test itself
# starts on loopback: this machine's PostgreSQL and Redis, and servers that misbehave. Of librdkafka what needs no broker.

BACKEND_TESTS     := $(patsubst %,$(OUT)/t/backend/test_%,pool talks talks_certificate import stats aws store sentinel tls scripts stream voters top scarcity ctl_scarcity)
BACKEND_OBJECTS   := $(patsubst %.c,$(OUT)/%.o,t/backend/slow_resolver.c t/backend/tcp_peer.c \
                       $(wildcard $(patsubst %,src/backend/%/*.c,common talks stats store))) $(STORE_SCRIPTS).o
BACKEND_PACKAGES   = cmocka apr-1 apr-util-1 libpq libcurl hiredis rdkafka libssl

.SECONDARY: $(BACKEND_OBJECTS)
.PHONY: test-backend
test-backend: $(BACKEND_TESTS) ## talks, stats and the store against real servers (SANITIZE=1: ASan, UBSan)
	@for t in $^; do echo "$$t"; $$t || exit 1; done

$(OUT)/t/backend/test_%: t/backend/test_%.c $(BACKEND_OBJECTS) $(OUT)/libratings.a
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(BASE_CFLAGS) \
	    $(call system,$(shell pkg-config --cflags $(BACKEND_PACKAGES))) $< -o $@ \
	    $(filter %.o,$^) $(OUT)/libratings.a $(shell pkg-config --libs $(BACKEND_PACKAGES)) \
	    $(CORE_LIBS) -lm -ldl $(LDFLAGS) $(WRAPS)

$(OUT)/t/backend/test_stream: $(patsubst %.c,$(OUT)/%.o,$(wildcard src/backend/stream/*.c))

# The projector's batches, and the store.
$(OUT)/t/backend/test_voters: $(OUT)/src/projector/ballots.o $(OUT)/src/projector/batch.o $(patsubst %.c,$(OUT)/%.o,$(wildcard src/shm/*.c))

# Where calls fail, and Redis lies: in a test, and in the program as a test runs it.
FAILING_ALL  = $(call failing_wraps,failing failing_tls failing_curl failing_backends failing_kafka) -Wl,--wrap=redisGetReply,--wrap=redisGetReplyFromReader
CTL_FAILING := $(OUT)/t/backend/ratingsctl_failing
LYING       := $(FAILING_OBJECTS) $(OUT)/t/backend/lying_redis.o

$(OUT)/t/backend/test_scarcity: $(LYING) $(patsubst %.c,$(OUT)/%.o,$(wildcard src/backend/stream/*.c))
$(OUT)/t/backend/test_scarcity: WRAPS = $(FAILING_ALL)

$(CTL_FAILING): $(CTL_OBJECTS) $(CTL_CLIENT) $(LYING) $(OUT)/t/backend/failing_program.o $(OUT)/libschedule.a $(OUT)/libratings.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(HARDEN) -pthread -o $@ $^ \
	    $(shell pkg-config --libs $(CTL_PACKAGES)) $(SCHEDULE_LIBS) -lm $(LDFLAGS) $(FAILING_ALL)

$(OUT)/t/backend/test_ctl_scarcity: $(CTL_FAILING)

# It runs the program.
$(OUT)/t/backend/test_import: $(CTL_PROGRAM)

-include $(BACKEND_TESTS:=.d) $(BACKEND_OBJECTS:.o=.d)
