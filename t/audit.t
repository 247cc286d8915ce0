# ratings-audit: it sees what is wrong in the store, and nothing else, while the service is at work.
use strict;
use warnings;
use File::Temp ();
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;

my $patience = 30;
my $topic    = 'ratings-audit-' . int(time) . "-$$"; # it is given partitions, so each run has its own
my $database = 15;
my $store    = "$ENV{RATINGS_CONNECTION}/$database";
my $serial   = 0;
my @away     = (qr/RT020[1-4]: circuit breaker/, qr/RT030[12]: /, qr/RT0305: the store is rebuilt/, qr/RT0306: /,
    qr/RT0501: request \S+ answered with (202|50[34])/);

my $httpd = own_httpd(name => 'audit', topic => $topic, database => $database, before => "RatingsIdempotencyWindow 2s\n");
my @at    = (port => $httpd->port);

# ---- the program ----

sub run_audit { return run_program($ENV{RATINGS_AUDIT}, @_) }
sub audit { return run_audit('--topic', $topic, '--store', $store, @_) }

# The report as data, with the exit code beside it.
sub report {
    my $run = audit('--json', @_);
    my $report = json($run->{out}) || {};
    return { %$report, code => $run->{code}, transcript => transcript($run) };
}

sub sum { my ($report, $what) = @_; my $sum = 0; $sum += $_->{$what} for @{ $report->{partitions} }; return $sum }

sub agree_ok {
    my ($name, @options) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $report = report(@options);
    ok($report->{code} eq 0 && $report->{agree} && !@{ $report->{differences} }, $name) or diag($report->{transcript});
    return $report;
}

# All is applied, and it agrees.
sub settled_ok {
    my ($name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $report;
    ok(wait_until(sub { $report = report(); $report->{code} eq 0 && sum($report, 'lag') == 0 }, $patience), $name) or diag($report->{transcript});
    return $report;
}

# Exit code 2: nothing on standard output, one line on standard error that says why.
sub cannot_ok {
    my ($run, $why, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($run->{code} eq 2 && $run->{out} eq '' && $run->{err} =~ /\Aratings-audit: .*$why.*\n\z/, $name) or diag(transcript($run));
}

# ---- the store and the service ----

sub hand { return redis(database => $database)->call(@_) }
sub stored { my $talk = shift; my $counts = redis(database => $database)->hash("ratings/$talk"); return join '', map { $counts->{$_} // 0 } 1 .. 5 }
sub counted { my $talk = shift; my $answer = histogram_of($talk, @at); return $answer && join ' ', map { $answer->{ratings}{$_} } 1 .. 5 }
sub keyed { my ($talk, $value, $key) = @_; return rate($talk, $value, @at, headers => [ 'Idempotency-Key' => $key ]) }

# A talk that is rated 2, 5 and 5: 01002 in the store.
sub rated_talk {
    my $talk = new_talk();
    rate($talk, $_, @at)->status =~ /^20[02]$/ or die "$talk could not be rated" for 2, 5, 5;
    wait_until(sub { stored($talk) eq '01002' }, $patience) or die "ratings of $talk are not counted";
    return $talk;
}

# Clients that rate the talks until the function that this returns is called: it ends them, and hands back how
# often each value was acknowledged for each talk.
sub load {
    my (@talks) = @_;
    my $going   = File::Temp->new(UNLINK => 0);
    my $results = in_children(4, sub {
        my ($index) = @_;
        srand($$);
        my $client = client(@at);
        my (%counts, %other);
        while (-e "$going") {
            my ($talk, $value) = ($talks[ rand @talks ], 1 + int rand 5);
            my $status = $client->request('POST', '/ratings', [ 'Content-Type' => 'application/json' ],
                to_json({ talkId => $talk, value => $value }))->status;
            if   ($status =~ /^20[02]$/) { $counts{$talk}{$value}++ }
            else                         { $other{$status}++ }
            sleep 0.004; # some 800 a second, so that the servers have something left
        }
        return { counts => \%counts, other => \%other };
    });
    return sub {
        unlink "$going";
        my (%counts, %other);
        for my $result ($results->()) {
            for my $talk (keys %{ $result->{counts} }) { $counts{$talk}{$_} += $result->{counts}{$talk}{$_} for keys %{ $result->{counts}{$talk} } }
            $other{$_} += $result->{other}{$_} for keys %{ $result->{other} };
            $other{ $result->{died} }++ if $result->{died};
        }
        is_deeply(\%other, {}, 'each rating of the load was acknowledged');
        return map { my $talk = $_; $talk => join ' ', map { $counts{$talk}{$_} || 0 } 1 .. 5 } @talks;
    };
}

hand('FLUSHDB'); # of another run, of another topic
$httpd->start;
ok(wait_ready(@at), 'ready') or BAIL_OUT('the service does not become ready');

# ---- nothing is rated ----

{
    my $report;
    ok(wait_until(sub { $report = report(); $report->{code} eq 0 }, $patience), 'a log without events and a store without talks agree') or diag($report->{transcript});
    is_deeply($report->{talks}, { log => 0, store => 0, compared => 0, differ => 0 }, 'no talk is compared');
    is(scalar @{ $report->{partitions} }, 4, 'the report names each partition');
}

# ---- under load ----

{
    my @talks = new_talks(30);
    my $stop  = load(@talks);
    ok(wait_until(sub { sum(report(), 'records') > 50 }, $patience), 'ratings come in');
    my @reports = map { agree_ok("audit $_ under load agrees") } 1 .. 8;
    my @records = map { sum($_, 'records') } @reports;
    is((grep { $records[$_] <= $records[ $_ - 1 ] } 1 .. $#records), 0, 'while more came in') or diag("@records");
    # those that are rated are read first, and many others after them
    my @many = map { ('--talk', $_) } @talks, map { "nobody-rated-$_" } 1 .. 6000;
    agree_ok("audit $_ of more talks than are read at once agrees", @many) for 1 .. 3;
    my $plain = audit();
    ok($plain->{code} eq 0 && $plain->{out} =~ /^agree/m && $plain->{err} eq '', 'the text agrees as well') or diag(transcript($plain));
    my %acknowledged = $stop->();
    my $report       = settled_ok('when all is applied it agrees, without a lag');
    my $posted       = 0;
    $posted += $_ for map { split / / } values %acknowledged;
    is(sum($report, 'records'), $posted + 1, 'it has read one record for each rating that was acknowledged, and the one that says how talks are routed');
    is($report->{talks}{compared}, 30, 'it has compared each talk');
    is_deeply({ map { $_ => counted($_) } @talks }, \%acknowledged, 'and the service shows each rating once');
    is(audit()->{out} =~ /^agree$/m, 1, 'the text has no lag either');
}

# ---- what somebody wrote by hand ----

for my $row (
    [ 'counts that were changed', 'its counts differ', sub { hand('HSET', "ratings/$_[0]", 3, 77) } ],
    [ 'a count that was deleted', 'its counts differ', sub { hand('HDEL', "ratings/$_[0]", 2) } ],
    [ 'a key that was deleted',   'its key is missing', sub { hand('DEL', "ratings/$_[0]") } ],
    [ 'a key of another type',    'its key is no hash', sub { hand('DEL', "ratings/$_[0]"); hand('SET', "ratings/$_[0]", 'x') } ],
    [ 'a field of somebody else', 'its key has fields that the service does not write', sub { hand('HSET', "ratings/$_[0]", 'x', 1) } ],
    [ 'a count that is no number', 'a count is no number', sub { hand('HSET', "ratings/$_[0]", 5, 'two') } ],
    )
{
    my ($name, $problem, $break) = @$row;
    my ($talk, $other) = (rated_talk(), rated_talk());
    $break->($talk);
    my $run = audit();
    ok($run->{code} eq 1 && $run->{out} =~ /^talk \Q$talk\E \(partition \d+ at \d+\): $problem$/m && $run->{out} =~ /^DIFFER: 1 talks and 0 partitions$/m,
        "$name: exit code 1, and the talk is named") or diag(transcript($run));
    like($run->{out}, qr/^    expected   1: 0  2: 1  3: 0  4: 0  5: 2$/m, "$name: the report has what there should be");
    unlike($run->{out}, qr/\Q$other\E/, "$name: no other talk is");
    my $report = report();
    is($report->{code}, 1, "$name: exit code 1 with --json as well");
    my ($found, @more) = @{ $report->{differences} };
    is_deeply([ @$found{qw(talk problem expected)}, scalar @more ], [ $talk, $problem, { 1 => 0, 2 => 1, 3 => 0, 4 => 0, 5 => 2 }, 0 ],
        "$name: it is the one difference") or diag($report->{transcript});
    $run = audit('--repair');
    ok($run->{code} eq 0 && $run->{out} =~ /^repaired: 1 talks$/m && $run->{out} =~ /^agree/m, "$name: --repair mends it") or diag(transcript($run));
    is_deeply(redis(database => $database)->hash("ratings/$talk"), { 2 => 1, 5 => 2 }, "$name: the key is as the service writes it");
    is(rate($talk, 1, @at)->status, 200, "$name: and is written to again");
}

{
    my $talk = rated_talk();
    hand('HSET', "ratings/$talk", 3, 77);
    my ($difference) = @{ report()->{differences} };
    is_deeply($difference->{found}, { 1 => 0, 2 => 1, 3 => 77, 4 => 0, 5 => 2 }, 'the report has what there is beside what there should be');
    hand('DEL', "ratings/$talk");
    ($difference) = @{ report()->{differences} };
    is_deeply([ exists $difference->{found}, $difference->{found} ], [ 1, undef ], 'a key that is not there has nothing');
    agree_ok('mended again', '--repair');
}

for my $row ([ 'of a talk that was never rated', 'nobody-rated-this', 'nobody-rated-this' ], [ 'whose name is none', "a\\\x01\xff", 'a\x5C\x01\xFF' ]) {
    my ($name, $id, $shown) = @$row;
    hand('HSET', "ratings/$id", 4, 2);
    my $run = audit();
    ok($run->{code} eq 1 && $run->{out} =~ /^talk \Q$shown\E: the log has no rating of it$/m, "a key $name is named") or diag(transcript($run));
    is_deeply([ map { @$_{qw(talk problem)} } @{ report()->{differences} } ], [ $shown, 'the log has no rating of it' ], "a key $name is named with --json");
    agree_ok("a key $name is repaired", '--repair');
    is(hand('EXISTS', "ratings/$id"), 0, "a key $name goes");
}

# A key of voters of whom there are no ratings: it may be all that is left of a talk.
{
    hand('HSET', 'ratings:voters/nobody-rated-this', 'v' x 16, 4);
    my $run = audit();
    ok($run->{code} eq 1 && $run->{out} =~ /^talk nobody-rated-this: its voters' ratings differ$/m, 'a key of voters alone is found') or diag(transcript($run));
    agree_ok('and repaired', '--repair');
    is(hand('EXISTS', 'ratings:voters/nobody-rated-this'), 0, 'it goes');
}

# ---- a store that takes no writes ----

{
    my $talk = rated_talk();
    expect_log(@away);
    $httpd->expect_log(@away);
    hand(qw(CONFIG SET maxmemory 1));
    agree_ok('a store that is out of memory can be audited');
    hand('DEL', "ratings/$talk");
    agree_ok('and mended', '--repair');
    hand(qw(CONFIG SET maxmemory 0));
    is(stored($talk), '01002', 'as it was');
    ok(wait_until(sub { rate($talk, 1, @at)->status == 200 }, $patience), 'with memory again it is written to');
}

# ---- mending while ratings go on ----

{
    my @talks = new_talks(10);
    my $stop  = load(@talks);
    ok(wait_until(sub { !grep { (counted($_) // '0 0 0 0 0') eq '0 0 0 0 0' } @talks }, $patience), 'all talks are being rated');
    my ($seen, $mended) = (0, 0);
    for my $round (1 .. 6) {
        hand('HSET', "ratings/$talks[$_]", 1, 1_000_000 * $round) for 0, 1, 2;
        hand('DEL',  "ratings/$talks[$_]") for 3, 4;
        my $report = report();
        $seen++ if $report->{code} eq 1 && $report->{talks}{differ} == 5;
        $mended += agree_ok("round $round: --repair mends under load", '--repair')->{repair}{repaired};
    }
    is($seen,   6,  'each time the five that were edited were seen');
    is($mended, 30, 'and mended');
    my %acknowledged = $stop->();
    settled_ok('all is well when the load has ended');
    is_deeply({ map { $_ => counted($_) } @talks }, \%acknowledged, 'no rating of meanwhile is lost or counted twice');
}

# ---- some talks alone ----

{
    my ($one, $two, $well) = map { rated_talk() } 1 .. 3;
    hand('HSET', "ratings/$_", 1, 9) for $one, $two;
    my $report = report('--talk', $one, '--talk', $well);
    is($report->{code}, 1, '--talk: a talk that differs') or diag($report->{transcript});
    is_deeply([ map { $_->{talk} } @{ $report->{differences} } ], [$one], 'is named, and no other');
    is($report->{talks}{compared}, 2, 'those that were asked for are compared');
    agree_ok('--talk: one that does not differ agrees', '--talk', $well);
    agree_ok('--talk with --repair', '--repair', '--talk', $one);
    is(stored($one), '01002', 'mends that talk');
    is(stored($two), '91002', 'and no other');
    agree_ok('--talk: a talk that nobody knows agrees', '--talk', 'nobody-knows-this');
    agree_ok('the other is mended as well', '--repair');
}

# ---- idempotency keys ----

{
    my $talk   = new_talk();
    my $before = sum(report(), 'repeated');
    my @status = map { keyed($talk, 4, 'a-key')->status } 1 .. 3;
    is_deeply(\@status, [ 200, 200, 200 ], 'a rating sent three times with one key');
    my $report = agree_ok('counts once for the audit, too');
    is(sum($report, 'repeated') - $before, 2, 'the report counts the other two as repeated');
    cmp_ok(sum($report, 'liveKeys'), '>=', 1, 'the key holds');
    my $conflicts = 0;
    ok(wait_until(sub { my $status = keyed($talk, 2, 'a-key')->status; $conflicts++ if $status == 422; $status == 200 }, 10, 0.2),
        'when its window is over the key is as good as new');
    $report = agree_ok('which the audit tells from the log alone');
    is(sum($report, 'repeated') - $before, 2 + $conflicts, 'the report counts another value under the key as repeated');
    is(stored($talk), '01010', 'the store has both ratings');
}

# ---- events that are appended twice ----

{
    my $talk   = new_talk();
    my $event  = to_json({ version => 1, talkId => $talk, value => 5 });
    my $write  = sub { my ($source, $id) = @_; topic_write($talk, $event, '-t', $topic, '-p', 0, '-H', "ce_source=$source", '-H', "ce_id=$id") };
    my $before = report();
    $write->('/audit', $talk) for 1, 2;
    my $report = settled_ok('two records of one event are no difference');
    is(stored($talk), '00001', 'it counts once');
    is(sum($report, 'duplicates') - sum($before, 'duplicates'), 1, 'the report counts the second as a duplicate');
    $write->('/audit', "$talk-another");
    $write->('/another', $talk);
    $report = settled_ok('nor are events of other ids and sources');
    is(stored($talk), '00003', 'which count');
    is(sum($report, 'duplicates') - sum($before, 'duplicates'), 1, 'and are no duplicates');
    is(sum($report, 'repeated'), sum($before, 'repeated'), 'nor is any told as repeated');

    # whoever is asked for, all are noted
    my $other = to_json({ version => 1, talkId => "$talk-other", value => 1 });
    topic_write("$talk-other", $other, '-t', $topic, '-p', 0, '-H', 'ce_source=/audit', '-H', "ce_id=$talk-last");
    $write->('/audit', "$talk-last");
    settled_ok('an event with the id of another talk\'s is no difference');
    is(stored($talk), '00003', 'and counts for nothing');
    is(agree_ok('nor is it when its talk alone is looked at', '--talk', $talk)->{talks}{compared}, 1, 'it alone');
    like(audit()->{out}, qr/^ *partition .* skipped duplicates  repeated /m, 'the text tells duplicates as well');
}

# ---- records that are no events ----

{
    my $talk = rated_talk();
    $httpd->expect_log(qr/RT0304: record at partition \d+, offset \d+ is no event/);
    my $before = sum(report(), 'skipped');
    topic_write($talk, 'garbage', '-t', $topic);
    topic_write($talk, to_json({ version => 2, talkId => $talk, value => 5 }), '-t', $topic);
    is(sum(settled_ok('records that are no events are no difference'), 'skipped') - $before, 2, 'the report counts them as skipped');
}

# ---- transactions: their ends take offsets that no consumer sees ----

{
    $httpd->expect_log(qr/RT0304: /);
    stack(qw(kafka-tool ProducerPerformance --topic), $topic, qw(--num-records 40 --record-size 10 --throughput 100 --transactional-id audit
        --transaction-duration-ms 50 --producer-props), "bootstrap.servers=$ENV{STREAMS_CONNECTION}");
    my @talks = new_talks(8);
    rate($_, 3, @at) for @talks;
    my $report = agree_ok('offsets that are no records are no difference');
    # no partition ends with one any more: the store, which knows records alone, would lag behind it
    for (1 .. 50) { last if sum(report(), 'lag') == 0; rate(new_talk(), 3, @at) }
    cmp_ok(sum($report, 'logEnd'), '>', sum($report, 'records'), 'there are some');
    hand('DEL', "ratings/$talks[0]");
    agree_ok('and do not keep a talk from being mended', '--repair');
}

# ---- the topic is given partitions ----

{
    my $talk = rated_talk();
    stack(qw(kafka-tool TopicCommand --bootstrap-server), $ENV{STREAMS_CONNECTION}, qw(--alter --partitions 6 --topic), $topic);
    is(scalar @{ agree_ok('partitions that the store does not know yet are no difference')->{partitions} }, 6, 'the report names them');
    $httpd->stop;
    my $event = to_json({ version => 1, talkId => $talk, value => 1 });
    topic_write($talk, $event, '-t', $topic, '-p', 5);

    # without a projector, nothing applies it: a lag
    my $run = audit();
    ok($run->{code} eq 0 && $run->{out} =~ /^agree, with a lag: the store has not applied the last \d+ offsets of the log$/m,
        'what is not applied is a lag, and no difference') or diag(transcript($run));
    is(report()->{partitions}[5]{lag}, 1, 'the report has it for its partition');
    $httpd->start;
    ok(wait_until(sub { report()->{partitions}[5]{lag} == 0 }, $patience), 'it goes when the service runs') or diag(audit()->{out});
    my $report = agree_ok('and the store agrees');
    is(stored($talk), '11002', 'with the event of the new partition');
    is_deeply([ map { $_->{talk} } @{ $report->{spread} } ], [$talk], 'the talk is named as one in several partitions');
    hand('HSET', "ratings/$talk", 1, 0);
    agree_ok('and mended from all of them', '--repair');
}

# ---- ratings:log itself ----

{
    rated_talk();
    settled_ok('all is well before the service is stopped');
    $httpd->stop;
    my $partition = (grep { $_->{records} } @{ report()->{partitions} })[0]{partition};
    for my $row (
        [ 'a mark that is another',      "mark:$partition",     '1:2:3',   'the record that the store applied last is not the log\'s' ],
        [ 'a mark of the first',         "first:$partition",    '1:2:3',   'the record that the store applied first is not the log\'s' ],
        [ 'another time of the log',     "time:$partition",     '1',       'the store\'s time of the log is not the log\'s' ],
        [ 'a checkpoint beyond the log', "position:$partition", '9999999', 'the log ends before the store\'s checkpoint: it was truncated or recreated' ],
        [ 'a partition too many',        'position:6',          '0',       'the store knows more partitions than the topic has: it was recreated' ],
        )
    {
        my ($name, $field, $value, $problem) = @$row;
        my $was = hand('HGET', 'ratings:log', $field);
        hand('HSET', 'ratings:log', $field, $value);
        my $run = audit('--repair');
        ok($run->{code} eq 1 && $run->{out} =~ /^(partition $partition|ratings:log): \Q$problem\E$/m, "$name is a difference") or diag(transcript($run));
        like($run->{out}, qr/^nothing was repaired, .* use ratingsctl rebuild$/m, "$name is not for --repair");
        defined $was ? hand('HSET', 'ratings:log', $field, $was) : hand('HDEL', 'ratings:log', $field);
    }
    agree_ok('as it was, all is well');
    hand('HSET', 'ratings:log', 'position:0', 'x');
    cannot_ok(audit(), 'a checkpoint in ratings:log is not what the service writes', 'a checkpoint that is no number');
    hand('DEL', 'ratings:log');
    cannot_ok(audit(), 'the store has no ratings:log', 'a store that was lost cannot be audited');
    hand('HSET', 'ratings:log', 'claim', 'somebody');
    cannot_ok(audit($_), 'is being rebuilt', "a store that is being rebuilt cannot be audited ($_)") for '--json', '--repair', '--rebuild';
    hand('DEL', 'ratings:log');
    $httpd->expect_log(@away);
    $httpd->start;
    settled_ok('the service makes it anew');
}

# ---- the whole store ----

{
    my $talk   = rated_talk();
    my $before = report()->{generation};
    hand('HSET', "ratings/$talk", 1, 9);
    my $run = audit('--rebuild');
    ok($run->{code} eq 0 && $run->{out} =~ /^a rebuild is requested: /, '--rebuild has the service rebuild the store') or diag(transcript($run));
    my $report;
    ok(wait_until(sub { $report = report(); $report->{code} eq 0 && $report->{generation} ne $before }, $patience), 'which it does') or diag($report->{transcript});
    settled_ok('and all is well');
    is(stored($talk), '01002', 'what was edited is right');
    is((grep { /RT0305: .*\(it was requested by ratingsctl rebuild\)/ } $httpd->log->lines) > 0, 1, 'the log of the service says so');
    is($run->{err}, '', 'without a complaint');
    my $other = run_audit('--topic', 'ratings', '--store', $store, '--rebuild');
    cannot_ok($other, "the store holds the ratings of topic '$topic', not of 'ratings'", 'not for another topic');
    is(report()->{generation}, $report->{generation}, 'whose store stays as it is');
}

# ---- it cannot look ----

{
    expect_log(@away);
    my $elsewhere = 'redis://127.0.0.1:1';
    cannot_ok(run_audit('--topic', $topic, '--store', $elsewhere), 'Redis at redis://127\.0\.0\.1:1: Connection refused', 'Redis is not there');
    cannot_ok(audit('--brokers', '127.0.0.1:1'), 'Kafka at 127\.0\.0\.1:1: .*Connection refused', 'Kafka is not there');
    cannot_ok(run_audit('--topic', 'no-such-topic', '--store', $store), "there is no topic 'no-such-topic'", 'there is no such topic');
    cannot_ok(run_audit('--topic', 'ratings', '--store', $store), "the store holds the ratings of topic '$topic', not of 'ratings'", 'the store is of another topic');
    for my $server (qw(redis kafka)) {
        stack('pause', $server);
        my $begun = time;
        my $run   = audit('--timeout', 1);
        cmp_ok(time - $begun, '<', 10, "$server hangs: it ends soon");
        cannot_ok($run, $server eq 'redis' ? 'no answer for 1 s' : 'Kafka at ', "$server hangs: it says so");
        stack('resume', $server);
    }
    for (
        [ 'an option that is none', '--nothing' ], [ 'an option without its value', '--topic' ], [ 'a word that is no option', 'ratings' ],
        [ 'a time that is none', '--timeout', '0' ], [ 'a talk that is none', '--talk', "a\nb" ], [ 'no store', '--store', '' ],
        [ 'no brokers', '--brokers', '' ], [ '--rebuild with --repair', '--rebuild', '--repair' ],
        [ 'a property that is none', '-X', 'no.such.property=1' ], [ 'a property without a value', '-X', 'client.id' ],
        )
    {
        my ($name, @options) = @$_;
        cannot_ok(audit(@options), '', $name);
    }
    my $run = do { local $ENV{STREAMS_CONNECTION}; delete $ENV{STREAMS_CONNECTION}; audit() };
    cannot_ok($run, 'neither --brokers nor STREAMS_CONNECTION', 'nobody says where Kafka is');
    like(run_audit('--help')->{out}, qr/--brokers .*--repair .*Exit code\n  0 /s, '--help tells the options and exit codes');
    like(run_audit('--version')->{out}, qr/^ratings-audit \d+\.\d+\.\d+ \(\S+\)$/, '--version tells the version');
    for my $options ('', '--json') {
        my $code = system qq("$ENV{RATINGS_AUDIT}" --topic $topic --store $store $options >/dev/full 2>/dev/null);
        is($code >> 8, 2, "a report that cannot be written is a 2 $options");
    }
}

# ---- passwords ----

{
    my ($port, $secret) = ($ENV{REDIS_PORT}, 's3cr3t');
    hand(qw(ACL SETUSER auditor on ~* &* +@all), ">$secret");
    my $as = sub { my ($password) = @_; return "redis://auditor:$password\@127.0.0.1:$port/$database" };
    my @runs = map { run_audit('--topic', $topic, @$_) } [ '--store', $as->($secret) ], [ '--store', $as->($secret), '--json' ];
    for my $run (@runs) {
        is($run->{code}, 0, 'it logs in with a password') or diag(transcript($run));
        like($run->{out}, qr/redis:\/\/auditor:\*\*\*\@127\.0\.0\.1:$port\/$database/, 'and shows where the store is without it');
    }
    my $from_environment = do { local $ENV{RATINGS_CONNECTION} = $as->($secret); run_audit('--topic', $topic) };
    is($from_environment->{code}, 0, 'an address of the environment will do') or diag(transcript($from_environment));
    hand(qw(ACL DELUSER auditor));
    my @wrong = map { run_audit('--topic', $topic, @$_) }
        [ '--store', $as->("${secret}x") ], [ '--store', "redis://auditor:$secret\@127.0.0.1:1" ], [ '--store', "redis://auditor:$secret\@" ],
        [ '--store', "redis://a:$secret%zz\@h" ], [ '--store', "http://a:$secret\@h" ], [ "--store$secret" ], [ "--password=$secret" ],
        [ "--stre=redis://a:$secret\@h" ], [ "--storeredis://a:$secret\@h" ], [ '--talk', "redis://a:$secret\@h\n" ], [ "redis://a:$secret\@h" ],
        [ '--timeout', $secret ], [ '-X', $secret ], [ '-X', "sasl.mechanisms=$secret" ], [ '-X', "no.such=$secret" ],
        [ '-X', 'security.protocol=sasl_plaintext', '-X', 'sasl.mechanisms=PLAIN', '-X', 'sasl.username=u', '-X', "sasl.password=$secret" ];
    is(scalar(grep { $_->{code} ne 2 } @wrong), 0, 'what is wrong with a password in it is a 2') or diag(map { transcript($_) } @wrong);
    is(join('', grep { /s3cr3t/ } map { transcript($_) } @runs, @wrong, $from_environment), '', 'no password is ever shown');
}

settled_ok('all is well at the end');
$httpd->stop;
finish();
