# ratingsctl: what it says of the log and of the servers, beside what others say of them (kcat, Redis, the service). Its audit and
# its repair have a test of their own: audit.t.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();
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
    return { %{ json($run->{out}) || {} }, code => $run->{code}, transcript => transcript($run) };
}

# On a terminal, where the answer is typed: the exit code, and what stood there.
sub on_terminal {
    my ($answer, $line) = @_;
    return run_program('sh', '-c', 'printf "%s\n" "$1" | script -q -e -c "$2" /dev/null', 'sh', $answer, $line);
}

# Exit code 2: nothing on standard output, one line on standard error that says why.
sub cannot_ok {
    my ($run, $why, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($run->{code} eq 2 && $run->{out} eq '' && $run->{err} =~ /\Aratingsctl: .*$why.*\n\z/, $name) or diag(transcript($run));
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
        or diag($report->{transcript});
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
        ok($run->{code} eq 0 && $run->{out} =~ /\Aratingsctl $command .*: \w.*\n\n  --.*^Exit code\n  0  /ms && $run->{err} eq '', "$command --help") or diag(transcript($run));
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
    cannot_ok(ctl('audit', '--store-ca', '/etc/ca.pem'), '--store-ca and its like are for a store at rediss://', 'options of TLS for a store without');
    unlike(transcript(raw('redis://user:s3cr3t@host')), qr/s3cr3t/, 'a word that is no command is not repeated');
    my ($as_command, $as_name) = (ctl('audit', '--json'), run_program($ENV{RATINGS_AUDIT}, '--topic', $topic, '--store', $store, '--json'));
    is($as_name->{out}, $as_command->{out}, 'ratings-audit is a name for its audit');
    is($as_command->{code}, 0, 'which agrees');
}

# ---- status ----

# Exit code 1, and a problem of that kind.
sub has_problem_ok {
    my ($report, $problem, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($report->{code} eq 1 && !$report->{healthy} && (grep { $_ =~ $problem } @{ $report->{problems} }), $name) or diag($report->{transcript});
}

sub backends { my ($report) = @_; return { map { my $it = $report->{backends}{$_}; $_ => $it->{reached} ? 'reached' : $it->{asked} ? 'not reached' : 'not asked' } keys %{ $report->{backends} } } }

{
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    settled_ok('which is applied');
    my $report = report('status');
    ok($report->{code} eq 0 && $report->{healthy} && !@{ $report->{problems} }, 'status: all is as it should be') or diag($report->{transcript});
    is_deeply(backends($report), { map { $_ => 'reached' } qw(talks stats stream store) }, 'each backend is reached');
    is(scalar(grep { !($_->{ms} > 0) } values %{ $report->{backends} }), 0, 'which takes its time');
    my ($host, $process) = split /:/, hand('GET', 'ratings:projector');
    is_deeply([ @{ $report->{leader} }{qw(host process)} ], [ $host, $process ], 'the leader is who holds the lease');
    cmp_ok($report->{leader}{leaseMs}, '>', 0, 'for some time');
    my %log = %{ redis(database => $database)->hash('ratings:log') };
    is_deeply([ map { $_->{checkpoint} } @{ $report->{partitions} } ], [ map { $log{"position:$_"} } 0 .. 3 ], 'checkpoints are those of the store');
    is(scalar(grep { $_->{lag} || $_->{lagSeconds} || $_->{logEnd} != $_->{checkpoint} } @{ $report->{partitions} }), 0, 'without a lag');
    is($report->{store}{generation}, $log{generation}, 'of this generation');
    my $text = ctl('status');
    ok($text->{code} eq 0 && $text->{out} =~ /^stream  Kafka +reached in [\d.]+ ms\n.*^leader  process $process of host $host, .*^healthy\n/ms, 'as text') or diag(transcript($text));

    $httpd->stop;
    my ($partition) = map { $_->{partition} } records_of($talk);
    write_event($partition, $talk, 4);
    ok(wait_until(sub { !hand('EXISTS', 'ratings:projector') }, $patience), 'nobody leads');
    $report = report('status');
    has_problem_ok($report, qr/no projector holds the lease/, 'which is a problem');
    my $lag = $report->{partitions}[$partition];
    ok($lag->{lag} == 1 && $lag->{lagSeconds} > 0 && $lag->{lagSeconds} < 600, 'the lag in records and in seconds') or diag($report->{transcript});
    has_problem_ok(report('status', '--max-lag', 0), qr/partition $partition: the store has not applied what is \d+ s old/, 'a lag beyond the limit is a problem')
        if wait_until(sub { report('status')->{partitions}[$partition]{lagSeconds} >= 1 }, 10);
    like(ctl('status')->{out}, qr/^leader  none\n.*^ +$partition .* 1 +\d+\.\d\n.*^problem: no projector.*^NOT HEALTHY\n/ms, 'as text');
    $httpd->start;
    settled_ok('it is applied when the service runs');
    is(report('status')->{code}, 0, 'and all is as it should be');
}

{
    my $secret = 's3cr3t';
    for my $row (
        [ 'talks',  '--talks',   "postgres://nobody:$secret\@127.0.0.1:1/talks",     qr/PostgreSQL: .*refused/ ],
        [ 'talks',  '--talks',   "postgres://nobody:a/$secret\@127.0.0.1/talks",    qr/PostgreSQL: its address cannot be read/ ],
        [ 'talks',  '--talks',   "postgres://nobody:a\@$secret\@127.0.0.1/talks",   qr/PostgreSQL: its address cannot be read/ ],
        [ 'talks',  '--talks',   "postgres//nobody:$secret",                         qr/PostgreSQL: its address cannot be read/ ],
        [ 'stats',  '--stats',   "http://nobody:$secret\@127.0.0.1:1/",              qr/the statistics function: .*connect/ ],
        [ 'stats',  '--stats',   "http://127.0.0.1:@{[ $httpd->port ]}/?code=$secret", qr/the statistics function: the answer has status \d+/ ],
        [ 'store',  '--store',   "redis://:$secret\@127.0.0.1:1",                    qr/Redis at .*refused/ ],
        [ 'stream', '--brokers', '127.0.0.1:1',                                      qr/Kafka at .*refused/ ],
        )
    {
        my ($backend, $option, $value, $problem) = @$row;
        my $report = report('status', $option, $value);
        has_problem_ok($report, $problem, "$backend is not reached, which is a problem");
        is($report->{backends}{$backend}{reached} ? 1 : 0, 0, "$backend is not reached");
        unlike($report->{transcript} . transcript(ctl('status', $option, $value)), qr/$secret/, 'no password is shown');
    }
    local @ENV{qw(TALKS_CONNECTION RATINGS_LAMBDA_URL)};
    delete @ENV{qw(TALKS_CONNECTION RATINGS_LAMBDA_URL)};
    my $report = report('status');
    is_deeply([ $report->{code}, backends($report) ], [ 0, { talks => 'not asked', stats => 'not asked', stream => 'reached', store => 'reached' } ], 'backends that nobody names are not asked') or diag($report->{transcript});
}

{
    my @away = (qr/RT020[1-9]: /, qr/RT030[12]: /, qr/RT0306: /, qr/RT0311: /, qr/RT0501: request \S+ answered with (202|50[34])/);
    expect_log(@away);
    $httpd->expect_log(@away);
    for my $row ([ postgres => 'talks' ], [ lambda => 'stats' ], [ kafka => 'stream' ], [ redis => 'store' ]) {
        my ($server, $backend) = @$row;
        stack('pause', $server);
        my $begun  = time;
        my $report = report('status', '--timeout', 2);
        cmp_ok(time - $begun, '<', 20, "$server hangs: status ends soon");
        stack('resume', $server);
        is(backends($report)->{$backend}, 'not reached', "$server hangs: it is not reached") or diag($report->{transcript});
    }
    my $report;
    ok(wait_until(sub { $report = report('status'); $report->{code} eq 0 }, $patience), 'all is as it should be again') or diag($report->{transcript});
}

# The Lambda is asked as the service asks it: one that knows its caller answers no other.
{
    my $secret   = 's3cr3t-of-the-lambda';
    my $listener = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.1') or die "socket: $!";
    my $pid      = fork // die "fork: $!";
    if (!$pid) {
        alarm 120;
        while (my $client = $listener->accept) {
            my $request = '';
            sysread $client, $request, 4096, length $request or last until $request =~ /\r\n\r\n.*\}\}/s;
            my $known = $request =~ /^X-Key: \Q$secret\E\r$/m || $request =~ m{^Authorization: AWS4-HMAC-SHA256 Credential=AKIDOFTHETEST/\d{8}/eu-central-1/lambda/}m;
            my $body  = $known ? '{"avg":0,"totalCount":0}' : '{}';
            print {$client} 'HTTP/1.1 ' . ($known ? '200 OK' : '403 Forbidden') . "\r\nContent-Length: @{[ length $body ]}\r\nConnection: close\r\n\r\n$body";
            close $client;
        }
        POSIX::_exit(0);
    }
    my $url  = 'http://127.0.0.1:' . $listener->sockport . '/';
    my $file = secret_file('ctl-header', "$secret\n");
    local @ENV{qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY)} = ('AKIDOFTHETEST', "$secret-of-aws");
    for my $row (
        [ 'neither header nor signature', 'not reached' ],
        [ 'another header',               'not reached', '--stats-header', 'X-Key: another' ],
        [ 'the header',                   'reached', '--stats-header', "X-Key: $secret" ],
        [ 'the header of a file',         'reached', '--stats-header', "X-Key: file:$file" ],
        [ 'a signature',                  'reached', '--stats-auth', 'aws-sigv4:eu-central-1' ],
        )
    {
        my ($name, $expected, @options) = @$row;
        my $report = report('status', '--stats', $url, @options);
        is(backends($report)->{stats}, $expected, "a Lambda that knows its caller: $name") or diag($report->{transcript});
        unlike($report->{transcript}, qr/\Q$secret\E/, 'no secret is shown');
    }
    cannot_ok(ctl('status', '--stats-header', "X-Key:$secret"), '--stats-header: it takes', 'a header that is none');
    cannot_ok(ctl('status', '--stats-header', 'Host: a'), '--stats-header: the header of this name is set', 'a header that HTTP sets');
    cannot_ok(ctl('status', '--stats-auth', 'basic'), '--stats-auth: ', 'an authentication that is none');
    my $report = report('status', '--stats', $url, '--stats-header', "X-Key: file:$file-none");
    is(backends($report)->{stats}, 'not reached', 'a file that is not there') or diag($report->{transcript});
    kill 'KILL', $pid;
    waitpid $pid, 0;
    unlink $file;
}

# What is in the store may be anything: it is shown all the same, and does nothing to a terminal.
{
    my $foreign = redis(database => 13);
    $foreign->call('FLUSHDB');
    $foreign->call('HSET', 'ratings:log', 'topic', "\xFF\e[2J", 'generation', "\xC3\x28\n", 'partitions', 4, 'behind', 1);
    $foreign->call('SET', 'ratings:projector', "\xFF:1:", 'PX', 600_000);
    my @there  = ('--store', "$ENV{RATINGS_CONNECTION}/13");
    my $report = report('status', @there);
    has_problem_ok($report, qr/the store is being rebuilt/, 'a store with foreign texts: status with --json');
    is_deeply([ @{ $report->{store} }{qw(topic generation)} ], [ '??[2J', '?(?' ], 'has them as far as they can be shown') or diag($report->{transcript});
    $foreign->call('HDEL', 'ratings:log', 'behind');
    has_problem_ok(report('status', @there), qr/the store holds the ratings of topic '\?\?\[2J', not of/, 'also in what is wrong');
    unlike(transcript(ctl($_, @there)), qr/[\xFF\e]/, "$_ as text") for qw(status audit);
    $foreign->call('FLUSHDB');
}

# A report for a standard output that is closed goes nowhere, least of all into a connection.
{
    my $silent = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "socket: $!";
    my $line   = qq("$ENV{RATINGSCTL}" status --timeout 5 --topic $topic --store redis://127.0.0.1:@{[ $silent->sockport ]});
    my $pid    = fork // die "fork: $!";
    if (!$pid) { exec 'sh', '-c', "exec $line <&- >&- 2>&-" or POSIX::_exit(127) }
    my $connection = $silent->accept;
    is_deeply([ map { readlink("/proc/$pid/fd/$_") // 'closed' } 0 .. 2 ], [ ('/dev/null') x 3 ], 'what is closed is no connection');
    waitpid $pid, 0;
    is($? >> 8, 2, 'and no report is an error');
    close $connection;
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
    is($report->{code}, 0, 'explain: exit code 0 when log and store agree') or diag($report->{transcript});
    my @events = @{ $report->{events} };
    is_deeply([ map { [ @$_{qw(partition offset)} ] } @events ], [ map { [ @$_{qw(partition offset)} ] } @records ], 'it has the records of the talk, and no other');
    is_deeply([ map { $_->{value} } @events ], [ 4, 5, 5, 2, 3, 3 ], 'with their values');
    is_deeply([ map { $_->{verdict} } @events ], [qw(counted counted repeated conflict counted duplicate)], 'and what became of each');
    is_deeply([ map { $_->{by} } @events[ 2, 3, 5 ] ], [ map { $records[$_]{offset} } 1, 1, 4 ], 'and which event counted in its place');
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
    is_deeply([ $report->{problem}, $report->{counts}{store} ], [ 'its counts differ', { %{ counts(3, 4, 5) }, 1 => 7 } ], 'with what it has') or diag($report->{transcript});
    like(ctl('explain', $talk)->{out}, qr/^DIFFER: its counts differ$/m, 'as text');
    is(ctl('repair')->{code}, 0, 'repaired');

    # what it has not applied
    $httpd->stop;
    write_event($partition, $talk, 1);
    $report = report('explain', $talk);
    is($report->{code}, 0, 'an event that is not applied is no difference') or diag($report->{transcript});
    is_deeply([ @{ $report->{events}[-1] }{qw(value verdict)}, $report->{events}[-1]{applied} ? 'applied' : 'not yet' ], [ 1, 'counted', 'not yet' ], 'and is reported');
    like(ctl('explain', $talk)->{out}, qr/ counted; the store has not applied it yet$/m, 'as text');
    $httpd->start;
    settled_ok('it is applied');

    $report = report('explain', 'nobody-rated-this');
    is_deeply([ @$report{qw(code events)}, $report->{counts}{log} ], [ 0, [], counts() ], 'a talk without events');
    cannot_ok(ctl('explain'), 'explain takes one word', 'no talk');
    cannot_ok(ctl('explain', $talk, $other), 'explain takes one word', 'two of them');
    cannot_ok(ctl('explain', "a\nb"), 'explain takes the id of a talk', 'a talk that is none');
}

# Of voters: what they change and withdraw.
{
    my $talk = new_talk();
    my ($ann, $bob) = ('a' x 32, 'b' x 32);
    is(rate($talk, 1, @at)->status, 200, 'an anonymous rating');
    my ($partition) = map { $_->{partition} } records_of($talk);
    my $vote = sub { my ($voter, $value) = @_; topic_write($talk, to_json({ version => 1, talkId => $talk, value => $value, voter => $voter }), '-t', $topic, '-p', $partition) };
    $vote->(@$_) for [ $ann, 5 ], [ $bob, 4 ], [ $ann, 3 ], [ $bob, undef ], [ $bob, undef ], [ $bob, 2 ];
    settled_ok('all is applied');
    my $report = report('explain', $talk);
    is($report->{code}, 0, 'explain of a talk with voters') or diag($report->{transcript});
    my @at_offset = map { $_->{offset} } @{ $report->{events} };
    is_deeply([ map { [ @$_{qw(voter value verdict by)} ] } @{ $report->{events} } ], [
        [ undef, 1, 'counted', undef ], [ $ann, 5, 'replaced', $at_offset[3] ], [ $bob, 4, 'withdrawn', $at_offset[4] ], [ $ann, 3, 'counted', undef ],
        [ $bob, undef, 'withdrawal', $at_offset[2] ], [ $bob, undef, 'withdrawal', undef ], [ $bob, 2, 'counted', undef ],
    ], 'says what was replaced and withdrawn, and by which event') or diag($report->{transcript});
    is_deeply($report->{counts}, { log => counts(1, 2, 3), store => counts(1, 2, 3) }, 'and each voter counts once');
    my $out = ctl('explain', $talk)->{out};
    like($out, qr/ 5  $ann  not counted: its voter changed it, at offset $at_offset[3]$/m, 'as text: a rating that was changed');
    like($out, qr/ 4  $bob  not counted: its voter withdrew it, at offset $at_offset[4]$/m, 'one that was withdrawn');
    like($out, qr/ -  $bob  withdraws the voter's rating, of offset $at_offset[2]$/m, 'a withdrawal');
    like($out, qr/ -  $bob  withdraws the voter's rating$/m, 'one of nothing');
    $httpd->stop;
    $vote->($ann, 4);
    $out = ctl('explain', $talk)->{out};
    like($out, qr/ 3  $ann  not counted: its voter changed it, at offset \d+, which the store has not applied yet$/m, 'a change that is not applied');
    like($out, qr/^    log        1: 1  2: 1  3: 1  4: 0  5: 0\n    store      1: 1  2: 1  3: 1  4: 0  5: 0$/m, 'does not count yet');
    $httpd->start;
    settled_ok('it is applied');
}

# ---- export ----

# The lines of RFC 4180, without what guards a spreadsheet
sub csv {
    my ($text) = @_;
    my ($names, @rows) = map { [ /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g ] } split /\r\n/, $text;
    my @cells = sub { my @pairs = @_; return map { my ($quoted, $plain) = @pairs[ 2 * $_, 2 * $_ + 1 ]; $quoted // $plain } 0 .. $#pairs / 2 };
    my $read  = sub { return map { s/""/"/g; s/^'//; $_ } $cells[0]->(@{ $_[0] }) };
    my @name  = $read->($names);
    return map { my @cell = $read->($_); +{ map { $name[$_] => $cell[$_] } 0 .. $#name } } @rows;
}

sub exported { my $run = ctl('export', @_); return map { json($_) } split /\n/, $run->{out} }
sub value_in { my ($payload) = @_; utf8::encode($payload); return json($payload)->{value} }
sub rfc3339 { my ($ms) = @_; my @t = gmtime($ms / 1000); return sprintf '%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', $t[5] + 1900, $t[4] + 1, @t[ 3, 2, 1, 0 ], $ms % 1000 }
sub counts_of { my ($row) = @_; return $row && { map { $_ => $row->{$_} } 1 .. 5 } }

{
    my @odd = map { "$_-$$-" . time } '=1+1', '+1', "-1, \"quoted\"", '@SUM(A1)', "'apostrophe", 'back\\slash', "Vortr\xC3\xA4ge";
    new_talks(undef, @odd);
    post('{"talkId":"' . s/(["\\])/\\$1/gr . '","value":5}', @at)->status =~ /^20[02]$/ or die "$_ could not be rated" for @odd;
    settled_ok('all is applied');
    my %stored = map { my $key = $_; $key =~ m{^ratings/(.*)}s ? ($1 => counts_of({ %{ counts() }, %{ redis(database => $database)->hash($key) } })) : () } @{ hand('KEYS', 'ratings/*') };
    my $run  = ctl('export', 'ratings');
    my @rows = csv($run->{out});
    ok($run->{code} eq 0 && $run->{err} eq '', 'export ratings') or diag(transcript($run));
    is_deeply({ map { $_->{talk} => counts_of($_) } @rows }, \%stored, 'it has a line for each talk, with the counts of the store');
    is_deeply([ map { $_->{talk} } @rows ], [ sort map { $_->{talk} } @rows ], 'sorted by the ids');
    my $wrong = grep { my $row = $_; my ($n, $sum) = (0, 0); for (1 .. 5) { $n += $row->{$_}; $sum += $_ * $row->{$_} } $row->{total} != $n || abs($row->{average} - $sum / $n) > 1e-12 } @rows;
    is($wrong, 0, 'total and average are those of the counts');
    # src/core/ranking.h
    my $off_interval = sub {
        my ($row, @n) = @_;
        my ($all, $sum, $squares) = (0, 0, 0);
        $n[ $_ - 1 ] += $row->{$_} for 1 .. 5;
        for (1 .. 5) { $all += $n[ $_ - 1 ]; $sum += $_ * $n[ $_ - 1 ] }
        $squares += $n[ $_ - 1 ] * ($_ - $sum / $all)**2 for 1 .. 5;
        my $reach = 1.65 * sqrt($squares / $all / ($all + 1));
        return abs($row->{low} - $sum / $all + $reach) > 1e-12 || abs($row->{high} - $sum / $all - $reach) > 1e-12;
    };
    is(scalar(grep { $off_interval->($_, (1) x 5) } @rows), 0, 'so is the interval, by a prior of one rating of each value');
    is(scalar(grep { $off_interval->($_, 1, 1, 3, 8, 7) } csv(ctl('export', 'ratings', '--prior', '1,1,3,8,7')->{out})), 0, 'or by another prior');
    like($run->{out}, qr/\Atalk,1,2,3,4,5,total,average,low,high\r\n/, 'the first line has the names');
    unlike($run->{out}, qr/^"?[=+\-@]/m, 'no cell begins as a formula does');
    my $plain = sub { my %row = (%{ $_[0] }, map { $_ => sprintf '%.10g', $_[0]{$_} } qw(average low high)); return { map { $_ => "$row{$_}" } keys %row } };
    is_deeply([ map { $plain->($_) } exported('ratings', '--format', 'ndjson') ], [ map { my $row = $plain->($_); utf8::decode($row->{talk}); $row } @rows ],
        'as NDJSON it has the same, and ids as they are');

    my @records = grep { ($_->{key} // '') ne 'ratings:routing' } topic_since(0, $topic);
    my @events  = exported('events', '--format', 'ndjson');
    my $places  = sub { return [ sort map { join ' ', @$_{qw(partition offset)} } @_ ] };
    is_deeply($places->(@events), $places->(@records), 'export events has the records of the log');
    my %record = map { ("$_->{partition} $_->{offset}" => $_) } @records;
    is(scalar(grep { my $r = $record{"$_->{partition} $_->{offset}"}; $_->{time} ne rfc3339($r->{ts}) || $_->{talk} ne $r->{key} || ($_->{value} // 0) != (value_in($r->{payload}) // 0) } @events),
        0, 'with their times, talks and values');
    is_deeply([ sort keys %{ { map { defined $_->{voter} ? ($_->{voter} => 1) : () } @events } } ], [ 'a' x 32, 'b' x 32 ], 'and their voters');
    my %counted;
    my %of_voters = map { defined $_->{voter} ? ($_->{talk} => 1) : () } @events;
    for (grep { !$of_voters{ $_->{talk} } } @events) { $counted{ $_->{talk} } //= counts(); $counted{ $_->{talk} }{ $_->{value} }++ if $_->{verdict} eq 'counted' }
    is_deeply(\%counted, { map { my $id = $_; utf8::decode($id); $of_voters{$id} ? () : ($id => $stored{$_}) } keys %stored }, 'those that counted are the counts');
    is_deeply([ sort keys %{ { map { $_->{verdict} => 1 } @events } } ], [qw(conflict counted duplicate repeated)], 'and the others are named');
    is(scalar(csv(ctl('export', 'events')->{out})), scalar @events, 'as CSV it has as many lines');
}

# As it was: by the times that Kafka gave the records.
{
    my $talk = new_talk();
    for my $value (1, 2, 3) { rate($talk, $value, @at)->status =~ /^20[02]$/ or die "$talk could not be rated"; sleep 0.05 }
    my @ts = map { $_->{ts} } records_of($talk);
    my $at = sub { my ($ms) = @_; my ($row) = grep { $_->{talk} eq $talk } exported('ratings', '--format', 'ndjson', '--at', rfc3339($ms)); return counts_of($row) };
    is_deeply([ map { $at->($_) } $ts[0] - 1, $ts[0], $ts[1] - 1, $ts[1], $ts[2], $ts[2] + 1000 ], [ undef, counts(1), counts(1), counts(1, 2), counts(1, 2, 3), counts(1, 2, 3) ],
        '--at: the counts as they were, to the millisecond');
    is(scalar(grep { $_->{talk} eq $talk } exported('events', '--format', 'ndjson', '--at', rfc3339($ts[1]))), 2, 'and the events until then');
    is(ctl('export', 'events', '--format', 'ndjson', '--at', '1971-01-01T00:00:00Z')->{out}, '', 'before the first one there is nothing');
    my $east = rfc3339($ts[0] + 3600_000) =~ s/Z$/+01:00/r;
    my ($row) = grep { $_->{talk} eq $talk } exported('ratings', '--format', 'ndjson', '--at', $east);
    is_deeply(counts_of($row), counts(1), 'a time may have an offset');
}

{
    cannot_ok(ctl('export'), 'export takes one word', 'export of nothing');
    cannot_ok(ctl('export', 'talks'), 'export takes ratings or events', 'of what there is not');
    cannot_ok(ctl('export', 'ratings', '--format', 'xml'), '--format takes csv or ndjson', 'in a format that there is not');
    cannot_ok(ctl('export', 'ratings', '--prior', '1,1,1,1'), '--prior takes five whole numbers', 'by a prior that is none');
    cannot_ok(ctl('export', 'ratings', '--at', 'yesterday'), '--at takes a time', 'at a time that is none');
    cannot_ok(raw('export', 'ratings', '--topic', 'no-such-topic'), "there is no topic 'no-such-topic'", 'of a topic that there is not');
    for my $what (qw(ratings events)) {
        my $code = system qq("$ENV{RATINGSCTL}" export $what --topic $topic >/dev/full 2>/dev/null);
        is($code >> 8, 2, "an export of $what that cannot be written is a 2");
    }
}

# ---- how far it is ----

{
    my $run = on_terminal('', "$ENV{RATINGSCTL} audit --topic $topic --store $store");
    ok($run->{code} eq 0 && $run->{out} =~ /\rreading the log \[[= ]+\] +\d+%  \d+ of \d+.*^agree/ms, 'on a terminal it shows how far it has read') or diag(transcript($run));
    is(ctl('audit')->{err}, '', 'and nothing elsewhere');
    $run = on_terminal('', "$ENV{RATINGSCTL} export events --topic $topic >/dev/null");
    like($run->{out}, qr/reading the log/, 'so does an export into a file');
    $run = on_terminal('', "$ENV{RATINGSCTL} export ratings --topic $topic");
    unlike($run->{out}, qr/reading the log/, 'but none that is shown on the terminal itself');
}

# ---- rebuild ----

{
    my $talk   = new_talk();
    my $before = report('audit')->{generation};
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    cannot_ok(ctl('rebuild'), 'there is no terminal to ask on: say --yes', 'rebuild without a terminal asks for --yes');
    my $command = "$ENV{RATINGSCTL} rebuild --topic $topic --store $store";
    my $run     = on_terminal('n', $command);
    ok($run->{code} eq 2 && $run->{out} =~ /Rebuild it\? .*nothing was done/s, 'on a terminal it asks, and takes no for an answer') or diag(transcript($run));
    is(hand('HEXISTS', 'ratings:log', 'suspect'), 0, 'nothing is requested');
    $run = on_terminal('y', $command);
    ok($run->{code} eq 0 && $run->{out} =~ /Rebuild it\? .*a rebuild is requested: /s, 'and yes') or diag(transcript($run));
    $httpd->expect_log(qr/RT0305: the store is rebuilt from the log \((it was requested by ratingsctl rebuild|the store is empty or was lost)\)/, qr/RT0501: request \S+ answered with (202|503)/);
    my $generation;
    ok(wait_until(sub { $generation = report('audit')->{generation} // ''; $generation && $generation ne $before }, $patience), 'the service rebuilds the store');
    settled_ok('and it agrees with the log');
    is(report('explain', $talk)->{counts}{store}{5}, 1, 'with what was rated before');

    # for a service that does not run
    $httpd->stop;
    is(ctl('rebuild', '--yes')->{code}, 0, 'a rebuild can be requested of a service that does not run');
    is(report('audit')->{generation}, $generation, 'until it does, the store stays');
    has_problem_ok(report('status'), qr/a rebuild of the store is requested, and not begun/, 'which status shows');
    $httpd->start;
    ok(wait_until(sub { my $now = report('audit')->{generation} // ''; $now && $now ne $generation }, $patience), 'which rebuilds it when it starts');
    settled_ok('before the store is lost');
    $httpd->stop;
    hand('DEL', 'ratings:log');
    has_problem_ok(report('status'), qr/the store has no ratings:log/, 'status shows that the store was lost');
    $run = ctl('rebuild', '--yes');
    ok($run->{code} eq 0 && $run->{out} =~ /^the store was lost, and needs no request/, 'which needs no request') or diag(transcript($run));
    $httpd->start;
    settled_ok('the service makes it anew');
    cannot_ok(raw('rebuild', '--yes', '--topic', 'another', '--store', $store), "the store holds the ratings of topic '$topic', not of 'another'", 'not for another topic');
}

settled_ok('all is well at the end');
$httpd->stop;
finish();
