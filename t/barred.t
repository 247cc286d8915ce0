# ratingsctl bar, unbar and erase: a voter's ratings are withdrawn, and while barred the voter gives none that count, on
# each host, whatever becomes of the store; all of it can be broken off and done again.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $patience   = sanitized() ? 60 : 30;
my $database   = 7;
my $topic      = 'ratings-barred-' . int(time) . "-$$";
my $partitions = 4; # as RatingsTest::Httpd has them
my $secret     = secret_file('barred.secret', 'b' x 40);

my $conf = RatingsTest::Httpd::backends(topic => $topic, database => $database) . RatingsTest::Httpd::locations()
    . qq(RatingsVoterSecret "file:$secret"\nRatingsIdempotencyWindow 600s\n<Location "/ratings">\nRatingsVoter expr=%{HTTP:X-User}\n</Location>\n);
my ($httpd, $other_host) = map { own_httpd(name => "barred$_", port => $_, database => $database, conf => $conf) } 1, 2;
my $redis = redis(database => $database);
$redis->call('FLUSHDB');
for my $host ($httpd, $other_host) {
    $host->expect_log(qr/RT0305: the store is rebuilt/, qr/RT0501: request \S+ answered with (202|503)/, qr/RT0301: the projector is stalled/,
        qr/RT0302: /, qr/RT0314: /);
}
$httpd->start;
ok(wait_ready(port => $httpd->port), 'ready') or BAIL_OUT('the service does not become ready');

# ---- clients ----

sub ask { my ($host, @request) = @_; return client(port => $host->port)->request(@request) }

sub vote_at {
    my ($host, $user, $value, $talk, @headers) = @_;
    return ask($host, 'POST', '/ratings', [ 'Content-Type' => 'application/json', 'X-User' => $user, @headers ],
        to_json({ talkId => $talk, value => $value }));
}
sub vote { return vote_at($httpd, @_) }
sub withdraw { my ($user, $talk) = @_; return ask($httpd, 'DELETE', "/ratings?talkId=$talk", [ 'X-User' => $user ])->status }

sub mine {
    my ($user, $talk) = @_;
    my $own;
    wait_until(sub { $own = ask($httpd, 'GET', "/ratings/mine?talkId=$talk", [ 'X-User' => $user ]); return $own->status != 503 }, $patience);
    return $own->status == 200 ? json($own->body)->{rating}{value} : $own->status;
}

# Counts and the own ratings of all talks: "00011 4 5" is one of each, ann's and ben's.
my @talks = map { new_talk() } 1 .. 4;
sub seen {
    my @seen;
    for my $talk (@talks) {
        my $answer;
        wait_until(sub { $answer = histogram_of($talk, port => $httpd->port) }, $patience);
        push @seen, join('', map { $answer->{ratings}{$_} // '?' } 1 .. 5) . ' ' . join ' ', map { mine($_, $talk) } qw(ann ben);
    }
    return join ', ', @seen;
}
sub all { return join ', ', ($_[0]) x @talks }

# ---- the program ----

my @at       = ('--topic', $topic, '--store', "$ENV{RATINGS_CONNECTION}/$database");
my @identity = ('--secret', "file:$secret");
sub ctl { return run_program($ENV{RATINGSCTL}, @_, @at) }
sub report { my $run = ctl(@_, '--json'); return { %{ json($run->{out}) || {} }, code => $run->{code}, transcript => transcript($run) } }

# What it says that it did: "changed 4, withdrawn 4, appended 8, exit code 0"
sub did {
    my $report = report(@_);
    return $report->{transcript} unless $report->{changed};
    return sprintf 'changed %d, withdrawn %d, appended %d, exit code %d', (map { scalar @{ $report->{$_} } } qw(changed withdrawn)),
        $report->{appended}, $report->{code};
}

sub cannot_ok {
    my ($run, $why, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok($run->{code} eq 2 && $run->{out} eq '' && $run->{err} =~ /\Aratingsctl: .*$why.*\n\z/, $name) or diag(transcript($run));
}

sub audit_agrees {
    my $run;
    wait_until(sub { $run = ctl('audit', '--json'); return $run->{code} == 0 && !grep { $_->{lag} } @{ json($run->{out})->{partitions} } }, $patience)
        and return 'agrees';
    return transcript($run);
}

sub records { return topic_since(0, $topic) }
sub rebuilds { return scalar grep { /RT0305: the store is rebuilt/ } $httpd->log->lines }

sub verdicts {
    my ($talk) = @_;
    my %counts;
    $counts{ $_->{verdict} }++ for @{ report('explain', $talk)->{events} };
    return join ' ', map { "$_:$counts{$_}" } sort keys %counts;
}

# ---- before ----

for my $talk (@talks) {
    is(vote('ann', 5, $talk)->status, 200, 'ann gives 5');
    is(vote('ben', 4, $talk)->status, 200, 'ben gives 4');
}
is(seen(), all('00011 5 4'), 'both count');
my $ann = report('explain', $talks[0])->{events}[0]{voter};
my $before = records();

# ---- what it does not do ----

cannot_ok(ctl('bar', 'ann', '--reason', 'a bot'), 'bar takes the 32 digits of a voter', 'a name is no hash');
cannot_ok(ctl('bar', $ann), 'bar takes --reason TEXT', 'a bar has a reason');
cannot_ok(ctl('bar', $ann, '--reason', "a\nbot"), '--reason takes 1 to 255 bytes', 'of one line');
cannot_ok(ctl('bar', $ann, '--reason', 'x' x 256), '--reason takes 1 to 255 bytes', 'which is short');
cannot_ok(ctl('bar', 'ann', '--reason', 'a bot', '--secret', $secret), '--secret: it takes file: and the absolute path', 'a secret is a file');
cannot_ok(ctl('bar', 'ann', '--reason', 'a bot', '--secret', "file:$secret.not"), 'the file of --secret: No such file', 'that is there');
{
    write_file("$secret.other", 'o' x 40, 0600);
    cannot_ok(ctl('bar', 'ann', '--reason', 'a bot', '--secret', "file:$secret.other"),
        'the secret is not that of the electorate which votes, and the log has no event of this voter', 'and the one of the voters');
}
cannot_ok(run_program($ENV{RATINGSCTL}, 'bar', $ann, '--reason', 'a bot', '--topic', 'ratings', '--store', "$ENV{RATINGS_CONNECTION}/$database"),
    "the store holds the ratings of topic '\Q$topic\E', not of 'ratings'", 'the log of another store stays as it is');
{
    my $run = ctl('bar', 'ann', '--reason', 'a bot', '--dry-run', @identity);
    is($run->{code}, 0, 'a dry run');
    like($run->{out}, qr/\Avoter $ann, 4 events in the log\nwould be barred in 4 of 4 partitions\nwould be withdrawn: 4 ratings\n/, 'finds the hash of an identity, and what stands');
    like($run->{out}, qr/^ {4}5 of talk \Q$_\E, partition [0-3]$/m, 'of each talk') for @talks;
    like($run->{out}, qr/^nothing is appended: --dry-run\n\z/m, 'and changes nothing');
}
is(scalar(records()), $before, 'nothing is in the log');
is(seen(), all('00011 5 4'), 'nor has anything changed');

# ---- barred ----

{
    my $run = ctl('bar', 'ann', '--reason', 'a "bot"', @identity);
    is($run->{code}, 0, 'ann is barred') or diag(transcript($run));
    like($run->{out}, qr/^barred in 4 of 4 partitions\nwithdrawn: 4 ratings\n/m, 'in each partition, and her ratings are withdrawn');
    like($run->{out}, qr/^8 records appended: the service has applied them\n\z/m, 'which the service has applied');
    my @bars = grep { $_->{key} eq 'ratings:barred' } records();
    is(join(' ', sort map { $_->{partition} } @bars), '0 1 2 3', 'a record in each partition');
    is_deeply(json($bars[0]{payload}), { version => 1, voter => $ann, barred => JSON::PP::true(), reason => 'a "bot"' }, 'says who, and why');
    my %headers = @{ $bars[0]{headers} };
    is("$headers{ce_type} $headers{ce_source}", 'ratings.voter.barred.v1 /ratingsctl', 'as an event of a type of its own');
    my ($withdrawn) = grep { $_->{payload} =~ /"value":null/ } records(); # in whichever order partitions are read
    my %withdrawal = @{ $withdrawn->{headers} };
    is("$withdrawal{ce_type} $withdrawal{ce_source}", 'ratings.rating.withdrawn.v1 /ratingsctl', 'a withdrawal is one like any other');
}
is(seen(), all('00010 404 4'), 'ann\'s ratings are gone, ben\'s stay');
is(problem_ok(vote('ann', 5, $talks[0]), 403, 'a rating of hers is refused')->{detail}, 'Ratings of this voter do not count.', 'with the reason, and not why she is barred');
problem_ok(vote('ann', 5, $talks[1], 'Idempotency-Key' => '"one"'), 403, 'with a key, too');
is(withdraw('ann', $talks[0]), 204, 'a withdrawal is not');
is(vote('ben', 3, $talks[3])->status, 200, 'ben changes his mind');
is(vote('ben', 4, $talks[3])->status, 200, 'and again');
is(rate($talks[3], 1, port => $httpd->port)->status, 200, 'somebody rates anonymously');
my $expected = join ', ', ('00010 404 4') x 3, '10010 404 4';
is(seen(), $expected, 'nothing else has changed');
is(verdicts($talks[0]), 'barred:1 counted:1 withdrawal:2 withdrawn:1', 'explain says what became of it');
is(verdicts($talks[1]), 'barred:1 counted:1 withdrawal:1 withdrawn:1', 'also with a key');
like(ctl('explain', $talks[0])->{out}, qr/ $ann  not counted: its voter is barred, by offset \d+\n/, 'and by which record');
is(audit_agrees(), 'agrees', 'the audit agrees');

# ---- on another host, which only follows ----

$other_host->start;
ok(wait_ready(port => $other_host->port), 'another host is ready');
problem_ok(vote_at($other_host, 'ann', 5, $talks[2]), 403, 'which refuses her rating, too');
is(vote_at($other_host, 'ben', 4, $talks[2])->status, 200, 'and takes ben\'s');
$other_host->stop;
is(seen(), $expected, 'nothing has changed');

# ---- again, and what was broken off ----

is(did('bar', $ann, '--reason', 'a bot'), 'changed 0, withdrawn 0, appended 0, exit code 0', 'done again, it appends nothing');
{
    is(vote('eve', 2, $_)->status, 200, 'eve gives 2') for @talks[0 .. 2];
    my $eve = report('explain', $talks[0])->{events}[-1]{voter};
    topic_write('ratings:barred', to_json({ version => 1, voter => $eve, barred => JSON::PP::true() }), '-t', $topic, '-p', $_) for 0, 2;
    my ($last) = grep { $_->{talk} eq $talks[1] } @{ report('bar', $eve, '--reason', 'x', '--dry-run')->{withdrawn} };
    topic_write($talks[1], to_json({ version => 1, talkId => $talks[1], value => undef, voter => $eve }), '-t', $topic, '-p', $last->{partition});
    is(did('bar', $eve, '--reason', 'x'), 'changed 2, withdrawn 2, appended 4, exit code 0', 'one that was broken off is finished');
    is(did('bar', $eve, '--reason', 'x'), 'changed 0, withdrawn 0, appended 0, exit code 0', 'once');
    problem_ok(vote('eve', 2, $talks[0]), 403, 'she is barred');
}
is(seen(), $expected, 'and none of her ratings is left');
{
    $httpd->stop;
    my $report = report('unbar', $ann, '--timeout', 3);
    is("$report->{code} $report->{appended} $report->{applied}", '1 4 0', 'while no service runs, it is in the log and not applied');
    is(did('bar', $ann, '--reason', 'a bot', '--timeout', 3), 'changed 4, withdrawn 0, appended 4, exit code 1', 'nor is the next');
    $httpd->start;
    is(did('bar', $ann, '--reason', 'a bot'), 'changed 0, withdrawn 0, appended 0, exit code 0', 'until one does');
    ok(wait_ready(port => $httpd->port), 'ready again');
    problem_ok(vote('ann', 5, $talks[0]), 403, 'the last of them holds');
}

# ---- whatever becomes of the store ----

is($redis->call('HLEN', "ratings:barred:$_"), 2, "the store bars both in partition $_") for 0 .. $partitions - 1;
my @damage = (
    [ 'the store is lost',              sub { $redis->call('FLUSHDB') } ],
    [ 'who is barred is lost',          sub { $redis->call('DEL', map { "ratings:barred:$_" } 0 .. $partitions - 1) } ],
    [ 'of another type',                sub { $redis->call('SET', "ratings:barred:$_", 'x') for 0 .. $partitions - 1 } ],
    [ 'one of them is missing',         sub { $redis->call('HDEL', "ratings:barred:$_", $ann) for 0 .. $partitions - 1 } ],
    [ 'somebody else is barred',        sub { $redis->call('HSET', "ratings:barred:$_", 'f' x 32, 1) for 0 .. $partitions - 1 } ],
    [ 'their number is another',        sub { $redis->call('HSET', 'ratings:log', "barred:$_", 1) for 0 .. $partitions - 1 } ],
);
for my $row (@damage) {
    my ($name, $damage) = @$row;
    my $rebuilds = rebuilds();
    $damage->();
    wait_until(sub { vote('ben', 4, $talks[0])->status == 200 && rebuilds() > $rebuilds }, $patience);
    is(rebuilds(), $rebuilds + 1, "$name: the store is rebuilt");
    is(seen(), $expected, 'with the same numbers');
    problem_ok(vote('ann', 5, $talks[0]), 403, 'and she is barred');
    is(audit_agrees(), 'agrees', 'as the audit says');
}

# What no number tells, the audit does.
$httpd->stop;
$redis->call('HDEL', 'ratings:barred:1', $ann);
$redis->call('HSET', 'ratings:barred:1', 'f' x 32, 1);
{
    my $run = ctl('audit');
    is($run->{code}, 1, 'another voter in her place is a difference');
    like($run->{out}, qr/^partition 1: the voters whom the store bars are not those of the log$/m, 'which the audit names');
}
$redis->call('FLUSHDB');
$httpd->start;
ok(wait_ready(port => $httpd->port), 'ready again');
is(audit_agrees(), 'agrees', 'and a rebuild mends');

# ---- no longer barred ----

is(did('unbar', 'ann', @identity, '--dry-run'), 'changed 4, withdrawn 0, appended 0, exit code 0', 'what unbar would do');
is(did('unbar', 'ann', @identity), 'changed 4, withdrawn 0, appended 4, exit code 0', 'she is barred no longer');
is(did('unbar', 'ann', @identity), 'changed 0, withdrawn 0, appended 0, exit code 0', 'done again, it appends nothing');
is(seen(), $expected, 'what was withdrawn stays withdrawn');
is(vote('ann', 1, $talks[0])->status, 200, 'she rates anew');
is(vote('ann', 5, $talks[1], 'Idempotency-Key' => '"one"')->status, 200, 'also with the key that was refused');
$expected = join ', ', '10010 1 4', '00011 5 4', '00010 404 4', '10010 404 4';
is(seen(), $expected, 'and both count');

# ---- erased ----

{
    is(did('erase', 'ben', @identity, '--dry-run'), 'changed 0, withdrawn 4, appended 0, exit code 0', 'what erase would do');
    my $run = ctl('erase', 'ben', @identity);
    is($run->{code}, 0, 'ben is erased') or diag(transcript($run));
    like($run->{out}, qr/^withdrawn: 4 ratings\n/m, 'his ratings are withdrawn');
    my ($ben) = $run->{out} =~ /\Avoter ([0-9a-f]{32}), /;
    my $remain = grep { ($_->{payload} // '') =~ /"voter":"$ben"/ } records();
    like($run->{out}, qr/^the log keeps $remain events with this hash, /m, 'and it says what remains');
    is(did('erase', $ben), 'changed 0, withdrawn 0, appended 0, exit code 0', 'done again, it appends nothing');
}
$expected = join ', ', '10000 1 404', '00001 5 404', '00000 404 404', '10000 404 404';
is(seen(), $expected, 'the others\' stay');
is(vote('ben', 3, $talks[2])->status, 200, 'he may rate anew');
$redis->call('FLUSHDB');
$expected =~ s/00000 404 404/00100 404 3/;
is(seen(), $expected, 'a store that was lost has the same numbers again');
is(audit_agrees(), 'agrees', 'by the audit, too');

$httpd->stop;
finish();
