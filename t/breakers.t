# Circuit breakers: what opens that of a backend, and what does not.
use strict;
use warnings;
use File::Temp ();
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;
use RatingsTest::Tool ();

my %own   = (topic => 'ratings-breakers', database => 12);
my @usual = (qr/RT030[12]: /, qr/RT0305: /, qr/RT0501: /, qr/AH00(161|484): server reached MaxRequestWorkers/); # the last of httpd, whose threads are few here
my $one   = "StartServers 1\nServerLimit 1\nThreadsPerChild 16\nMaxRequestWorkers 16\nMinSpareThreads 1\nMaxSpareThreads 16\n";
$one = "StartServers 16\nMinSpareServers 16\nMaxSpareServers 16\nMaxRequestWorkers 16\n" if mpm() eq 'prefork';

sub start {
    my ($name, $directives, %options) = @_;
    my $httpd = own_httpd(name => $name, %own, %options, before => "RatingsBreakerFailures 3\n$directives")->expect_log(@usual);
    $httpd->start;
    ok(wait_ready(port => $httpd->port), "$name: ready") or diag(get('/readyz', port => $httpd->port)->body);
    return ($httpd, port => $httpd->port);
}

sub read_of { my $talk = shift; return get("/ratings?talkId=$talk", @_) }

# A database whose talks take a while to be found.
sub slow_talks {
    my ($seconds) = @_;
    (my $url = $ENV{TALKS_CONNECTION}) =~ s{/postgres\?}{/slow?} or die $ENV{TALKS_CONNECTION};
    system(qw(psql -X -q), $ENV{TALKS_CONNECTION}, '-c', 'drop database if exists slow') == 0 or die 'drop database';
    system(qw(psql -X -q), $ENV{TALKS_CONNECTION}, '-c', 'create database slow') == 0 or die 'create database';
    my $view = "create view talks as select t.uuid, t.title from (select pg_sleep($seconds) offset 0) s, "
        . q{(select 'slow-' || n as uuid, 'A talk'::text as title from generate_series(1, 99) n) t};
    system(qw(psql -X -q), $url, '-c', $view) == 0 or die 'create view';
    return $url;
}

# ---- a backend that has eaten the time of the next one ----

{
    local $ENV{TALKS_CONNECTION} = slow_talks(0.4);
    my ($httpd, @at) = start('slow-talks', "RatingsDeadline 600ms\n", sizes => $one);
    my $serial = 10;
    my $read = sub { my $n = $serial++; return read_of("slow-$n", @at)->status == 200 }; # a busy machine may need all of the time itself
    ok(wait_until($read, 10), 'a slow PostgreSQL: a talk is read');
    my $redis = redis();
    expect_log(qr/RT0301: /); # the other httpd's projector waits as well
    for my $n (2 .. 7) {
        $redis->call(qw(CLIENT PAUSE 1000)); # until after the deadline, of which PostgreSQL leaves Redis a third
        is(read_of("slow-$n", @at)->status, 503, 'no time is left for Redis: 503');
        ok(wait_until(sub { eval { redis()->call('PING') } }, 5), 'Redis answers again');
    }
    ok(wait_until($read, 10), 'and the service asks Redis for the next requests');
    ok(!$httpd->log->has(qr/RT020[12]: /), 'no circuit breaker was opened');
    $httpd->stop;
}

# ---- what readiness had no time to ask is not said to be up ----

{
    my ($httpd, @at) = start('unasked', "RatingsDeadline 600ms\n", sizes => $one);
    my $backends = sub { (json(get('/readyz', @at)->body) || {})->{backends} || {} };
    my $reason   = 'the store evicts keys: set maxmemory-policy to noeviction';
    $httpd->expect_log(qr/RT0201: /);
    expect_log(qr/RT0201: /);
    redis()->call(qw(CONFIG SET maxmemory-policy allkeys-lru));
    ok(wait_until(sub { ($backends->()->{store}{reason} // '') eq $reason }, 10), 'a store that evicts: readiness says so');
    stack('pause', 'postgres');
    my $found;
    ok(wait_until(sub { $found = $backends->(); ($found->{talks}{status} // '') eq 'down' }, 10), 'PostgreSQL frozen: found, by the whole deadline');
    is($found->{store}{reason}, $reason, 'and the store, which was not asked, is still what it was');
    stack('resume', 'postgres');
    redis()->call(qw(CONFIG SET maxmemory-policy noeviction));
    ok(wait_ready(@at), 'ready again');
    $httpd->stop;
}

# ---- a pool that is too small ----

if (mpm() ne 'prefork') { # whose children are of one thread
    my $port = $ENV{HTTP_PORT} + 8;
    local $ENV{RATINGS_LAMBDA_URL} = "http://127.0.0.1:$port/";
    my $function = RatingsTest::Tool->new('function', $port);
    my ($httpd, @at) = start('small-pool', "RatingsStatsPool 1\nRatingsStatsTimeout 500ms\n", sizes => $one);
    my @talks = new_talks(8);
    for my $n (1 .. @talks) { is(rate($talks[ $n - 1 ], 1, @at)->status, 200, 'a rating') for 1 .. $n }
    $function->command('slow 400');
    my @answers = in_children(scalar @talks, sub {
        my $answer = read_of($talks[ $_[0] ], @at);
        return { status => $answer->status, stats => json($answer->body)->{stats} };
    })->();
    is(join(' ', map { $_->{status} } @answers), join(' ', (200) x @talks), 'eight ask at once, with one handle for the function');
    cmp_ok(scalar(grep { !$_->{stats} } @answers), '>=', 6, 'most had no handle in time');
    ok(wait_until(sub { histogram_of($talks[-1], @at)->{stats} }, 10), 'the next one asks the function, which was healthy throughout');
    ok(!$httpd->log->has(qr/RT0204: /), 'no circuit breaker was opened');
    $httpd->stop;
}

# ---- a function that lies ----

{
    my $port = $ENV{HTTP_PORT} + 8;
    local $ENV{RATINGS_LAMBDA_URL} = "http://127.0.0.1:$port/";
    my $function = RatingsTest::Tool->new('function', $port);
    my ($httpd, @at) = start('lies', '', sizes => $one);
    my @talks = new_talks(4);
    for my $n (1 .. @talks) { is(rate($talks[ $n - 1 ], $_ % 5 + 1, @at)->status, 200, 'a rating') for 1 .. 5 + $n }
    $function->command('lie');
    for my $n (0 .. 2) {
        my $answer = histogram_of($talks[$n], @at);
        is(total($answer), 6 + $n, 'a function that lies: the counts are shown');
        is($answer->{stats}, undef, 'and no average that contradicts them');
    }
    my @lines = grep { /\[ratings:warn\].*RT0209: / } $httpd->log->lines;
    is(scalar @lines, 1, 'one line says so');
    like($lines[0], qr/RT0209: an answer goes without stats: avg is not the average of the counts/, 'and why');
    $httpd->expect_log(qr/RT0204: circuit breaker opened: .*avg is not the average of the counts/);
    ok($httpd->log->has(qr/RT0204: circuit breaker opened: .*avg is not the average of the counts/), 'its circuit breaker opens');
    $function->command('ok');
    for my $talk (@talks) {
        my $stats;
        ok(wait_until(sub { $stats = (histogram_of($talk, @at) || {})->{stats} }, 20), 'an honest function: statistics');
        my $counts = histogram_of($talk, @at)->{ratings};
        my $sum = 0;
        $sum += $_ * $counts->{$_} for keys %$counts;
        cmp_ok(abs($stats->{avg} - $sum / total({ ratings => $counts })), '<', 1e-9, 'that are right: no lie was remembered');
    }
    $function->command('rounded');
    my $talk = new_talk();
    is(rate($talk, $_, @at)->status, 200, 'a rating') for 1, 1, 2;
    is(histogram_of($talk, @at)->{stats}{avg}, 1.33, 'an average that was rounded to two decimals is shown');
    $httpd->stop;
}

# ---- brokers that answer and take no events ----

{
    stack(qw(start cluster));
    local $ENV{STREAMS_CONNECTION} = $ENV{CLUSTER_CONNECTION};
    my $topic = 'ratings-in-sync-' . int(time) . "-$$"; # it is altered
    redis(database => 13)->call('FLUSHDB');
    my ($httpd, @at) = start('in-sync', "RatingsStreamTimeout 1500ms\nRatingsBreakerCooldown 300ms\n", sizes => $one, topic => $topic, database => 13);
    my $talk  = new_talk();
    my $lines = sub { my ($what) = @_; return scalar grep { /RT0203: circuit breaker $what/ } $httpd->log->lines };
    my $says  = sub { return (json(get('/readyz', @at)->body) || {})->{backends}{stream}{reason} // '' };
    $httpd->expect_log(qr/RT0203: circuit breaker opened/, qr/RT0206: librdkafka/);
    ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, 20), 'a rating');
    my ($opened, $closed) = map { $lines->($_) } qw(opened closed);
    set_topic($topic, add => 'min.insync.replicas=3');
    stack(qw(kill kafka-3));
    my $reason = 'it takes no events: a partition has no leader, or too few replicas in sync';
    ok(wait_until(sub { $says->() eq $reason }, 60), 'too few replicas are in sync: readiness has found it before a rating has');
    ok(wait_until(sub { rate($talk, 5, @at); return $lines->('opened') > $opened }, 30), 'ratings fail, and open the circuit breaker');
    ok(!wait_until(sub { $says->(); return $lines->('closed') > $closed }, 2), 'which stays open, as nothing could be appended');
    stack(qw(start kafka-3));
    ok(wait_until(sub { $lines->('closed') > $closed }, 60), 'it closes by itself when there are enough');
    is($lines->('opened') - $opened, 1, 'one line said that it was open');
    ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, 20), 'and a rating is taken');
    $httpd->stop;
    stack(qw(stop cluster));
}

# ---- corruption is no outage ----

{
    my ($httpd, @at) = start('corruption', "RatingsBreakerFailures 1\n", sizes => $one);
    my $talk  = new_talk();
    my $redis = redis(database => 12);
    my $uses  = sub { # [the hash of a partition, a use of a key]: what other runs have left is among them
        return map { my $hash = $_; map { [ $hash, $_ ] } @{ $redis->call('HKEYS', $hash) } } @{ $redis->call('KEYS', 'ratings:keys:*') };
    };
    my %left = map { ("@$_" => 1) } $uses->();
    my $key  = [ 'Idempotency-Key' => '"corrupt"' ];
    is(post(to_json({ talkId => $talk, value => 4 }), @at, headers => $key)->status, 200, 'a rating with a key');
    my ($use, @others) = grep { !$left{"@$_"} } $uses->();
    ok($use && !@others, 'whose use the store holds');
    $httpd->expect_log(qr/RT0305: /);
    for my $round (1 .. 5) {
        $redis->call('HSET', @$use, 'no use');
        my $status = post(to_json({ talkId => $talk, value => 4 }), @at, headers => $key)->status;
        like($status, qr/^20[02]$/, "a use of a key that nobody wrote, round $round: the rating is recorded") or diag($status);
        ok(wait_until(sub { ($redis->call('HGET', @$use) // '') =~ /^\d/ }, 20), 'and the store is rebuilt');
    }
    ok(wait_until(sub { my $answer = histogram_of($talk, @at); $answer && $answer->{ratings}{4} == 1 }, 20), 'the rating counts once');
    ok(!$httpd->log->has(qr/RT0202: /), 'no circuit breaker was opened');
    $httpd->stop;
}

# ---- one breaker for a host: one line when it opens, one when it closes, one answer of readiness ----

# Children of one thread or two, so that a connection each reaches many of them.
my $many = "StartServers 4\nServerLimit 4\nThreadsPerChild 4\nMaxRequestWorkers 16\nMinSpareThreads 1\nMaxSpareThreads 16\n";
$many = "StartServers 8\nMinSpareServers 8\nMaxSpareServers 16\nMaxRequestWorkers 16\n" if mpm() eq 'prefork';

# What readiness says over several connections: the states, each once.
sub said {
    my ($count, @at) = @_;
    my %said;
    for my $n (1 .. $count) {
        my $ready = json(get('/readyz', @at)->body);
        $said{ to_json([ map { $ready->{backends}{$_}{status} // '?' } qw(talks store stream stats) ]) }++;
    }
    return join ' ', map { s/[^a-z,]//gr } sort keys %said;
}

{
    my ($httpd, @at) = start('host', "RatingsStreamTimeout 1500ms\nRatingsTalkTTL 0\nRatingsCacheTTL 0\nRatingsStatsMemo Off\n", sizes => $many);
    $httpd->expect_log(qr/RT020[1-4]: circuit breaker opened/);
    expect_log(qr/RT020[1-4]: circuit breaker opened|RT0301: |RT0501: /);
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    for my $row ([ 'postgres', 'RT0201', 0 ], [ 'redis', 'RT0202', 1 ], [ 'kafka', 'RT0203', 2 ], [ 'lambda', 'RT0204', 3 ]) {
        my ($server, $tag, $number) = @$row;
        my $down = join ',', map { $_ == $number ? 'down' : 'up' } 0 .. 3;
        my $lines = sub { my ($what) = @_; return scalar grep { /$tag: circuit breaker $what/ } $httpd->log->lines };
        for my $way ([ 'stop', 'start' ], [ 'pause', 'resume' ]) {
            my ($away, $back) = @$way;
            my ($opened, $closed) = map { $lines->($_) } qw(opened closed);
            my $name = "$server after $away";
            is(said(8, @at), 'up,up,up,up', "$name: all children say that it is up");
            my $client = client(@at); # of one connection, and so of one child
            stack($away, $server);
            my $ask = sub {
                $server eq 'kafka' ? $client->request('POST', '/ratings', [ 'Content-Type' => 'application/json' ], to_json({ talkId => $talk, value => 5 }))
                    : $client->request('GET', "/ratings?talkId=$talk");
            };
            ok(wait_until(sub { $ask->(); return $lines->('opened') > $opened }, 20), "$name: requests of one child open the circuit breaker");
            ok(wait_until(sub { said(1, @at) eq $down }, 20), "$name: readiness has found it");
            is(said(40, @at), $down, "$name: all children say that it is down");
            stack($back, $server);
            ok(wait_until(sub { $lines->('closed') > $closed }, 20), "$name: the circuit breaker closes by itself when the server answers");
            ok(wait_until(sub { said(1, @at) eq 'up,up,up,up' }, 20), "$name: readiness has found it");
            is(said(40, @at), 'up,up,up,up', "$name: all children say that it is up again");
            is($lines->('opened') - $opened, 1, "$name: one line when the circuit breaker opened");
            is($lines->('closed') - $closed, 1, "$name: one line when it closed");
        }
    }
    my @noise = grep { /\[ratings:info\].*RT0206: / } $httpd->log->lines;
    ok(@noise, 'what librdkafka says of a broker that is gone is at LogLevel info');
    cmp_ok(scalar @noise, '<=', 4, 'what librdkafka repeats is not at LogLevel info') or diag(@noise);
    $httpd->stop;
}

# ---- readiness holds up nobody ----

{
    my ($httpd, @at) = start('readiness', '', sizes => $one);
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    ok(histogram_of($talk, @at), 'which is read');
    expect_log(qr/RT0301: |RT0203: /);
    stack('pause', 'kafka');
    my $going = File::Temp->new;
    my $crowd = in_children(40, sub {
        my ($count, $slowest) = (0, 0);
        while (-e "$going") {
            my $begun = time;
            my $answer = get('/readyz', @at);
            my $took = time - $begun;
            $slowest = $took if $took > $slowest;
            $count++;
        }
        return { count => $count, slowest => $slowest };
    });
    my (%slowest, %statuses);
    my $until = time + 4;
    for (my $round = 0; $round < 20 || time < $until; $round++) {
        for my $path ('/healthz', "/ratings?talkId=$talk") {
            my $begun = time;
            $statuses{ get($path, @at)->status }++;
            my $took = time - $begun;
            $slowest{$path} = $took if $took > ($slowest{$path} // 0);
        }
    }
    unlink "$going";
    my @answers = $crowd->();
    stack('resume', 'kafka');
    is(join(' ', sort keys %statuses), '200', 'Kafka frozen, forty ask for readiness: /healthz and what is remembered are answered');
    my $bound = sanitized() ? 4 : 2;
    cmp_ok($slowest{$_}, '<', $bound, "$_ within $bound s") for sort keys %slowest;
    my @quick = grep { $_->{slowest} < $bound } @answers;
    cmp_ok(scalar @quick, '>=', 30, 'most are never kept waiting by the one that asks') or diag(join ' ', map { $_->{slowest} } @answers);
    my $ready = json(get('/readyz', @at)->body);
    like($ready->{age} // 'no age', qr/^\d+$/, 'readiness names the age of its answer');
    ok(wait_ready(@at), 'ready when Kafka goes on');
    $httpd->stop;
}

finish();
