# Servers that lie: Redis, PostgreSQL, the statistics function and foreign records in the log, by a plan drawn from
# a seed (t/liars). Whatever they say, each request ends in time, with a status that is documented and nothing
# untrue; and once they tell the truth again, all is well within ten seconds, without a restart.
#
# From the environment: TEST_REQUESTS, how many requests; TEST_SEED.
use strict;
use warnings;
use FindBin qw($Bin);
use List::Util qw(sum);
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;
use RatingsTest::Tool ();

plan skip_all => 'a child of prefork serves one connection' if mpm() eq 'prefork';

my $requests = $ENV{TEST_REQUESTS} || 3000;
my $seed     = $ENV{TEST_SEED}     || 1;
my %slack    = (asan => 2, tsan => 10, valgrind => 30); # seconds, on a machine that is busy
my $slack    = $slack{ sanitized() || '' } || 1;
my $deadline = 3;
my $topic    = 'ratings-liars-' . int(time) . "-$$";
my $database = 1;
my $kinds    = 30; # of lies, at least

my @talks = new_talks(24);
my @own   = new_talks(4);
diag("seed $seed, $requests requests") if $requests > 3000;

# ---- httpd before the liars ----

my $servers = RatingsTest::Tool->new("$Bin/liars/servers", $topic, join(',', @talks), join(',', @own));
my ($redis, $postgres, $function) = split ' ', $servers->greeting;
my $directives = join '', map { "$_\n" } 'RatingsTopicPartitions 4', "RatingsTopic $topic", "RatingsDeadline $deadline",
    qq(RatingsStore redis://127.0.0.1:$redis/$database), qq(RatingsStream "\${STREAMS_CONNECTION}"), "RatingsStats http://127.0.0.1:$function/",
    qq(RatingsTalks "@{[ $ENV{TALKS_CONNECTION} =~ s/127\.0\.0\.1:\d+/127.0.0.1:$postgres/r ]}"),
    'RatingsTalksTimeout 300ms', 'RatingsStoreTimeout 300ms', 'RatingsStatsTimeout 300ms', 'RatingsStreamTimeout 2', 'RatingsVisibilityTimeout 300ms',
    'RatingsBreakerCooldown 100ms', 'RatingsTalkTTL 500ms', 'RatingsCacheTTL 100ms', 'RatingsTalksPool 4', 'RatingsStorePool 4', 'RatingsStatsPool 4',
    'KeepAliveTimeout 60', 'MaxKeepAliveRequests 0';
my $sizes = "StartServers 2\nServerLimit 2\nThreadsPerChild 110\nThreadLimit 110\nMaxRequestWorkers 220\nMinSpareThreads 1\nMaxSpareThreads 440\n";
redis(database => $database)->call('FLUSHDB');
my $httpd = own_httpd(name => 'liars', sizes => $sizes, conf => $directives . RatingsTest::Httpd::locations());
$httpd->expect_log(qr/ RT\d{4}: /);
$httpd->start;
ok(wait_ready(port => $httpd->port), 'ready before the first lie') or BAIL_OUT('the service does not become ready');

my $load = RatingsTest::Tool->new("$Bin/liars/load", $httpd->port, $deadline + $slack, $seed, @talks);
sub ask { my ($tool, $command, $seconds) = @_; return json($tool->ask($command, $seconds)) }

# What a child has: handles of librdkafka's, each with a main thread; threads that are not librdkafka's; descriptors,
# memory in megabytes.
sub held {
    my ($pid) = @_;
    my @threads = map { chomp; $_ } map { lines_of($_) } glob "/proc/$pid/task/*/comm";
    my ($memory) = join('', lines_of("/proc/$pid/status")) =~ /^RssAnon:\s+(\d+) kB/m or return;
    return {
        handles     => scalar(grep { $_ eq 'rdk:main' } @threads),
        threads     => scalar(grep { !/^rdk:/ } @threads),
        descriptors => scalar(() = glob "/proc/$pid/fd/*"),
        memory      => int($memory / 1024),
    };
}

# ---- the truth, lies, the truth ----

my $patience = 120 + $requests / 20; # seconds for all of them: no more than a bound
my $run = ask($load, 'run 500 1', $patience);
is_deeply($run->{wrong}, {}, 'all is as it must be while all tell the truth') or diag(join "\n", @{ $run->{samples} });
my @children = sort { $a <=> $b } $httpd->children;
my %before   = map { $_ => held($_) } @children;

ask($servers, "lie $seed", 10);
my $half = int($requests / 2);
my $seconds = ask($load, "run $half 0", $patience)->{seconds};
my %midway = map { $_ => held($_) } @children;
my $asked = $half;
# While PostgreSQL is silent, requests fail before they ask anybody else: more of them then, until other servers lie.
for (my $next = $requests - $half; $next && $asked < 20 * $requests; $next = enough_told() ? 0 : 500) {
    $run = ask($load, "run $next 0", $patience);
    $seconds += $run->{seconds};
    $asked += $next;
}
my $told = ask($servers, 'truth', 10);
is_deeply($run->{wrong}, {}, 'nothing but what is documented, in time and true, while they lie') or diag(join "\n", @{ $run->{samples} });
note_or_diag(sprintf '%d requests in %.1f s, %.0f a second, the longest %.2f s', $asked, $seconds, $asked / $seconds, $run->{longest});
my $well = ask($load, 'recover ' . 10 * $slack, 60);
ok($well->{recovered}, sprintf 'all is well %.1f s after the last lie', $well->{seconds}) or diag(join "\n", @{ $well->{problems} });
is_deeply($well->{wrong}, $run->{wrong}, 'and every count is what was acknowledged') or diag(join "\n", @{ $well->{samples} });
note_or_diag(join "\n", @{ $well->{problems} });
note_or_diag("recovered after $well->{seconds} s; $well->{recorded} ratings recorded, $well->{doubtful} in doubt");
note_or_diag(join "\n", 'requests by kind and status:', map { sprintf '  %-34s %7d', $_, $well->{counts}{$_} } sort keys %{ $well->{counts} });
note_or_diag(join "\n", 'lies by kind:', map { sprintf '  %-34s %7d', $_, $told->{told}{$_} } sort keys %{ $told->{told} });
cmp_ok(scalar keys %{ $told->{told} }, '>=', $kinds, 'lies of many kinds were told');

sub enough_told { return keys %{ ask($servers, 'counts', 10)->{told} } >= $kinds }
sub note_or_diag { return $requests > 3000 ? diag(@_) : note(@_) }

# ---- what is left ----

{
    my @command = ($ENV{RATINGS_AUDIT}, '--topic', $topic, '--store', $ENV{RATINGS_CONNECTION} . "/$database", '--json');
    my ($audit, $code);
    wait_until(sub { $audit = qx(@command 2>&1); $code = $? >> 8; return $code == 0 }, 10);
    is($code, 0, 'the audit finds nothing') or diag(substr $audit, 0, 2000);
}
ask($load, 'close', 10);
is(join(' ', sort { $a <=> $b } $httpd->children), "@children", 'no child has ended') or @children = ();
# Of all children: one may have taken the place of another, which appended and projected before. That one keeps a sender
# and a poller, which sleep, and no handle.
my $is_back = sub { my ($what, $more) = @_; return sub { return sum(map { held($_)->{$what} - $before{$_}{$what} } @children) <= $more } };
ok(wait_until(sub { sum(map { held($_)->{handles} } @children) <= 2 }, 30), 'the host has one producer and one consumer');
ok(wait_until($is_back->('threads', 2 + 2 * @children), 10), 'no thread is left over');
ok(wait_until($is_back->('descriptors', 15 * @children), 10), 'no connection is left over');
# The sanitizer keeps what was freed, a quarter of a gigabyte of it and its traces: that is full midway of many. A
# rebuild reads ahead in a log that has doubled since, and the sanitizer reports leaks when the children end.
my ($then, $more) = sanitized() ? $requests >= 100_000 ? (\%midway, 300) : (\%before, 900) : (\%before, 60);
ok(!(grep { held($_)->{memory} > $then->{$_}{memory} + $more } @children), 'memory is bounded');
for my $child (@children) {
    my $now = held($child);
    note_or_diag("child $child: " . join ', ', map { "$_ $before{$child}{$_}, $midway{$child}{$_}, $now->{$_}" } sort keys %$now);
}
$httpd->log->has(qr/RT0301|RT020/) or fail('the lies were noticed');
ok(defined $httpd->stop, 'it stops');
finish();
