# RatingsRankingPrior: the store ranks talks, each rating at once; turned on over a store with ratings, changed, turned off,
# lost, and by hosts that disagree.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest;

my $patience = 20;
my $topic    = 'ratings-ranking-' . int(time) . "-$$";
my $database = 14;
my $redis    = redis(database => $database);
my $secret   = secret_file('ranking.secret', "a secret of the tests, thirty-two bytes or more\n");
my $voters   = qq(RatingsVoterSecret "file:$secret"\n<Location "/ratings">\nRatingsVoter expr=%{HTTP:X-User}\n</Location>\n);

sub with_prior { my ($prior) = @_; return (topic => $topic, database => $database, before => $prior ? "RatingsRankingPrior $prior\n" : '', after => $voters) }

my $httpd = own_httpd(name => 'ranking', with_prior(''));
my @at    = (port => $httpd->port);
$httpd->expect_log(qr/RT030[15]: /);

# ---- what the store must have ----

# As src/core/ranking.h has it: Perl's numbers are doubles as well.
sub score {
    my ($prior, @counts) = @_;
    my @ratings = split /,/, $prior;
    my ($all, $sum, $squares) = (0, 0, 0);
    for my $v (1 .. 5) {
        $ratings[ $v - 1 ] += $counts[ $v - 1 ];
        $all += $ratings[ $v - 1 ];
        $sum += $v * $ratings[ $v - 1 ];
    }
    my $mean = $sum / $all;
    $squares += $ratings[ $_ - 1 ] * ($_ - $mean) * ($_ - $mean) for 1 .. 5;
    return $mean - 1.65 * sqrt($squares / $all / ($all + 1));
}

my %counts; # of each talk, as the test has rated it

sub rated {
    my ($talk, $value, @headers) = @_;
    my $status = rate($talk, $value, @at, headers => \@headers)->status;
    $counts{$talk} ||= [ (0) x 5 ];
    $counts{$talk}[ $value - 1 ]++ if !@headers;
    return $status;
}

# How the ranking differs from what it must be; '' for not at all.
sub differs {
    my ($prior) = @_;
    my %found = eval { @{ $redis->call(qw(ZRANGE ratings:top 0 -1 WITHSCORES)) } }; # of another type: none
    my @wrong = map { "$_ is ranked" } grep { !$counts{$_} } keys %found;
    for my $talk (keys %counts) {
        my $expected = score($prior, @{ $counts{$talk} });
        push @wrong, sprintf '%s: %s, not %.17g', $talk, $found{$talk} // 'none', $expected if !defined $found{$talk} || $found{$talk} != $expected;
    }
    my $log = $redis->hash('ratings:log');
    push @wrong, "the prior is '" . ($log->{ranking} // '') . "'" if ($log->{ranking} // '') ne $prior;
    push @wrong, 'not all are ranked' if exists $log->{rerank} || ($log->{ranked} // -1) != keys %counts;
    return join '; ', @wrong;
}

sub ranked_ok {
    my ($prior, $name) = @_;
    my $differs;
    ok(wait_until(sub { ($differs = differs($prior)) eq '' }, $patience), $name) or diag($differs);
}

sub unranked_ok {
    my ($name) = @_;
    my @left;
    ok(wait_until(sub { @left = ((grep { /rank/ } keys %{ $redis->hash('ratings:log') }), $redis->call(qw(EXISTS ratings:top)) ? 'the key' : ()); !@left }, $patience), $name)
        or diag("@left");
}

sub restart_with {
    my ($prior) = @_;
    $httpd->configure(with_prior($prior))->signal('USR1');
}

# ---- off ----

$redis->call('FLUSHDB');
$httpd->start;
ok(wait_ready(@at), 'ready') or BAIL_OUT('the service does not become ready');
my ($one, $forty, @some) = new_talks(12);
is(rated($one, 5), 200, 'one 5');
rated($forty, $_ % 5 ? 5 : 4) for 1 .. 40;
for my $talk (@some) { rated($talk, 1 + int rand 5) for 1 .. 1 + int rand 4 }
unranked_ok('off by default: nothing is ranked');

# ---- on, over a store with ratings ----

my $prior = '1,1,1,1,1';
restart_with($prior);
ranked_ok($prior, 'turned on: the talks are ranked that were rated before');
is_deeply([ @{ $redis->call(qw(ZREVRANGE ratings:top 0 0)) } ], [$forty], 'one 5 does not beat forty ratings of 4.8');
ok(wait_until(sub { $httpd->log->has(qr/RT0316: talks are ranked by RatingsRankingPrior 1,1,1,1,1, not off/) }, $patience), 'the log says so');

# ---- each rating, at once ----

ok(wait_ready(@at), 'ready');
my $new = new_talk();
my @late;
for my $talk ($new, $one, @some[ 0 .. 3 ], $new) {
    my $status = rated($talk, 1 + int rand 5);
    my $differs = differs($prior);
    push @late, "$status: $differs" if $status != 200 || $differs;
}
is("@late", '', 'a rating that is answered with 200 has moved its talk');

# a voter's, set, changed and withdrawn
my $own = new_talk();
my @ann = ('X-User' => 'ann');
for my $value (5, 2) {
    rate($own, $value, @at, headers => \@ann);
    $counts{$own} = [ (0) x 5 ];
    $counts{$own}[ $value - 1 ] = 1;
    is(differs($prior), '', "so has a voter's $value");
}
is(client(@at)->request('DELETE', "/ratings?talkId=$own", \@ann)->status, 204, 'withdrawn');
delete $counts{$own};
is(differs($prior), '', 'a talk without ratings has no place');

# ---- another prior ----

$prior = '1,1,3,8,7';
restart_with($prior);
ranked_ok($prior, 'with another prior all are ranked anew');
ok($httpd->log->has(qr/RT0316: talks are ranked by RatingsRankingPrior 1,1,3,8,7, not 1,1,1,1,1/), 'the log says so');

# ---- lost ----

$httpd->expect_log(qr/RT0315: talks were lost of the ranking/);
for my $command ([qw(DEL ratings:top)], [qw(SET ratings:top x)], [qw(ZREMRANGEBYRANK ratings:top 0 1)]) {
    $redis->call(@$command);
    ranked_ok($prior, "healed: @$command");
}
$redis->call(qw(DEL ratings:top));
is(rated($one, 4), 200, 'lost, and the next rating is counted');
ranked_ok($prior, 'and all are ranked');
ok($httpd->log->has(qr/RT0315: talks were lost of the ranking/), 'the log says that some were lost');

$redis->call('FLUSHDB');
ranked_ok($prior, 'a store that was lost is ranked when it is rebuilt');

# ---- the audit compares it, and repairs it ----

sub audit { return run_program($ENV{RATINGS_AUDIT}, '--topic', $topic, '--store', "$ENV{RATINGS_CONNECTION}/$database", @_) }

sub found_ok {
    my ($talk, $problem, $name) = @_;
    my $run = audit();
    ok($run->{code} eq 1 && $run->{out} =~ /^talk \Q$talk\E.*: $problem$/m, "the audit finds $name") or diag(transcript($run));
    my ($difference) = grep { $_->{talk} eq $talk } @{ (json(audit('--json')->{out}) || {})->{differences} || [] };
    is($difference && $difference->{problem}, $problem, "$name, with --json as well");
    return $difference;
}

sub agree_ok {
    my ($name, @options) = @_;
    my $run = audit(@options);
    ok($run->{code} eq 0 && $run->{out} =~ /^agree/m, $name) or diag(transcript($run));
}

is(rated($one, 2), 200, 'rated');
agree_ok('a ranking that is right agrees');
like(audit()->{out}, qr/^ranking: by the prior 1,1,3,8,7$/m, 'and is in the report');
is_deeply(json(audit('--json')->{out})->{ranking}, { prior => '1,1,3,8,7', compared => json('true') }, 'with --json as well');

# The service does not look for these: as many talks are ranked as before.
$redis->call(qw(ZADD ratings:top 4.9), $one);
my $difference = found_ok($one, 'its score in the ranking differs', 'a score that was edited');
is($difference->{score}{found}, 4.9, 'with what there is');
is($difference->{score}{expected}, score($prior, @{ $counts{$one} }), 'and with what there should be');
agree_ok('it is repaired', '--repair');
is(differs($prior), '', 'and right');
$redis->call(qw(ZREM ratings:top), $one);
$redis->call(qw(ZADD ratings:top 4 nobody-rated-this));
found_ok($one, 'it is not in the ranking', 'a talk that was taken out');
found_ok('nobody-rated-this', 'it is ranked, without a rating', 'a talk that was put in');
agree_ok('both are repaired', '--repair');
is(differs($prior), '', 'and right');

defined $httpd->stop or fail('the service stops');
for my $break ([qw(DEL ratings:top)], [qw(SET ratings:top x)]) {
    $redis->call(qw(DEL ratings:top));
    $redis->call(@$break);
    found_ok($one, 'it is not in the ranking', "what is lost without the service: @$break");
    agree_ok('it is repaired', '--repair');
    is(differs($prior), '', 'and right');
}
$redis->call(qw(HSET ratings:log rerank :0));
$redis->call(qw(DEL ratings:top));
agree_ok('a ranking that is being made is not compared');
like(audit()->{out}, qr/^ranking: by the prior 1,1,3,8,7, which is being made: not compared$/m, 'which the report says');
$httpd->start;
ranked_ok($prior, 'the service resumes that');

# ---- of two hosts, the one that leads ----

ok(wait_ready(@at), 'ready');
my $other = own_httpd(name => 'ranking-other', port => 2, with_prior('1,1,1,1,1'));
$other->expect_log(qr/RT030[15]: /);
$other->start;
ok(wait_ready(port => $other->port), 'another host has another prior');
is(differs($prior), '', 'which changes nothing while it is standby');
is(rated($one, 3), 200, 'rated');
is(differs($prior), '', 'nor then');
defined $httpd->stop or fail('the leader stops');
ranked_ok('1,1,1,1,1', 'once it leads, its prior is that of the ranking');
$prior = '1,1,1,1,1';
@at = (port => $other->port);
is(rated($one, 3), 200, 'rated at the other host');
is(differs($prior), '', 'and ranked by its prior');

# ---- off again ----

$other->configure(with_prior('off'))->signal('USR1');
unranked_ok('turned off: the ranking goes');
ok(wait_until(sub { $other->log->has(qr/RT0316: talks are ranked by RatingsRankingPrior off, not 1,1,1,1,1/) }, $patience), 'the log says so');
ok(wait_ready(@at), 'ready');
is(rated($one, 3), 200, 'rated without a ranking');
unranked_ok('which stays away');

defined $other->stop or fail('it stops');
finish();
