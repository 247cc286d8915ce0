# What a child holds of Kafka: no thread and no connection, until it needs one, and no longer than that. And what that
# comes to, in threads and memory, with httpd as Debian installs it: VERBOSE=1 shows the figures.
use strict;
use warnings;
use Test::More;
use RatingsTest;

my $installed = mpm() eq 'prefork' ? <<'PREFORK' : <<'THREADED';
StartServers 5
MinSpareServers 5
MaxSpareServers 10
MaxRequestWorkers 150
PREFORK
StartServers 2
MinSpareThreads 25
MaxSpareThreads 75
ThreadLimit 64
ThreadsPerChild 25
MaxRequestWorkers 150
THREADED

my $httpd = own_httpd(name => 'threads', topic => 'ratings-threads', database => 9, sizes => $installed)
    ->expect_log(qr/RT0305: the store is rebuilt/, qr/RT0501: request \S+ answered with 503: it is not known yet/)->start;
my @at = (port => $httpd->port);

# The names of a process's threads
sub threads_of {
    my ($pid) = @_;
    my @names;
    for my $path (glob "/proc/$pid/task/*/comm") {
        push @names, lines_of($path);
    }
    return @names;
}

sub of_librdkafka { return grep { /^rdk:/ } threads_of(@_) }

sub memory_of {
    my ($pid) = @_;
    return { map { /^(\w+):\s+(\d+) kB$/ ? ($1 => $2) : () } lines_of("/proc/$pid/smaps_rollup") };
}

# The children that have projected: they append for all
sub leaders { return map { /\[pid (\d+)[^]]*\] RT0302:/ ? $1 : () } $httpd->log->lines }

sub show {
    my ($when) = @_;
    my %leads = map { $_ => 1 } leaders();
    for my $pid (sort { $a <=> $b } $httpd->children) {
        my ($memory, $threads) = (memory_of($pid), scalar(() = threads_of($pid)));
        note sprintf '%s | %s | %s | threads: %d, of librdkafka: %d | private: %.1f MB | proportional: %.1f MB', mpm(), $when,
            $leads{$pid} ? 'projects' : 'another', $threads, scalar(() = of_librdkafka($pid)),
            (($memory->{Private_Dirty} // 0) + ($memory->{Private_Clean} // 0)) / 1024, ($memory->{Pss} // 0) / 1024;
    }
}

# As many clients as there may be children that answer
sub each_of { my ($code) = @_; return in_children(12, sub { $code->() for 1 .. 20; return {} })->() }

sub idle_have_none {
    my ($name) = @_;
    my %leads = map { $_ => 1 } leaders();
    my @idle  = grep { !$leads{$_} } $httpd->children;
    ok(@idle > 0, "$name: there are children that do not project");
    is(scalar(map { of_librdkafka($_) } @idle), 0, "$name: they have no thread of librdkafka's");
}

my $talk = new_talk();
ok(wait_until(sub { histogram_of($talk, @at) && leaders() }, 20), 'a child projects, ratings can be read');
show('started');
ok(scalar(map { of_librdkafka($_) } leaders()), 'the child that projects has threads of librdkafka\'s');
idle_have_none('started');

each_of(sub { get("/ratings?talkId=$talk", @at) });
show('read');
idle_have_none('after GET /ratings');

ok(wait_until(sub { get('/readyz', @at)->status == 200 }, 10), 'ready');
each_of(sub { get('/readyz', @at) });
show('ready');
idle_have_none('after GET /readyz');

is(rate($talk, 5, @at)->status, 200, 'the first rating is visible');
show('rated once');
each_of(sub { rate($talk, 5, @at) });
show('rated by many');
idle_have_none('after POST /ratings');
is(total(histogram_of($talk, @at)), 241, 'each rating is counted');

# ---- another child appends and projects: the one before keeps nothing ----

sub hand_over {
    my ($name) = @_;
    my ($earlier) = reverse leaders();
    kill STOP => $earlier;
    my $taken = wait_until(sub { (leaders())[-1] != $earlier }, 20);
    kill CONT => $earlier;
    ok($taken, "$name: the leader is frozen, and another child leads") or return;
    is(rate($talk, 5, @at)->status, 200, "$name: a rating is visible");
    ok(wait_until(sub { !of_librdkafka($earlier) }, 20), "$name: the earlier one has no thread of librdkafka's any more");
    show($name);
}

hand_over($_) for 'handed over', 'and again';
is(total(histogram_of($talk, @at)), 243, 'each rating is counted');

# A graceful restart while each child has a request to wait for: the one that led lives on, and has nothing of Kafka.
{
    my ($earlier) = reverse leaders();
    my $body    = qq({"talkId":"$talk","value":5});
    my @waiting = map { client(@at) } 1 .. 2 * 12;
    $_->send("POST /ratings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\n\r\n") for @waiting;
    ok(wait_until(sub { $httpd->connections >= @waiting }, 10), 'drained: each child has requests that are not whole');
    $httpd->signal('USR1');
    ok(wait_until(sub { (leaders())[-1] != $earlier }, 20), 'drained: a child of the new generation leads');
    ok(wait_until(sub { !of_librdkafka($earlier) }, 20), 'drained: the earlier one has no thread of librdkafka\'s any more');
    ok(-d "/proc/$earlier", 'drained: it lives on');
    show('drained');
    $_->send($body) for @waiting;
    is(scalar(grep { $_->receive->status == 200 } @waiting), @waiting, 'drained: each request is answered');
}
is(total(histogram_of($talk, @at)), 243 + 2 * 12, 'each rating is counted');

my $took = $httpd->stop;
ok(defined $took && $took < 8, sprintf 'no process is left behind (%.1f s)', $took // -1);

finish();
