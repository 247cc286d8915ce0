# Each backend away, stopped or not answering: what still works, what is said, and how it comes back.
use strict;
use warnings;
use File::Temp ();
use Test::More;
use Time::HiRes qw(time sleep);
use RatingsTest;

ok(wait_ready(), 'ready') or BAIL_OUT('the service does not become ready');

my $patience = 20; # seconds until all is well again
my $slack    = sanitized() ? 3 : 1;

# What the httpds say while servers come and go.
my @away = (qr/RT020[1-4]: circuit breaker opened/, qr/RT0501: /, qr/RT0301: the projector is stalled/);

# Asks and tells how long it took; never longer than the deadline.
sub within {
    my ($seconds, $name, $ask) = @_;
    my $begun    = time;
    my $response = $ask->();
    my $took     = time - $begun;
    cmp_ok($took, '<', $seconds * $slack, sprintf '%s within %g s', $name, $seconds) or diag("it took $took s");
    return $response;
}

sub read_of { my $talk = shift; return get("/ratings?talkId=$talk", @_) }

# POST and GET answer 200, also for a talk that nobody knows, GET with statistics; waits for it.
sub all_well {
    my ($talk, $name) = @_;
    my $begun = time;
    my $good  = 0; # in a row: each child has connections of its own
    ok(wait_until(sub {
        my $answer = rate($talk, 5)->status == 200 && rate(new_talk(), 5)->status == 200 && histogram_of($talk);
        $good = $answer && $answer->{stats} && get('/readyz')->status == 200 ? $good + 1 : 0;
        return $good >= 8;
    }, $patience, 0.05), "$name: all is well again without a restart of httpd");
    note_time("$name: recovery", $begun);
}

# server, how long an answer may take, what POST and GET may answer then
my $serial = 0;
my $rounds = 5; # of a POST and a GET: the first with the circuit breaker closed, the others with it open
my %rows   = (
    # a talk that is known needs it no more
    postgres => { post => [503], get => [503], deadline => 2.5, unknown => 1 },
    redis    => { post => [202], get => [503], deadline => 3.5 },
    # what was sent and not acknowledged may be recorded: 504
    kafka  => { post => [ 503, 504 ], get => [200], deadline => 5 },
    lambda => { post => [200], get => [200], deadline => 2.5, bare => 1 },
);

for my $server (qw(postgres redis kafka lambda)) {
    my $row = $rows{$server};
    for my $way ([ 'stop', 'start' ], [ 'pause', 'resume' ]) {
        my ($away, $back) = @$way;
        my $name = "$server after $away";
        my $talk = new_talk();
        my @asked = $row->{unknown} ? new_talks($rounds) : ($talk) x $rounds;
        expect_log(@away);
        my $before; # a child that all_well has missed may still leave the last server alone
        wait_until(sub { ($before = rate($talk, 4)->status) != 503 }, $patience);
        is($before, 200, "$name: all was well before");
        rate($talk, 2) for 1 .. ++$serial; # counts of which no statistics are remembered
        stack($away, $server);
        my %posted;
        for my $n (1 .. $rounds) {
            my $post = within($row->{deadline}, "$name: POST $n", sub { rate($asked[ $n - 1 ], 3) });
            $posted{ $post->status }++;
            problem_ok($post, $post->status, "$name: POST $n is a problem document") if $post->status >= 400;
            my $get = within($row->{deadline}, "$name: GET $n", sub { read_of($asked[ $n - 1 ]) });
            ok((grep { $_ == $get->status } @{ $row->{get} }), "$name: GET $n is @{$row->{get}}") or diag($get->status, $get->body);
            problem_ok($get, 503, "$name: GET $n is a problem document") if $get->status == 503;
            ok(!exists json($get->body)->{stats}, "$name: GET $n has no stats") if $row->{bare};
            is(json($get->body)->{ratings}{4}, 1, "$name: GET $n has the counts") if $get->status == 200;
        }
        my $allowed = join '|', @{ $row->{post} };
        is(join(' ', grep { !/^($allowed)$/ } sort keys %posted), '', "$name: POST is @{$row->{post}}") or diag(to_json(\%posted));
        is(get('/')->status, 200, "$name: GET / answers");
        is(get('/healthz')->status, 200, "$name: live");
        my $part = { postgres => 'talks', redis => 'store', kafka => 'stream', lambda => 'stats' }->{$server};
        my $ready;
        ok(wait_until(sub {
            read_of($talk); # the Lambda is judged by the calls of this child
            $ready = get('/readyz');
            return json($ready->body)->{backends}{$part}{status} eq 'down';
        }, 10), "$name: readiness names the backend");
        is($ready->status, $server eq 'lambda' ? 200 : 503, "$name: ready or not") or diag($ready->body);
        unlike($ready->body, qr/127\.0\.0\.1|:\d{4}/, "$name: readiness shows no address");
        stack($back, $server);
        all_well($talk, $name);
        my $counts  = histogram_of($talk)->{ratings};
        my $durable = ($posted{200} || 0) + ($posted{202} || 0);
        cmp_ok($counts->{3}, '>=', $durable, "$name: what was acknowledged is counted");
        cmp_ok($counts->{3}, '<=', $durable + ($posted{504} || 0), "$name: what was refused is not");
        is($counts->{4}, 1, "$name: what was counted before is counted still");
    }
}

# ---- a connection that went stale while nobody asked ----

{
    my $talk = new_talk();
    rate($talk, 5) for 1 .. 5;
    stack('restart', $_) for qw(postgres redis);
    ok(wait_until(sub { rate($talk, 5)->status == 200 }, $patience), 'restarted servers are taken up');
    expect_log(@away);
    all_well($talk, 'after restarts');
}

# ---- the store is lost ----

{
    my @talks = new_talks(3);
    for my $talk (@talks) { rate($talk, $_) for 1, 2, 2, 5 }
    expect_log(qr/RT0305: the store is rebuilt/, @away);
    for my $round (1 .. 3) {
        my $lost = generation();
        redis()->call('FLUSHALL');
        my ($less, $answered, %statuses) = (0, 0);
        my $until = time + 20;
        while (time < $until && $answered < 60) {
            my $response = read_of($talks[ rand @talks ]);
            $statuses{ $response->status }++;
            next if $response->status != 200;
            $answered++;
            $less++ if total(json($response->body)) != 4;
        }
        is($less, 0, "after FLUSHALL $round no GET shows less than before") or diag(to_json(\%statuses));
        is($answered, 60, "after FLUSHALL $round GETs are answered again");
        is(join(' ', grep { !/^(200|503)$/ } keys %statuses), '', "after FLUSHALL $round GET is 200 or 503");
        ok(wait_until(sub { rebuilt_since($lost) }, $patience), "after FLUSHALL $round the store is rebuilt");
    }
    is(rate($talks[0], 5)->status, 200, 'a rating after the loss is visible');
    is(total(histogram_of($talks[0])), 5, 'and counted on top of what was before');
}

# ---- the store is full ----

{
    my $talk = new_talk();
    is(rate($talk, 4)->status, 200, 'a full store: well before');
    expect_log(@away);
    redis()->call(qw(CONFIG SET maxmemory 1));
    is(rate($talk, 5)->status, 202, 'a full store: a rating is recorded');
    for my $n (1 .. 6) {
        my $answer = read_of($talk);
        is($answer->status, 200, "a full store: GET $n is answered");
        is_deeply(json($answer->body)->{ratings}, { 1 => 0, 2 => 0, 3 => 0, 4 => 1, 5 => 0 }, "a full store: GET $n has what was counted");
    }
    redis()->call(qw(CONFIG SET maxmemory 0));
    ok(wait_until(sub { (histogram_of($talk) || {})->{ratings}{5} }, $patience), 'a full store: the rating is counted when there is room');
}

# ---- keys that somebody wrote by hand ----

for my $row (
    [ 'a count that is no number', sub { redis()->call('HSET', "ratings/$_[0]", '3', 'abc') } ],
    [ 'a negative count',          sub { redis()->call('HSET', "ratings/$_[0]", '3', '-4') } ],
    [ 'a key of another type',     sub { redis()->call('DEL', "ratings/$_[0]"); redis()->call('SET', "ratings/$_[0]", 'x') } ],
    [ 'a log key of another type', sub { redis()->call('DEL', 'ratings:log'); redis()->call('SET', 'ratings:log', 'x') } ],
    [ 'a position that is gone',   sub { redis()->call('DEL', 'ratings:log') } ],
    )
{
    my ($name, $break) = @$row;
    my $talk = new_talk();
    rate($talk, $_) for 3, 3, 5;
    expect_log(qr/RT0305: the store is rebuilt/, @away);
    $break->($talk);
    my %statuses;
    my $right = wait_until(sub {
        my $response = read_of($talk);
        $statuses{ $response->status }++;
        return $response->status == 200 && json($response->body)->{ratings}{3} == 2;
    }, $patience);
    ok($right, "$name: the store is rebuilt");
    is(join(' ', grep { !/^(200|503)$/ } keys %statuses), '', "$name: GET is 200 or 503 meanwhile") or diag(to_json(\%statuses));
    ok(wait_until(sub { rate($talk, 5)->status == 200 }, $patience), "$name: ratings are taken and visible");
    is(redis()->hash("ratings/$talk")->{3}, 2, "$name: the key holds the counts again");
}

# ---- records that are no events ----

{
    my $talk = new_talk();
    rate($talk, 5);
    my ($partition) = map { $_->{partition} } grep { ($_->{key} // '') eq $talk } topic_since(time - 30);
    my @options = ('-p', $partition);
    expect_log(qr/RT0304: record at partition \d+, offset \d+ is no event/);
    my $event = sub { to_json({ version => 1, talkId => $talk, value => 5, @_ }) };
    topic_write($talk, 'garbage',            @options);
    topic_write($talk, '',                   @options, '-Z');
    topic_write('another-talk', $event->(),  @options);
    topic_write($talk, $event->(value => 6), @options);
    topic_write($talk, $event->(version => 2), @options);
    topic_write($talk, 'x' x 10_000,         @options);
    is(rate($talk, 4)->status, 200, 'records that are no events do not stop the projector');
    is_deeply(histogram_of($talk)->{ratings}, { 1 => 0, 2 => 0, 3 => 0, 4 => 1, 5 => 1 }, 'and are not counted');
    topic_write($talk, $event->(value => 2, 'unknown' => [ 1, 2 ]), @options);
    ok(wait_until(sub { histogram_of($talk)->{ratings}{2} == 1 }, 5), 'an event of another producer is counted');
}

# ---- the projector's child dies ----

{
    my $talk = new_talk();
    rate($talk, 5);
    my $projector = sub { my (undef, $pid) = split /:/, redis()->call('GET', 'ratings:projector') // ''; return $pid };
    my $pid = wait_until($projector, 10);
    like($pid // '', qr/^\d+$/, 'the lease tells who projects');
    expect_log(qr/AH0005[12]: child (pid|process) $pid exit signal Killed/, qr/RT0501: request \S+ answered with 202/);
    kill 'KILL', $pid;
    ok(wait_until(sub { rate($talk, 4)->status == 200 }, 15), 'after kill -9 of the projector another takes over');
    my $next = wait_until($projector, 10);
    ok($next && $next != $pid, 'it is another process') or diag($next // 'nobody');
    my $counts = histogram_of($talk)->{ratings};
    is($counts->{5}, 1, 'what was counted before is counted once');
    ok($counts->{4} >= 1, 'what came after is counted');
}

# ---- the store is looked at also while there is traffic ----

{
    my ($busy, $other) = new_talks(2);
    # two talks of different partitions
    my %partition;
    for (1 .. 50) {
        rate($_, 5) for $busy, $other;
        %partition = map { $_->{key} => $_->{partition} } grep { ($_->{key} // '') =~ /^(?:\Q$busy\E|\Q$other\E)$/ } topic_since(time - 60);
        last if $partition{$busy} != $partition{$other};
        $other = new_talk();
    }
    isnt($partition{$busy}, $partition{$other}, 'two talks of different partitions');
    expect_log(qr/RT0305: the store is rebuilt/, @away);
    my $going = File::Temp->new;
    my $load  = in_children(1, sub { rate($busy, 5) while -e "$going"; return {} });
    redis()->call('HDEL', 'ratings:log', "position:$partition{$other}");
    ok(wait_until(sub { read_of($other)->status == 200 }, 6), 'a position that is gone is put right while another partition is busy');
    unlink "$going";
    $load->();
}

# ---- Kafka is unavailable when httpd starts ----

{
    my $httpd = own_httpd(name => 'no-kafka', topic => 'ratings-no-kafka', database => 13);
    my @at    = (port => $httpd->port);
    my $talk  = new_talk();
    $httpd->start;
    ok(wait_ready(@at), 'no Kafka: ready before');
    is(rate($talk, $_, @at)->status, 200, "no Kafka: a rating of $_ before") for 2, 4;
    $httpd->stop;
    stack('stop', 'kafka');
    $httpd->expect_log(@away);
    expect_log(@away);
    $httpd->start;
    my $good = 0; # in a row: each child finds out by itself
    ok(wait_until(sub { $good = read_of($talk, @at)->status == 200 ? $good + 1 : 0; $good >= 8 }, $patience), 'no Kafka at the start: what is counted is read');
    is_deeply(histogram_of($talk, @at)->{ratings}, { 1 => 0, 2 => 1, 3 => 0, 4 => 1, 5 => 0 }, 'no Kafka at the start: all of it');
    like(rate($talk, 5, @at)->status, qr/^50[34]$/, 'no Kafka at the start: ratings are refused');
    stack('start', 'kafka');
    ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, $patience), 'and taken when it is there');
    $httpd->stop;
}

# ---- nothing is there when httpd starts ----

{
    my $httpd = own_httpd(name => 'alone', topic => 'ratings-alone', database => 5);
    stack('stop', qw(postgres redis kafka lambda));
    $httpd->expect_log(@away, qr/RT0305/, qr/RT0205/);
    expect_log(@away);
    my @at = (port => $httpd->port);
    $httpd->start;
    ok(wait_until(sub { get('/', @at)->status == 200 }, 10), 'httpd starts without any backend');
    my $talk = 'alone-' . time;
    problem_ok(within(5, 'alone: POST', sub { rate($talk, 5, @at) }), 503, 'POST without any backend');
    problem_ok(within(5, 'alone: GET', sub { read_of($talk, @at) }), 503, 'GET without any backend');
    is(get('/healthz', @at)->status, 200, 'live without any backend');
    is(get('/readyz', @at)->status, 503, 'not ready without any backend');
    stack('start', 'postgres');
    new_talks(1, $talk);
    ok(wait_until(sub { get('/ratings?talkId=no-such-talk', @at)->status == 404 }, $patience), 'the talks are taken up: 404 for what is not there');
    is(rate($talk, 5, @at)->status, 503, 'POST waits for the others');
    stack('start', 'kafka');
    is(rate($talk, 5, @at)->status, 503, 'POST waits for the store, which tells how talks are routed');
    stack('start', 'redis');
    ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, $patience), 'with store and stream a rating is taken');
    my $answer = histogram_of($talk, @at);
    ok($answer && $answer->{ratings}{5} >= 1 && !$answer->{stats}, 'and read, without stats');
    stack('start', 'lambda');
    ok(wait_until(sub { my $all = histogram_of($talk, @at); $all && $all->{stats} }, $patience), 'the statistics come with the Lambda');
    ok(wait_ready(@at), 'ready');
    ok(defined $httpd->stop, 'it stops');
    all_well($talk, 'the other httpd');
}

finish();
