# ratingsctl check: each thing that a configuration may have wrong is found before httpd is restarted with it, in words that
# name it, and no secret is shown.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;
use RatingsTest::RedisServer ();
use RatingsTest::Windows;

my $topic    = 'ratings-check-' . int(time) . "-$$";
my $database = 11;
my $secret   = 'Xs3cr3tX-4711';
my @limit    = ('--timeout', 10);

# ---- configurations, which differ from one that is right ----

my $httpd = own_httpd(name => 'check', topic => $topic, database => $database);
my $serial = 0;

sub backends_text { return RatingsTest::Httpd::backends(topic => $topic, database => $database) }

# The path of a configuration: the directives as they stand, then those given, of which the last counts.
sub config_with {
    my (@lines) = @_;
    my $conf = backends_text() . join('', map { "$_\n" } @lines) . RatingsTest::Httpd::locations();
    return RatingsTest::Httpd->new(name => 'check-' . ++$serial, conf => $conf)->{config};
}

sub check { return run_program($ENV{RATINGSCTL}, 'check', '--httpd', $ENV{TEST_HTTPD}, @limit, @_) }

sub report { my ($config) = @_; return check_report($config, @limit) }

sub verdicts {
    my ($report, $backend) = @_;
    return { map { $_->{subject} => $_->{verdict} } grep { $_->{backend} eq $backend } @{ $report->{findings} || [] } };
}

# The finding that is expected, the exit code that goes with it, and no secret anywhere.
sub finds_ok {
    my ($report, $backend, $subject, $verdict, $words, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $found = grep { $_->{backend} eq $backend && $_->{subject} eq $subject && $_->{verdict} eq $verdict && $_->{text} =~ $words } @{ $report->{findings} || [] };
    ok($found && $report->{code} eq ($verdict eq 'fail' ? 1 : 0) && $report->{transcript} !~ /\Q$secret\E/, $name) or diag($report->{transcript});
}

# Exit code 2: nothing on standard output, one line on standard error that says why.
sub cannot_ok {
    my ($run, $why, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($run->{code} eq 2 && $run->{out} eq '' && $run->{err} =~ /\Aratingsctl: .*$why.*\n\z/ && $run->{err} !~ /\Q$secret\E/, $name) or diag(transcript($run));
}

# ---- before the service has ever run: there is no topic ----

finds_ok(report(config_with()), 'stream', 'topic', 'warn', qr/there is no topic '$topic': the service makes one, with 4 partitions/, 'a topic that is missing');
finds_ok(report(config_with('RatingsTopicReplication 7')), 'stream', 'topic', 'fail', qr/the service cannot make it: .*replication/i, 'and cannot be made');

# ---- all is right ----

$httpd->start;
ok(wait_ready(port => $httpd->port), 'ready') or BAIL_OUT('the service does not become ready');
is(rate(new_talk(), 4, port => $httpd->port)->status, 200, 'a rating');

{
    my $report = report($httpd->{config});
    ok($report->{code} eq 0 && $report->{ready} && $report->{failed} == 0, 'while the service runs') or diag($report->{transcript});
    is_deeply([ $report->{services}, $report->{config} ], [ 1, $httpd->{config} ], 'of one service') or diag($report->{transcript});
    is(verdicts($report, $_)->{connection}, 'ok', "$_ is reached") for qw(talks store stream stats);
    is_deeply(verdicts($report, 'stats'), { map { $_ => 'ok' } qw(connection answer) }, 'the Lambda answers right');
    is(verdicts($report, 'store')->{$_}, 'ok', "store: $_") for qw(settings rights contents lease);
    is(verdicts($report, 'stream')->{$_}, 'ok', "stream: $_") for qw(topic retention timestamps leaders reading);
    is(verdicts($report, 'talks')->{$_}, 'ok', "talks: $_") for qw(server encoding table columns);
    is(scalar(grep { $_->{backend} ne 'files' && !($_->{ms} > 0) } @{ $report->{findings} }), 0, 'each with its time') or diag($report->{transcript});
    my $text = check($httpd->{config});
    note $text->{out};
    ok($text->{code} eq 0 && $text->{out} =~ /^talks   connection +ok +[\d.]+ ms  .*^store   rights +ok .*^stats   answer +ok .*^ready/ms && $text->{err} eq '', 'as text') or diag(transcript($text));
    my @events = topic_since(0, $topic);
    is(scalar(grep { defined $_->{key} && $_->{key} =~ /^t-/ } @events), 1, 'and the log has what it had');
    is(redis(database => $database)->call('EXISTS', 'ratings:check'), 0, 'as the store has');
}

# ---- what cannot be checked ----

{
    cannot_ok(check("$httpd->{config}-none"), 'cannot be read: No such file', 'a configuration that is not there');
    cannot_ok(check(config_with('RatingsNonsense On')), q{httpd does not take the configuration: .*Invalid command 'RatingsNonsense'}, 'one with an error');
    cannot_ok(check(config_with("RatingsStore http://x:$secret\@h")), 'httpd does not take the configuration: .*RatingsStore', 'one that the module refuses');
    cannot_ok(run_program($ENV{RATINGSCTL}, 'check', '--httpd', '/nonexistent/httpd', $httpd->{config}), 'there is no /nonexistent/httpd to run', 'no httpd');
    cannot_ok(run_program($ENV{RATINGSCTL}, 'check', '--httpd', '/bin/true', $httpd->{config}), 'does not load mod_ratings', 'a program that is no httpd');
    my $bare = RatingsTest::Httpd->new(name => 'check-bare', conf => '');
    cannot_ok(check($bare->{config}), 'names no backends', 'a configuration without a service');
    my $quiet = qx($ENV{TEST_HTTPD} -t -f $httpd->{config} 2>/dev/null);
    is($quiet, '', 'httpd -t alone asks nobody');
}

# ---- each backend down, or with a login that is refused ----

for my $row (
    [ talks  => 'RatingsTalks',  "postgres://nobody:$secret\@127.0.0.1:1/talks", qr/refused/ ],
    [ talks  => 'RatingsTalks',  $ENV{TALKS_CONNECTION} =~ s{//[^@]*@}{//nobody:$secret@}r, qr/nobody/ ],
    [ store  => 'RatingsStore',  "redis://:$secret\@127.0.0.1:1",               qr/refused/ ],
    [ stream => 'RatingsStream', '127.0.0.1:1',                                qr/refused|transport/i ],
    [ stats  => 'RatingsStats',  "http://user:$secret\@127.0.0.1:1/",           qr{^http://user:\*\*\*\@127\.0\.0\.1:1/: .*connect}i ],
    )
{
    my ($backend, $directive, $value, $words) = @$row;
    my $report = report(config_with(qq($directive "$value")));
    finds_ok($report, $backend, 'connection', 'fail', $words, "$directive that cannot be used");
    my @others = grep { $_ ne $backend && verdicts($report, $_)->{connection} ne 'ok' } qw(talks store stream stats);
    is_deeply(\@others, [], 'which is no matter of the others') or diag($report->{transcript});
}

# One that hangs holds up the others no longer than it may.
{
    expect_log(qr/RT020[1-9]: /, qr/RT030[12]: /, qr/RT0306: /, qr/RT0501: /);
    $httpd->expect_log(qr/RT020[1-9]: /, qr/RT030[12]: /, qr/RT0306: /, qr/RT0501: /);
    stack('pause', 'postgres');
    my $begun  = time;
    my $report = report(config_with());
    my $took   = time - $begun;
    stack('resume', 'postgres');
    is($report->{code}, 1, 'PostgreSQL hangs, which fails') or diag($report->{transcript});
    is((verdicts($report, 'talks')->{connection} // verdicts($report, 'talks')->{check}), 'fail', 'it is named') or diag($report->{transcript});
    is(verdicts($report, 'store')->{rights}, 'ok', 'the others were asked');
    cmp_ok($took, '<', 20, 'it ends in time');
}

# ---- PostgreSQL ----

{
    my $of = sub { my ($base) = @_; return report(config_with(qq(RatingsTalks "@{[ RatingsTest::Windows::connection_to($base) ]}"))) };
    make_database('check_bare', ', title text');
    my $report = $of->('check_bare');
    finds_ok($report, 'talks', 'columns', 'note', qr/no speakers, room, .* talks migrate/, 'columns that are missing');
    is(verdicts($report, 'talks')->{table}, 'warn', 'a table without talks');
    make_database('check_wrong', ', title text, opens_at text');
    finds_ok($of->('check_wrong'), 'talks', 'columns', 'fail', qr/opens_at is text in the place of timestamp with time zone/, 'a column of another type');
    in_database('check_wrong', 'drop table talks; create table talks (id integer)');
    finds_ok($of->('check_wrong'), 'talks', 'table', 'fail', qr/column "uuid" does not exist/, 'a table without uuid');
    make_database('check_none', '');
    in_database('check_none', 'drop table talks');
    finds_ok($of->('check_none'), 'talks', 'table', 'fail', qr/relation "talks" does not exist.*talks migrate/, 'no table');
    in_database('check_none', 'create table talks (uuid text, title text); insert into talks values ($$a$$, $$a$$)');
    finds_ok($of->('check_none'), 'talks', 'index', 'warn', qr/no index begins with uuid/, 'a table without an index');
    drop_databases();
}
{
    my ($port) = $ENV{TALKS_CONNECTION} =~ /:(\d+)\//;
    my $two    = $ENV{TALKS_CONNECTION} =~ s/@([^\/]+)\//\@127.0.0.1:1,$1\//r;
    my $report = report(config_with(qq(RatingsTalks "$two")));
    finds_ok($report, 'talks', 'host', 'warn', qr/127\.0\.0\.1 cannot be used/, 'of two hosts one is down');
    is(verdicts($report, 'talks')->{connection}, 'ok', 'and the other one answers') or diag($report->{transcript});
}

# ---- Redis ----

{
    my $redis = redis(database => $database);
    my ($line) = grep { /^ {4}ACL SETUSER ratings / } lines_of("$ENV{TEST_DOCS}/security.md");
    my @line = split ' ', $line;
    $line[2] = 'checker';
    $line[4] = ">$secret";
    is($redis->call(@line), 'OK', 'a user with the rights of the documents');
    (my $url = "$ENV{RATINGS_CONNECTION}/$database") =~ s{^redis://}{redis://checker:$secret\@};
    my $config = config_with("RatingsStore $url");
    my $report = report($config);
    finds_ok($report, 'store', 'rights', 'ok', qr/allowed/, 'which are enough');
    for my $command (map { /^\+(\w+)$/ && $1 !~ /^(echo|select|info)$/ ? $1 : () } @line) {
        $redis->call('ACL', 'SETUSER', 'checker', "-$command");
        my @expected = $command eq 'evalsha' ? ('warn', qr/EVALSHA is denied/) : ('fail', qr/is denied \U$command\E:/);
        finds_ok(report($config), 'store', 'rights', @expected, "$command is denied");
        $redis->call('ACL', 'SETUSER', 'checker', "+$command");
    }
    $redis->call('ACL', 'SETUSER', 'checker', "-$_") for qw(echo);
    finds_ok(report($config), 'store', 'connection', 'fail', qr/ECHO/i, 'echo is denied');
    $redis->call(qw(ACL SETUSER checker +echo resetkeys ~ratings:*));
    finds_ok(report($config), 'store', 'rights', 'fail', qr/keys: allow ~ratings/, 'keys are denied');
    $redis->call(qw(ACL DELUSER checker));
    finds_ok(report($config), 'store', 'connection', 'fail', qr/refuses the login/, 'no such user');
}
{
    my $other = RatingsTest::RedisServer->new(directory => "$ENV{TEST_LOGS}/redis-check", port => $ENV{HTTP_PORT} + 5)->start;
    my $config = config_with("RatingsStore redis://127.0.0.1:" . $other->port);
    finds_ok(report($config), 'store', 'contents', 'note', qr/nothing yet/, 'an empty Redis');
    $other->call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    finds_ok(report($config), 'store', 'settings', 'fail', qr/noeviction/, 'one that evicts');
    $other->call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    my ($host, $port) = $ENV{RATINGS_CONNECTION} =~ m{//([^:/]+):(\d+)};
    $other->call('REPLICAOF', $host, $port);
    ok(wait_until(sub { $other->call('INFO', 'replication') =~ /master_link_status:up/ }, 20), 'a replica');
    finds_ok(report($config), 'store', 'settings', 'fail', qr/read-only replica/, 'one that is a replica');
    $other->stop;
}

finds_ok(report(config_with("RatingsTopic $topic-2")), 'store', 'contents', 'fail', qr/holds the ratings of topic '$topic', not of '$topic-2'/, 'one of another topic');

# ---- Kafka ----

$httpd->expect_log(qr/RT0303: the topic has a finite retention/, qr/RT0307: topic '\S+' keeps no append times/);
set_topic($topic, add => 'retention.ms=60000');
ok(wait_until(sub { (verdicts(report(config_with()), 'stream')->{retention} // '') eq 'fail' }, 20), 'a short retention');
finds_ok(report(config_with()), 'stream', 'retention', 'fail', qr/finite retention \(retention\.ms\)/, 'is named');
set_topic($topic, add => 'retention.ms=-1,message.timestamp.type=CreateTime');
ok(wait_until(sub { (verdicts(report(config_with()), 'stream')->{timestamps} // '') eq 'warn' }, 20), 'CreateTime');
finds_ok(report(config_with()), 'stream', 'timestamps', 'warn', qr/not LogAppendTime: ratings with an Idempotency-Key are refused/, 'is named');

# ---- the Lambda ----

# A server that answers each request with the same; its port.
sub answers {
    my ($status, $body) = @_;
    my $listener = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.1') or die "socket: $!";
    my $port     = $listener->sockport;
    my $pid      = fork // die "fork: $!";
    return ($port, $pid) if $pid;
    alarm 60;
    while (my $client = $listener->accept) {
        my $read = '';
        sysread $client, $read, 4096, length $read until $read =~ /\r\n\r\n.*\}/s;
        print {$client} "HTTP/1.1 $status\r\nContent-Length: @{[ length $body ]}\r\nConnection: close\r\n\r\n$body";
        close $client;
    }
    POSIX::_exit(0);
}

for my $row (
    [ '200 OK', '{"avg":4.75,"totalCount":8}', qr/totalCount/ ],
    [ '200 OK', 'nonsense',                    qr/./ ],
    [ '403 Forbidden', '{}',                   qr/403/ ],
    )
{
    my ($status, $body, $words) = @$row;
    my ($port, $pid) = answers($status, $body);
    finds_ok(report(config_with("RatingsStats http://127.0.0.1:$port/?code=$secret")), 'stats', 'connection', 'fail', $words, "a Lambda that answers $status $body");
    kill 'KILL', $pid;
    waitpid $pid, 0;
}

# ---- files of secrets ----

{
    my $file = secret_file('check-secret', "$secret-" x 4);
    my $config = config_with("RatingsVoterSecret file:$file");
    finds_ok(report($config), 'files', 'RatingsVoterSecret', 'ok', qr/mode 0600/, 'the secret of voters');
    chmod 0640, $file;
    finds_ok(report($config), 'files', 'RatingsVoterSecret', 'warn', qr/its group may read/, 'which its group may read');
    chmod 0644, $file;
    cannot_ok(check($config), 'RatingsVoterSecret', 'and others: httpd does not take it');
    unlink $file;
}

# ---- two services ----

{
    my $two = config_with('<VirtualHost *:1>', 'ServerName other.example', "RatingsStore $ENV{RATINGS_CONNECTION}/13", "RatingsTopic $topic-other", '</VirtualHost>');
    my $report = report($two);
    is($report->{services}, 2, 'two services are checked') or diag($report->{transcript});
    is_deeply([ sort { $a cmp $b } keys %{ { map { $_->{server} => 1 } @{ $report->{findings} } } } ], [ '127.0.0.1', 'other.example' ], 'each by its server');
    like(check($two)->{out}, qr/^server 127\.0\.0\.1\n.*^server other\.example\n/ms, 'as text');
}

$httpd->stop;
finish();
