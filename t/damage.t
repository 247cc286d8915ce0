# What somebody does to the store by hand, or by accident, while the service is at work: whatever of it is not as the
# module writes it is found out, and the store rebuilt, without a rating lost or counted twice.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $patience = 15;
my $database = 4;
my $topic    = 'ratings-damage-' . int(time) . "-$$";
my $httpd    = own_httpd(name => 'damage', topic => $topic, database => $database);
my @at       = (port => $httpd->port);
my $redis    = redis(database => $database);
my $talk     = new_talk();
my $sent     = 0; # ratings that were answered with 200 or 202, each but for repeated keys
my $keys     = 0;

$redis->call('FLUSHDB');
$httpd->expect_log(qr/RT0305: the store is rebuilt/, qr/RT0501: request \S+ answered with (202|503)/);
$httpd->start;
ok(wait_ready(@at), 'ready') or BAIL_OUT('the service does not become ready');

# One rating; its status. What is not 200 or 202 may not be counted, and is none of these.
sub post_one {
    my $status = rate($talk, 4, @at)->status;
    $sent++ if $status == 200 || $status == 202;
    return $status;
}

# A rating with a key, sent until it is visible: 200, or the first status that is neither that nor 202. It counts once.
sub send_key {
    my ($key) = @_;
    my $status;
    wait_until(sub { $status = rate($talk, 4, @at, headers => [ 'Idempotency-Key' => qq("damage-$key") ])->status; $status != 202 }, $patience);
    return $status;
}

sub rebuilds { return scalar grep { /RT0305: the store is rebuilt/ } $httpd->log->lines }
sub answers_200 { return wait_until(sub { post_one() == 200 }, $patience) }

sub audit_agrees {
    my $report;
    wait_until(sub {
        $report = qx($ENV{RATINGS_AUDIT} --json --topic $topic --store $ENV{RATINGS_CONNECTION}/$database 2>&1);
        return $? == 0 && !grep { $_->{lag} } @{ json($report)->{partitions} };
    }, $patience) and return;
    return "the audit: $report";
}

# The partition that the talk is in: the one that has a use of a key. (Partition 0 has a record that is no rating.)
sub partition {
    my %log = %{ $redis->hash('ratings:log') };
    my ($partition) = grep { ($log{"uses:$_"} // '') =~ /:[1-9]/ } 0 .. 3;
    return $partition;
}

is(send_key($keys++), 200, 'a rating with a key') or BAIL_OUT('no rating');
$sent++;
my $p    = partition();
my $long = 'x' x 200;

sub set  { my @fields = @_; return sub { $redis->call('HSET', 'ratings:log', @fields) } }
sub gone { my @fields = @_; return sub { $redis->call('HDEL', 'ratings:log', @fields) } }
sub other_type { my ($key) = @_; return sub { $redis->call('DEL', $key); $redis->call('RPUSH', $key, 'by hand') } }

# rebuilt: 1, also while nobody asks; 2 when the next rating comes; 0 for what is put right without
my @rows = (
    (map { [ "$_ is gone",         gone($_),       1 ] } qw(generation topic partitions), "position:$p", "mark:$p", "first:$p", "time:$p"),
    (map { [ "$_ is empty",        set($_, ''),    1 ] } qw(generation claim behind suspect partitions positions), "position:$p", "mark:$p", "first:$p", "time:$p"),
    (map { [ "$_ is far too long", set($_, $long), 1 ] } qw(generation claim behind suspect partitions positions), "position:$p", "mark:$p", "first:$p", "time:$p"),
    (map { [ "$_ is negative",     set($_, '-3'),  1 ] } qw(suspect partitions positions), "position:$p", "mark:$p", "first:$p", "time:$p", "uses:$p"),
    (map { [ "$_ has a zero too many", set($_, '03'), 1 ] } qw(suspect partitions positions), "position:$p", "time:$p", "uses:$p"),
    (map { [ "$_ is huge", set($_, '9' x 18), 1 ] } qw(suspect partitions positions), "position:$p", "uses:$p"),
    [ 'a topic that cannot be',                set('topic', $long x 2),            1 ],
    [ 'a suspicion without a known reason',    set('suspect', 3),                  1 ],
    [ 'another time of the log',               set("time:$p", 1),                  1 ],
    [ 'a mark of another record',              set("mark:$p", '0:1:1'),            1 ],
    [ 'a first record that is another',        set("first:$p", '0:9999999999999:1'), 1 ],
    [ 'a position that is another',            sub { $redis->call('HINCRBY', 'ratings:log', "position:$p", -1) }, 1 ],
    [ 'a position of a partition too many',    set('position:7', 0),               1 ],
    [ 'a position of a partition that cannot be', set('position:2000', 0),         1 ],
    [ 'another number of partitions by which talks are routed', set('partitions', 1), 1 ],
    [ 'a partition without all that it had',   gone(map { "$_:$p" } qw(position mark first time uses)), 1 ],
    [ 'the claim of a rebuild that is over',   set('claim', 'somebody'),           1 ],
    [ 'a claim with nobody at it',             sub { gone('generation')->(); set('claim', 'somebody')->() }, 1 ],
    [ 'a write that was stopped in its middle', set("position:$p", 'applying'),    1 ],
    [ 'more fields than there can be',         sub { $redis->call('HSET', 'ratings:log', map { ("more$_", 1) } 1 .. 20_000) }, 1 ],
    [ 'ratings:log deleted',                   sub { $redis->call('DEL', 'ratings:log') }, 1 ],
    [ 'ratings:log expired',                   sub { $redis->call('PEXPIRE', 'ratings:log', 1) }, 1 ],
    [ 'ratings:log of another type',           other_type('ratings:log'),          1 ],
    [ 'the keys of another type',              other_type("ratings:keys:$p"), 2 ],
    [ 'the expiry of another type',            other_type("ratings:expiry:$p"), 2 ],
    [ 'the keys deleted',                      sub { $redis->call('DEL', "ratings:keys:$p") }, 2 ],
    [ 'the expiry deleted',                    sub { $redis->call('DEL', "ratings:expiry:$p") }, 2 ],
    [ 'both deleted',                          sub { $redis->call('DEL', "ratings:keys:$p", "ratings:expiry:$p") }, 2 ],
    [ 'another number of keys',                sub { $redis->call('HSET', 'ratings:log', "uses:$p", $redis->call('HGET', 'ratings:log', "uses:$p") . '0') }, 2 ],
    [ 'a number of keys of another position',  set("uses:$p", '0:7'),              0 ],
    [ 'fewer positions than there are',        set('positions', 1),                0 ],
    [ 'a field of six megabytes',              set('another', 'x' x 6_000_000),    1 ],
    [ 'a generation of six megabytes',         set('generation', 'x' x 6_000_000), 1 ],
    [ 'the talk of another type',              other_type("ratings/$talk"), 2 ],
    [ 'a count that is none',                  sub { $redis->call('HSET', "ratings/$talk", 4, 'many') }, 2 ],
    [ 'a rebuild that nobody is at',           set('behind', 1),                   0 ],
    [ 'a field that another version may write', set('another', $long),             0 ],
    [ 'another name of the rebuild',           set('generation', 'another'),       0 ],
    [ 'what an older version does not write',  gone('positions', "uses:$p"),       0 ],
    [ 'a lease of another type',               other_type('ratings:projector'),    0 ],
    [ 'a lease for ever',                      sub { $redis->call('SET', 'ratings:projector', 'somebody') }, 0 ],
    [ 'a lease for a day',                     sub { $redis->call('SET', 'ratings:projector', 'somebody', 'EX', 86400) }, 0 ],
);

my $asked_for = rebuilds();
for my $row (@rows) {
    my ($name, $change, $rebuilt) = @$row;
    my $before = rebuilds();
    my @wrong;
    answers_200() or push @wrong, "no 200 before";
    send_key($keys) == 200 ? $sent++ : push @wrong, 'no 200 with a key before';
    $change->();
    !$rebuilt or wait_until(sub { post_one() if $rebuilt == 2; rebuilds() > $before }, $patience) or push @wrong, 'not rebuilt';
    answers_200() or push @wrong, 'no 200 within ' . $patience . ' s';
    my $again = send_key($keys++);
    $again == 200 or push @wrong, "$again for the key";
    push @wrong, audit_agrees();
    my $counts = histogram_of($talk, @at) || { ratings => { 4 => 'none' } };
    push @wrong, "$sent ratings taken, $counts->{ratings}{4} counted" if $counts->{ratings}{4} ne $sent;
    $asked_for += rebuilds() - $before if $rebuilt;
    ok(!@wrong, $name) or diag(join "\n", @wrong);
}

# ---- a position that was told once, and was never true ----

# Read by GETs alone, between two looks of the projector: this host then waits for a store that comes to it.
{
    my @at_rest = map { ("position:$_", $redis->call('HGET', 'ratings:log', "position:$_")) } 0 .. 3;
    my @beyond  = map { /^position/ ? $_ : $_ + 1_000_000 } @at_rest;
    my $waits   = wait_until(sub {
        my @told = new_talks(8);
        $redis->call('HSET', 'ratings:log', @beyond);
        get("/ratings?talkId=$_", @at) for @told[ 0 .. 3 ];
        $redis->call('HSET', 'ratings:log', @at_rest);
        return grep { get("/ratings?talkId=$_", @at)->status == 503 } @told[ 4 .. 7 ];
    }, $patience);
    ok($waits, 'a position that was wrong for a moment: GET waits for it');
    my @talks = new_talks(8);
    ok(wait_until(sub { !grep { get("/ratings?talkId=$_", @at)->status != 200 } @talks }, $patience), 'and no longer, once the log has shown that it never was');
    ok(answers_200(), 'ratings are visible');
    is_deeply([ audit_agrees() ], [], 'the audit agrees');
    $asked_for = rebuilds();
}

# ---- what is somebody else's stays as it is ----

{
    $httpd->expect_log(qr/RT0301: the projector is stalled.* the store holds the ratings of topic 'another'/, qr/RT0302: /);
    set('topic', 'another')->();
    ok(wait_until(sub { get('/readyz', @at)->body =~ /it holds the ratings of another topic/ }, $patience), 'the store of another topic: readiness says so');
    is($redis->call('HGET', 'ratings:log', 'topic'), 'another', 'and it is left as it is');
    set('topic', $topic)->();
    ok(answers_200(), 'until it is ours again');
    is(rebuilds(), $asked_for, 'the service has not rebuilt what it could resume');
}

finish();
