# An event that is appended again counts once by its ticket, at any distance, whatever becomes of the store; and a ticket that comes
# late counts, as long as it is not below the window.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $patience = sanitized() ? 60 : 30;
my $far      = 33_000; # offsets: more than the deduplication window has
my $database = 8;
my $topic    = 'ratings-tickets-' . int(time) . "-$$";
my ($one, $other) = qw(1234567890abcdef 0000000000000007); # lives
my ($talk, $filler) = map { "tickets-$_" } qw(counted filler);

my $httpd = own_httpd(name => 'tickets', topic => $topic, database => $database);
my $redis = redis(database => $database);
$redis->call('FLUSHDB'); # of the topic of another run
$httpd->expect_log(qr/RT0305: the store is rebuilt/, qr/RT030[12]: /, qr/RT0501: /, qr/RT0314: /);

# ---- records ----

sub event { my ($id, $value) = @_; return to_json({ version => 1, talkId => $id, value => $value }) }

sub append {
    my ($value, $life, $number, %more) = @_;
    topic_write($talk, event($talk, $value), '-t', $topic, '-p', 0, '-H', 'ce_source=' . ($more{source} // '/mod_ratings'),
        '-H', sprintf('ce_id=%s-%016x', $life, $number));
}

# Of another talk, and without an id.
my $filled = 0;
sub fill {
    my ($count) = @_;
    my @command = (qw(timeout 60 kcat -P -q -b), $ENV{STREAMS_CONNECTION}, '-t', $topic, '-p', 0, '-K', "\t");
    open my $kcat, '|-', @command or die "kcat: $!";
    print $kcat "$filler\t", event($filler, 3), "\n" for 1 .. $count;
    close $kcat or die 'kcat could not write';
    $filled += $count;
}

# ---- what the store has ----

sub counts { my $counts = $redis->hash("ratings/$_[0]"); return join '', map { $counts->{$_} // 0 } 1 .. 5 }
sub rebuild_of { return $redis->call('HGET', 'ratings:log', 'generation') // '' }

# A record of the other talk ends what is to be applied.
sub counts_ok {
    my ($expected, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    fill(1);
    ok(wait_until(sub { ($redis->hash("ratings/$filler")->{3} // 0) == $filled }, $patience), 'all is applied');
    is(counts($talk), $expected, $name);
}

sub audit_ok {
    my $run = run_program($ENV{RATINGSCTL}, 'audit', '--topic', $topic, '--store', "$ENV{RATINGS_CONNECTION}/$database");
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($run->{code}, 0, 'store and log agree') or diag(transcript($run));
}

# Does something, and says whether the store was rebuilt for it.
sub rebuilds {
    my ($do) = @_;
    my $before = rebuild_of();
    $do->();
    return rebuild_of() ne $before;
}

# In between, something is done to log or store.
sub restart {
    my ($do) = @_;
    $httpd->stop;
    $do->() if $do;
    $httpd->start;
    return wait_ready(port => $httpd->port);
}

$httpd->start;
ok(wait_ready(port => $httpd->port), 'ready') or BAIL_OUT('the service does not become ready');

# ---- a log without tickets ----

fill(3);
counts_ok('00000', 'a log without tickets');
ok(!rebuilds(sub { restart(sub { $redis->call('HDEL', 'ratings:log', map { "tickets:$_" } 0 .. 3) }) }),
    'which a version before them has applied, is not rebuilt');
append(5, $one, 5000);
counts_ok('00001', 'nor when one comes');
ok(rebuilds(sub {
    restart(sub { $redis->call('HDEL', 'ratings:log', 'tickets:0'); $redis->call('DEL', 'ratings:tickets:0') });
    wait_until(sub { counts($talk) eq '00001' }, $patience);
}), 'but if that version has applied one, it is');
ok($httpd->log->has(qr/RT0305: .*an older version has applied events, and knows no tickets/), 'as the log says');
counts_ok('00001', 'with the same counts');

# ---- counted once ----

append(5, $one, 5000);
counts_ok('00001', 'what is appended again does not count');
append(4, $one, 4999);
append(4, $one, 5000 - 1023);
counts_ok('00021', 'what comes late does');
append(1, $one, 5000 - 1024);
counts_ok('00021', 'unless it is below the window');
append(2, $other, 5000);
append(2, $one, 5000, source => '/another');
counts_ok('02021', 'another life, and another source, have tickets of their own');
fill($far);
append(1, $one, 5000);
append(1, $other, 5000);
append(1, $one, 4999);
counts_ok('02021', 'further away than a deduplication window none counts again');
append(3, $one, 5001);
counts_ok('02121', 'the next one does');
audit_ok();

# ---- whatever becomes of the store ----

sub repeat { append(1, $one, $_) for 4999, 5000, 5001; append(1, $other, 5000) }

ok(!rebuilds(sub { restart(\&repeat) }), 'a new leader has the windows from the store');
counts_ok('02121', 'and counts none again');
my @damage = (
    [ 'the store is lost',          sub { $redis->call('FLUSHDB') } ],
    [ 'the windows are lost',       sub { $redis->call('DEL', 'ratings:tickets:0') } ],
    [ 'one of them is',             sub { $redis->call('HDEL', 'ratings:tickets:0', $other) } ],
    [ 'there is another',           sub { $redis->call('HSET', 'ratings:tickets:0', '0' x 15 . '9', 'x') } ],
    [ 'they are of another type',   sub { $redis->call('SET', 'ratings:tickets:0', 'x') } ],
    [ 'of another checkpoint',      sub { $redis->call('HSET', 'ratings:log', 'tickets:0', '1:2') } ],
);
my ($number, $threes) = (5001, 1);
for my $row (@damage) {
    my ($name, $damage) = @$row;
    ok(rebuilds(sub {
        my $before = rebuild_of();
        $damage->();
        append(3, $one, ++$number);
        $threes++;
        wait_until(sub { rebuild_of() ne $before && rebuild_of() }, $patience);
    }), "$name: the store is rebuilt");
    repeat();
    counts_ok("02${threes}21", 'with the same counts, and none again');
}
$httpd->stop;
$redis->call('HSET', 'ratings:tickets:0', $other, 'x' x 144);
$httpd->start;
ok(wait_until(sub { ($redis->call('HGET', 'ratings:tickets:0', $other) // 'x' x 144) ne 'x' x 144 }, $patience), 'a window that is none is found when it is loaded');
counts_ok("02${threes}21", 'with the same counts');
audit_ok();

# ---- explained ----

{
    my $run = run_program($ENV{RATINGSCTL}, 'explain', $talk, '--topic', $topic, '--store', "$ENV{RATINGS_CONNECTION}/$database");
    like($run->{out}, qr/not counted: duplicate, by its CloudEvents id, of offset \d+$/m, 'explain says of which event each is a copy');
    like($run->{out}, qr/not counted: duplicate, by its CloudEvents id$/m, 'as far as it is in the window');
}

$httpd->stop;
finish();
