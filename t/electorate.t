# Which electorate votes: two hosts with different secrets on one log, a store that is lost, and a new electorate that is begun on purpose.
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use Test::More;
use RatingsTest;

my $patience = sanitized() ? 60 : 30;
my $topic    = 'ratings-electorate-' . int(time) . "-$$";
my $database = 12;
my $store    = "$ENV{RATINGS_CONNECTION}/$database";
my @secrets  = map { "the secret of host $_, of thirty-two bytes or more" } 1, 2;

sub path_of { my ($n) = @_; return "$ENV{TEST_LOGS}/electorate.$n" }
sub write_secret { my ($n, $text) = @_; return write_file(path_of($n), $text, 0600) }
sub name_of { my ($text) = @_; return substr hmac_sha256_hex("mod_ratings electorate\0$topic\0", $text), 0, 32 }

# Of two hosts, each with a secret of its own.
write_secret($_, $secrets[ $_ - 1 ]) for 1, 2;
my @hosts = map {
    own_httpd(
        name => "electorate$_", port => $_, topic => $topic, database => $database,
        conf => RatingsTest::Httpd::backends(topic => $topic, database => $database) . RatingsTest::Httpd::locations()
            . qq(RatingsVoterSecret "file:@{[path_of($_)]}"\n<Location "/ratings">\nRatingsVoter expr=%{HTTP:X-User}\n</Location>\n))
} 1, 2;

sub vote { my ($host, $talk, $value, $user) = @_; return rate($talk, $value, port => $host->port, headers => [ $user ? ('X-User' => $user) : () ]) }
sub counts { my ($host, $talk) = @_; my $answer = histogram_of($talk, port => $host->port) or return 'none'; return join '', map { $answer->{ratings}{$_} } 1 .. 5 }
sub records { return grep { ($_->{key} // '') eq 'ratings:electorate' } topic_since(0, $topic) }
sub stored { return redis(database => $database)->call('HGET', 'ratings:log', 'electorate') // '' }
sub refusals { my ($host) = @_; return scalar grep { /RT0319: / } $host->log->lines }
sub refused_voters { my ($host) = @_; return get('/metrics', port => $host->port)->body =~ /^ratings_voter_refusals_total (\d+)$/m ? $1 : 'none' }

sub electorate { return run_program($ENV{RATINGSCTL}, 'electorate', @_, '--topic', $topic, '--store', $store) }
sub shown { return json(electorate('--json')->{out}) // {} }
sub audit_ok {
    my ($name) = @_;
    my $run = run_program($ENV{RATINGSCTL}, 'audit', '--topic', $topic, '--store', $store);
    is($run->{code}, 0, $name) or diag(transcript($run));
    return;
}

for my $host (@hosts) {
    $host->expect_log(qr/RT0305: the store is rebuilt/, qr/RT0301: the projector is stalled/, qr/RT0319: RatingsVoterSecret is that of the electorate/, qr/RT0501: request \S+ answered with (202|503)/);
    $host->start;
}
ok(wait_ready(port => $_->port), $_->name . ' is ready') for @hosts;

# ---- two secrets: the first in the log wins, on both hosts ----

my ($in, $out, $first);
{
    ok(wait_until(sub { stored() }, $patience), 'an electorate votes');
    ($first) = stored() =~ /([0-9a-f]{32})$/;
    my ($winner) = grep { name_of($secrets[$_]) eq $first } 0, 1;
    ok(defined $winner, 'that of one of the secrets') or diag(stored());
    ($in, $out) = @hosts[ $winner, 1 - $winner ];
    my $talk = new_talk();
    ok(wait_until(sub { vote($in, $talk, 4, 'ann')->status == 200 }, $patience), 'the host that has it takes votes');
    ok(wait_until(sub { refusals($out) }, $patience), 'the other one logs that it does not');
    my $refused = vote($out, $talk, 5, 'ann');
    problem_ok($refused, 503, 'and answers voters with 503');
    ok($refused->header('Retry-After'), 'and Retry-After');
    is(vote($out, $talk, 5)->status, 200, 'who is no voter is counted');
    is(counts($_, $talk), '00011', 'nobody has voted twice, as ' . $_->name . ' says') for @hosts;
    is(refusals($out), 1, 'one line of the host');
    is(refusals($in),  0, 'and none of the other');
    is(refused_voters($out) . refused_voters($in), '10', 'the refusal is counted, where it was');

    my @records = records();
    my %headers = @{ $records[0]{headers} };
    is($headers{ce_type}, 'ratings.electorate.begun.v1', 'the record says what it is');
    is($records[0]{payload}, qq({"version":1,"electorate":"$first","follows":""}), 'which electorate begins, and that it is the first');
    my $shown = shown();
    is("$shown->{electorate} $shown->{offset}", "$first $records[0]{offset}", 'ratingsctl shows it');
    like(electorate()->{out}, qr/\Aelectorate $first, since offset \d+ of partition 0, 20\S+Z\n\z/, 'for people, too');
    audit_ok('store and log agree');
}

# ---- the store is lost: the log says the same again ----

{
    my $before = stored();
    redis(database => $database)->call('FLUSHDB');
    ok(wait_until(sub { stored() eq $before }, $patience), 'a rebuild gives the same electorate') or diag(stored());
    my $talk = new_talk();
    is(vote($out, $talk, 5, 'ben')->status, 503, 'the other secret is refused meanwhile, and after it');
    ok(wait_until(sub { vote($in, $talk, 3, 'ben')->status == 200 }, $patience), 'and the right one is not');
    is(scalar(records()), 1, 'nothing was appended');
}

# ---- ratings:log is changed by hand ----

{
    redis(database => $database)->call('HDEL', 'ratings:log', 'electorate');
    ok(wait_until(sub { stored() =~ /$first$/ }, $patience), 'an electorate that somebody has deleted is read anew');
    audit_ok('and is that of the log');
}

# ---- a new electorate, on purpose ----

{
    my $second = name_of($secrets[ $in == $hosts[0] ? 1 : 0 ]);
    my $number = $out == $hosts[0] ? 1 : 2;
    my $talk   = new_talk();
    ok(wait_until(sub { vote($in, $talk, 2, 'ann')->status == 200 }, $patience), 'a vote under the first') or diag('a host that does not lead reads what the store says twice a second');
    for (
        [ [ 'newer' ],                                      qr/electorate takes new, or no word/ ],
        [ [ 'new' ],                                        qr/--secret: electorate new takes the new secret by it/ ],
        [ [ 'new', '--secret', path_of($number) ],          qr/--secret: it takes file: and the absolute path/ ],
        [ [ 'new', '--secret', 'file:/no/such/file' ],      qr/the file of --secret: No such file/ ],
        [ [ 'new', '--secret', 'file:' . path_of($number) ], qr/there is no terminal to ask on: say --yes/ ],
        )
    {
        my ($words, $why) = @$_;
        my $run = electorate(@$words);
        ok($run->{code} eq 2 && $run->{out} eq '' && $run->{err} =~ /\Aratingsctl: .*$why.*\n\z/, "electorate @{[map { s{/\S+/}{}r } @$words]}: nothing is begun") or diag(transcript($run));
    }
    is(scalar(records()), 1, 'nor appended');
    my $run = electorate('new', '--secret', 'file:' . path_of($number), '--yes');
    ok($run->{code} eq 0 && $run->{out} =~ /\Aelectorate $second, since offset \d+/, 'a new electorate is begun') or diag(transcript($run));
    is((records())[1]{payload}, qq({"version":1,"electorate":"$second","follows":"$first"}), 'by a record that names the one before');
    ok(wait_until(sub { vote($out, $talk, 4, 'ann')->status == 200 }, $patience), 'the host with its secret takes votes now');
    ok(wait_until(sub { vote($in, $talk, 5, 'ann')->status == 503 }, $patience), 'and the other one does not') ;
    ok($out->log->has(qr/RT0320: /), 'which the error log says');
    is(refusals($in), 1, 'of both');
    is(counts($out, $talk), '01010', 'what was given before stays counted');
    is(electorate('new', '--secret', 'file:' . path_of($number), '--yes')->{code}, 0, 'the same again');
    is(scalar(records()), 2, 'appends nothing');
    topic_write('ratings:electorate', to_json({ version => 1, electorate => 'f' x 32, follows => $first }), '-t', $topic, '-p', 0);
    is(vote($out, $talk, 4, 'ann')->status, 200, 'a record that follows what does not stand any more');
    like(stored(), qr/$second$/, 'counts for nothing');
    audit_ok('store and log agree on that');
    redis(database => $database)->call('FLUSHDB');
    ok(wait_until(sub { stored() =~ /$second$/ }, $patience), 'in a rebuild as well');
    ok(wait_until(sub { counts($out, $talk) eq '01010' }, $patience), 'the counts are the same');
}

finish();
