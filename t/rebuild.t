# A store that is rebuilt from a long log: readiness and the error log say how far that is, and the counts are those of the log.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $many     = 60_000; # records: three times of what is applied as soon as it is read
my $database = 8;
my $topic    = 'ratings-rebuild-' . int(time) . "-$$";
my $rebuilt  = qr/RT0305: the store is rebuilt/;

# So that it takes seconds: each answer of Kafka has little, and comes late.
my $slow = "RatingsKafka fetch.message.max.bytes 10000\nRatingsKafka fetch.min.bytes 10000000\nRatingsKafka fetch.wait.max.ms 20\n";
$slow .= "RatingsKafka message.max.bytes 8000000\n"; # more than an answer of Kafka is to have

my $httpd = own_httpd(name => 'rebuild', topic => $topic, database => $database, before => $slow);
my @at    = (port => $httpd->port);

sub audit_ok {
    my ($name) = @_;
    my $output = qx($ENV{RATINGS_AUDIT} --topic $topic --store $ENV{RATINGS_CONNECTION}/$database 2>&1);
    is($?, 0, $name) or diag($output);
}

sub counted {
    my $redis = redis(database => $database);
    my $sum   = 0;
    for my $talk (0 .. 199) { $sum += $_ // 0 for @{ $redis->hash("ratings/rebuild-$talk") }{ 1 .. 5 } }
    return $sum;
}

sub write_log {
    my ($options, @records) = @_;
    my @command = (qw(timeout 60 kcat -P -q -b), $ENV{STREAMS_CONNECTION}, '-t', $topic, '-K', "\t", '-X', 'topic.partitioner=murmur2', '-X', 'batch.num.messages=100', @$options);
    open my $kcat, '|-', @command or die "kcat: $!";
    print $kcat "$_\n" for @records;
    close $kcat or die "kcat could not write\n";
}

# Half of the ratings have an idempotency key, each of which comes twice; some have a spelling of JSON that
# the module does not use.
sub record {
    my ($n) = @_;
    my $talk  = 'rebuild-' . $n % 200;
    my $value = 1 + $n % 5;
    my $first = $n % 7 ? qq({"version":1,"talkId":"$talk","value":$value) : qq({ "value": $value, "talkId": "$talk", "version": 1);
    my $key   = $n < $many / 2 ? '' : sprintf ',"idempotencyKey":"k%d","idempotencyWindow":86400000', $n % ($many / 4);
    return "$talk\t$first$key}";
}

# ---- the log ----

redis(database => $database)->call('FLUSHDB'); # of the topic of another run
$httpd->start;
ok(wait_ready(@at), 'ready') or BAIL_OUT('the service does not become ready');
$httpd->stop;
write_log([], map { record($_) } 0 .. $many - 1);
# one event that was appended a hundred times
write_log([qw(-H ce_id=the-same -H ce_source=/rebuild)], (qq(rebuild-0\t{"version":1,"talkId":"rebuild-0","value":5})) x 100);
my $records = $many + 101; # the first one says how talks are routed
my $wanted  = $many / 2 + $many / 4 + 1;

# ---- slowly: it can be watched ----

redis(database => $database)->call('FLUSHDB');
$httpd->expect_log($rebuilt, qr/RT030[12]: /, qr/RT0501: /);
$httpd->start;
{
    my @seen;
    my $ready = wait_until(sub {
        my $answer = get('/readyz', @at);
        my $body   = json($answer->body) || {};
        push @seen, { %{ $body->{rebuild} }, status => $answer->status, reason => $body->{backends}{store}{reason} } if $body->{rebuild};
        return $answer->status == 200 && !$body->{rebuild};
    }, 60);
    ok($ready, 'ready when it is rebuilt');
    cmp_ok(scalar @seen, '>', 3, 'readiness tells how far the rebuild is');
    is_deeply([ grep { $_->{of} != $records || $_->{done} < 0 || $_->{done} > $records } @seen ], [], 'records done, of all there are')
        or diag(to_json(\@seen));
    is_deeply([ grep { $_->{status} != 503 || $_->{reason} ne 'it is being rebuilt from the log' } @seen ], [], 'as long as it is not ready');
    my @under_way = grep { $_->{done} > 0 } @seen;
    ok(scalar @under_way, 'some of it done') or diag(to_json(\@seen));
    my ($told) = grep { defined $_->{secondsLeft} } @under_way; # not at the first look: none is given before a pace is known
    like(($told || {})->{secondsLeft} // '', qr/^\d+$/, 'and the time that is left') or diag(to_json(\@seen));
    ok($httpd->log->has(qr/RT0310: rebuilding the store: \d+ of $records records are read \(\d+%\), about \d+ s left/), 'the error log tells it, too');
    ok($httpd->log->has(qr/RT0309: the rebuild of the store is complete/), 'and the end');
    is(counted(), $wanted, 'each event counts once');
    audit_ok('store and log agree');
}

# ---- as fast as it can ----

$httpd->stop;
redis(database => $database)->call('FLUSHDB');
$httpd->configure(topic => $topic, database => $database);
my $begun = time;
$httpd->start;
ok(wait_ready(@at), 'ready after another rebuild');
note_time('rebuilt', $begun);
ok(wait_until(sub { !exists json(get('/readyz', @at)->body)->{rebuild} }, 5), 'no child reports a rebuild any more');
is(counted(), $wanted, 'each event counts once');
audit_ok('store and log agree');

# ---- far behind, but not empty ----

$httpd->stop;
write_log([], map { record($_) } 0 .. $many / 2 - 1);
$httpd->start;
ok(wait_until(sub { counted() == $wanted + $many / 2 }, 20), 'what was appended in the meantime is added') or diag(counted());
ok(wait_ready(@at), 'ready');
audit_ok('store and log agree');

# ---- ratings of voters: what a rebuild writes without looking it up, in several parts ----

# Each voter has two events for each talk; some withdraw by the second one.
my $voters = 100;
my %last;

sub vote {
    my ($n) = @_;
    my $talk = 'rebuild-' . $n % 200;
    my $voter = sprintf '%032x', 0x5f0c3a9d + int($n / 200) % $voters;
    my $value = $n >= 200 * $voters && $n % 7 == 0 ? undef : 1 + $n % 5;
    $last{$talk, $voter} = $value;
    return "$talk\t" . sprintf '{"version":1,"talkId":"%s","value":%s,"voter":"%s"}', $talk, $value // 'null', $voter;
}

$httpd->stop;
write_log([], map { vote($_) } 0 .. 2 * 200 * $voters - 1);
my $all = $wanted + $many / 2 + grep { defined } values %last;
$httpd->start;
ok(wait_until(sub { counted() == $all }, 60), 'votes are counted batch by batch') or diag(counted());
$httpd->stop;
redis(database => $database)->call('FLUSHDB');
$httpd->start;
ok(wait_ready(@at), 'ready after a rebuild with voters');
is(counted(), $all, 'each voter counts once a talk');
audit_ok('store and log agree');

finish();
