# ratingsctl: what it says of the log and of the servers, beside what others say of them (kcat, Redis, the service). Its audit and
# its repair have a test of their own: audit.t.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;

my $patience = 30;
my $topic    = 'ratings-ctl-' . int(time) . "-$$";
my $database = 14;
my $store    = "$ENV{RATINGS_CONNECTION}/$database";

my $httpd = own_httpd(name => 'ratingsctl', topic => $topic, database => $database, before => "RatingsIdempotencyWindow 60s\n");
my @at    = (port => $httpd->port);

# ---- the program ----

sub raw { return run_program($ENV{RATINGSCTL}, @_) }

# A command with its options, on the topic and the store of this test.
my %has_store = map { $_ => 1 } qw(audit repair explain rebuild status);
sub ctl {
    my ($command, @options) = @_;
    return raw($command, '--topic', $topic, $has_store{$command} ? ('--store', $store) : (), @options);
}

sub report {
    my $run = ctl(@_, '--json');
    return { %{ json($run->{out}) || {} }, code => $run->{code}, told => told($run) };
}

# On a terminal, where the answer is typed: the exit code, and what stood there.
sub on_terminal {
    my ($answer, @command) = @_;
    my $line = join ' ', map { "'$_'" } @command;
    my $out  = qx(printf '%s\\n' '$answer' | script -q -e -c "$line" /dev/null 2>&1);
    return { code => $? >> 8, out => $out, err => '' };
}

# Exit code 2: nothing on standard output, one line on standard error that says why.
sub cannot_ok {
    my ($run, $why, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($run->{code} eq 2 && $run->{out} eq '' && $run->{err} =~ /\Aratingsctl: .*$why.*\n\z/, $name) or diag(told($run));
}

# ---- the log and the store ----

sub hand { return redis(database => $database)->call(@_) }
sub counts { my %counts = map { $_ => 0 } 1 .. 5; $counts{$_}++ for @_; return \%counts }
sub keyed { my ($talk, $value, $key) = @_; return rate($talk, $value, @at, headers => [ 'Idempotency-Key' => qq("$key") ])->status }

# The records of a talk, as kcat tells them.
sub records_of { my ($talk) = @_; return sort { $a->{offset} <=> $b->{offset} } grep { ($_->{key} // '') eq $talk } topic_since(0, $topic) }

sub write_event {
    my ($partition, $talk, $value, @headers) = @_;
    topic_write($talk, to_json({ version => 1, talkId => $talk, value => $value }), '-t', $topic, '-p', $partition, map { ('-H', $_) } @headers);
}

sub settled_ok {
    my ($name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $report;
    ok(wait_until(sub { $report = report('audit'); $report->{code} eq 0 && !grep { $_->{lag} } @{ $report->{partitions} } }, $patience), $name)
        or diag($report->{told});
}

hand('FLUSHDB');
$httpd->start;
ok(wait_ready(@at), 'ready') or BAIL_OUT('the service does not become ready');

# ---- the frame ----

{
    my $help = raw('--help');
    is($help->{code}, 0, '--help');
    my @commands = map { /^  ([a-z]+) / ? $1 : () } split /\n/, $help->{out};
    cmp_ok(scalar @commands, '>=', 4, 'it lists the commands');
    for my $command (@commands) {
        my $run = raw($command, '--help');
        ok($run->{code} eq 0 && $run->{out} =~ /\Aratingsctl $command .*: \w.*\n\n  --.*^Exit code\n  0  /ms && $run->{err} eq '', "$command --help") or diag(told($run));
        like(raw($command, '--version')->{out}, qr/^ratingsctl \d+\.\d+\.\d+ \(\S+\)$/, "$command --version");
        cannot_ok(raw($command, '--nothing'), '--nothing is not an option', "$command: an option that is none");
        cannot_ok(raw($command, '--timeout', 0), '--timeout takes seconds', "$command: a time that is none");
    }
    like(raw('--version')->{out}, qr/^ratingsctl \d+\.\d+\.\d+ \(\S+\)$/, '--version');
    cannot_ok(raw(), 'which command', 'no command');
    cannot_ok(raw('nonsense'), 'there is no command nonsense', 'a command that is none');
    cannot_ok(raw('--topic', $topic, 'audit'), 'the command comes first', 'an option before the command');
    cannot_ok(ctl('audit', 'word'), 'audit takes options alone', 'a word that is no option');
    cannot_ok(ctl('rebuild', '--json'), '--json is not an option', 'an option of another command');
    unlike(told(raw('redis://user:s3cr3t@host')), qr/s3cr3t/, 'a word that is no command is not repeated');
    my ($as_command, $as_name) = (ctl('audit', '--json'), run_program($ENV{RATINGS_AUDIT}, '--topic', $topic, '--store', $store, '--json'));
    is($as_name->{out}, $as_command->{out}, 'ratings-audit is a name for its audit');
    is($as_command->{code}, 0, 'which agrees');
}

# ---- explain ----

{
    my ($talk, $other) = map { new_talk() } 1, 2;
    rate($other, 1, @at);
    is(rate($talk, 4, @at)->status, 200, 'a rating');
    is_deeply([ keyed($talk, 5, 'a'), keyed($talk, 5, 'a'), keyed($talk, 2, 'a') ], [ 200, 200, 422 ], 'one with a key, once more, and another under the same key');
    my @records   = records_of($talk);
    my $partition = $records[0]{partition};
    write_event($partition, $talk, 3, 'ce_source=/ctl', "ce_id=$talk") for 1, 2;
    settled_ok('all is applied');
    @records = records_of($talk);
    my $report = report('explain', $talk);
    is($report->{code}, 0, 'explain: exit code 0 when log and store agree') or diag($report->{told});
    my @events = @{ $report->{events} };
    is_deeply([ map { [ @$_{qw(partition offset)} ] } @events ], [ map { [ @$_{qw(partition offset)} ] } @records ], 'it has the records of the talk, and no other');
    is_deeply([ map { $_->{value} } @events ], [ 4, 5, 5, 2, 3, 3 ], 'with their values');
    is_deeply([ map { $_->{verdict} } @events ], [qw(counted counted repeated conflict counted duplicate)], 'and what became of each');
    is_deeply([ map { $_->{countedAt} } @events[ 2, 3, 5 ] ], [ map { $records[$_]{offset} } 1, 1, 4 ], 'and which event counted in its place');
    is_deeply([ map { $_->{time} =~ /T.*(\d\.\d{3})Z$/ ? $1 : undef } @events ], [ map { sprintf '%.3f', $_->{ts} % 10000 / 1000 } @records ], 'and their times');
    is(scalar(grep { !$_->{applied} } @events), 0, 'all are applied');
    is_deeply($report->{counts}, { log => counts(3, 4, 5), store => counts(3, 4, 5) }, 'the counts of the log, and those of the store');

    my $text = ctl('explain', $talk);
    is($text->{code}, 0, 'as text');
    like($text->{out}, qr/^ +$partition +$records[1]{offset}  \S+Z +5  anonymous +counted$/m, 'an event that counts');
    like($text->{out}, qr/^ +$partition +$records[2]{offset} .* not counted: repeated, by its Idempotency-Key, of offset $records[1]{offset}$/m, 'one that repeats');
    like($text->{out}, qr/not counted: another rating under a used Idempotency-Key, of offset $records[1]{offset}$/m, 'one that contradicts');
    like($text->{out}, qr/not counted: duplicate, by its CloudEvents id, of offset $records[4]{offset}$/m, 'one that was appended twice');
    like($text->{out}, qr/^    log        1: 0  2: 0  3: 1  4: 1  5: 1\n    store      1: 0  2: 0  3: 1  4: 1  5: 1\nagree$/m, 'the counts');

    # what the store has is not what the log has
    hand('HSET', "ratings/$talk", 1, 7);
    $report = report('explain', $talk);
    is($report->{code}, 1, 'a store that differs: exit code 1');
    is_deeply([ $report->{problem}, $report->{counts}{store} ], [ 'its counts differ', { %{ counts(3, 4, 5) }, 1 => 7 } ], 'with what it has') or diag($report->{told});
    like(ctl('explain', $talk)->{out}, qr/^DIFFER: its counts differ$/m, 'as text');
    is(ctl('repair')->{code}, 0, 'repaired');

    # what it has not applied
    $httpd->stop;
    write_event($partition, $talk, 1);
    $report = report('explain', $talk);
    is($report->{code}, 0, 'an event that is not applied is no difference') or diag($report->{told});
    is_deeply([ @{ $report->{events}[-1] }{qw(value verdict)}, $report->{events}[-1]{applied} ? 'applied' : 'not yet' ], [ 1, 'counted', 'not yet' ], 'and is told');
    like(ctl('explain', $talk)->{out}, qr/ to be counted: the store has not applied it yet$/m, 'as text');
    $httpd->start;
    settled_ok('it is applied');

    $report = report('explain', 'nobody-rated-this');
    is_deeply([ @$report{qw(code events)}, $report->{counts}{log} ], [ 0, [], counts() ], 'a talk without events');
    cannot_ok(ctl('explain'), 'explain takes one word', 'no talk');
    cannot_ok(ctl('explain', $talk, $other), 'explain takes one word', 'two of them');
    cannot_ok(ctl('explain', "a\nb"), 'explain takes the id of a talk', 'a talk that is none');
}

# ---- rebuild ----

{
    my $talk   = new_talk();
    my $before = report('audit')->{generation};
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    cannot_ok(ctl('rebuild'), 'there is no terminal to ask on: say --yes', 'rebuild without a terminal asks for --yes');
    my @command = ($ENV{RATINGSCTL}, 'rebuild', '--topic', $topic, '--store', $store);
    my $run = on_terminal('n', @command);
    ok($run->{code} eq 2 && $run->{out} =~ /Rebuild it\? .*nothing was done/s, 'on a terminal it asks, and takes no for an answer') or diag(told($run));
    is(hand('HEXISTS', 'ratings:log', 'suspect'), 0, 'nothing is requested');
    $run = on_terminal('y', @command);
    ok($run->{code} eq 0 && $run->{out} =~ /Rebuild it\? .*a rebuild is requested: /s, 'and yes') or diag(told($run));
    $httpd->expect_log(qr/RT0305: the store is rebuilt from the log \((it was requested by ratingsctl rebuild|the store is empty or was lost)\)/, qr/RT0501: request \S+ answered with (202|503)/);
    my $generation;
    ok(wait_until(sub { $generation = report('audit')->{generation} // ''; $generation && $generation ne $before }, $patience), 'the service rebuilds the store');
    settled_ok('and it agrees with the log');
    is(report('explain', $talk)->{counts}{store}{5}, 1, 'with what was rated before');

    # for a service that does not run
    $httpd->stop;
    is(ctl('rebuild', '--yes')->{code}, 0, 'a rebuild can be requested of a service that does not run');
    is(report('audit')->{generation}, $generation, 'until it does, the store stays');
    $httpd->start;
    ok(wait_until(sub { my $now = report('audit')->{generation} // ''; $now && $now ne $generation }, $patience), 'which rebuilds it when it starts');
    hand('DEL', 'ratings:log');
    $run = ctl('rebuild', '--yes');
    ok($run->{code} eq 0 || $run->{err} =~ /being rebuilt/, 'a store that was lost needs no request') or diag(told($run));
    settled_ok('the service makes it anew');
    cannot_ok(raw('rebuild', '--yes', '--topic', 'another', '--store', $store), "the store holds the ratings of topic '$topic', not of 'another'", 'not for another topic');
}

settled_ok('all is well at the end');
$httpd->stop;
finish();
