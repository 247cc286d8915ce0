# How often a voter may write: so many at once, then one each interval, over all children of a host.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;

my $topic = 'ratings-rate';
my $port  = $ENV{HTTP_PORT} + 1;
my $long  = 86400; # seconds in which no test gets a request back

# ---- one httpd, a virtual host for each rate ----

secret_file('rate.secret', 'a secret of the tests, thirty-two bytes or more');

my $header = "RatingsVoter expr=%{HTTP:X-User}\n";
my %hosts  = (
    many   => "${header}RatingsVoterRate 20/$long\n",
    few    => "${header}RatingsVoterRate 3/$long\n",
    same   => "${header}RatingsVoterRate 3/$long\n",
    other  => "${header}RatingsVoterRate 4/$long\n",
    soon   => "${header}RatingsVoterRate 1/2\n",
    must   => "${header}RatingsVoterRate 1/$long\nRatingsVoterRequired On\n",
    cookie => "RatingsVoter cookie\nRatingsVoterRate 2/$long\n",
    nobody => "RatingsVoterRate 1/$long\n",
    taken  => "${header}RatingsVoterRate 1/$long\n</Location>\n<Location \"/ratings\">\nRatingsVoterRate off\n",
);
my $httpd = own_httpd(
    name => 'rate', topic => $topic, database => 12,
    conf => RatingsTest::Httpd::backends(topic => $topic, database => 12) . RatingsTest::Httpd::locations()
        . qq(RatingsVoterSecret "file:$ENV{TEST_LOGS}/rate.secret"\nCustomLog "$ENV{TEST_LOGS}/rate/children" "%P %{X-User}i %s"\n)
        . join('', map { qq(<VirtualHost *:$port>\nServerName $_.example\n<Location "/ratings">\n$hosts{$_}</Location>\n</VirtualHost>\n) } sort keys %hosts),
);
$httpd->expect_log(qr/RT0301: the projector is stalled/); # while the topic is new
$httpd->start;
ok(wait_ready(port => $port, host => 'few.example'), 'ready') or BAIL_OUT('the service does not become ready');

sub ask {
    my ($host, $method, $path, $headers, $body) = @_;
    return client(port => $port, host => "$host.example")->request($method, $path, $headers || [], $body);
}
sub vote     { my ($host, $talk, @headers) = @_; return ask($host, 'POST', '/ratings', [ 'Content-Type' => 'application/json', @headers ], to_json({ talkId => $talk, value => 5 })) }
sub withdraw { my ($host, $talk, @headers) = @_; return ask($host, 'DELETE', "/ratings?talkId=$talk", \@headers) }
sub user     { return ('X-User' => shift) }

sub too_many_ok {
    my ($response, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $problem = problem_ok($response, 429, $name);
    is($problem->{detail}, 'You have sent many ratings in a short time. Please wait.', 'and says so');
    return $response->header('Retry-After');
}

# ---- so many, and then no more ----

{
    my $talk  = new_talk();
    my $begun = time;
    is(vote('few', $talk, user('ann'))->status, 200, 'a rating');
    is(withdraw('few', $talk, user('ann'))->status, 204, 'a withdrawal');
    is(vote('few', 'no-such-talk', user('ann'))->status, 404, 'and one of no talk are three');
    my $wait = too_many_ok(vote('few', $talk, user('ann')), 'the fourth');
    my $most = $long / 3;
    ok($wait <= $most && $wait >= $most - (time - $begun), "the next one may come in a third of the time, or what is left of it: $wait");
    too_many_ok(withdraw('few', $talk, user('ann')), 'nor may a rating be withdrawn');
    is(ask('few', 'POST', '/ratings', [ user('ann'), 'Content-Type' => 'text/plain' ], 'x' x 9000)->status, 429, 'which comes before all that is wrong with a request');
    is(histogram_of($talk, port => $port, host => 'few.example')->{stats}{totalCount}, 0, 'what is refused counts for nothing');
    is(ask('few', 'GET', "/ratings/mine?talkId=$talk", [ user('ann') ])->status, 404, 'who may not write may read');
    is(vote('few', $talk, user('ben'))->status, 200, 'another voter may write');
    is(vote('few', $talk)->status, 200, 'and so may who is none') for 1 .. 4;
    is(vote('same', $talk, user('ann'))->status, 429, 'at another place with the same rate the voter is counted together');
    is(vote('other', $talk, user('ann'))->status, 200, 'with another rate apart');
    is(vote('taken', $talk, user('ann'))->status, 200, 'and where it is off not at all') for 1, 2;
    is(vote('nobody', $talk)->status, 200, 'where nobody asks who votes there is no rate') for 1, 2;
}

# ---- whom it counts ----

{
    my $talk = new_talk();
    is(vote('must', $talk)->status, 401, 'whoever has to say who it is, and does not, is asked first') for 1, 2;
    is(vote('must', $talk, user('eve'), Origin => 'https://evil.example')->status, 403, 'what another page has sent is not counted') for 1, 2;
    is(vote('must', $talk, user('eve'))->status, 200, 'as the one request shows');
    is(vote('must', $talk, user('eve'))->status, 429, 'that is');
    my $first = vote('cookie', $talk);
    my ($cookie) = $first->header('Set-Cookie') =~ /^([^;]+)/;
    is(vote('cookie', $talk, Cookie => $cookie)->status, 200, 'a browser has its own rate');
    my $third = vote('cookie', $talk, Cookie => $cookie);
    is($third->status . ($third->header('Set-Cookie') // ''), '429', 'in which its first request counts, too');
    is(vote('cookie', $talk)->status, 200, 'and one that has thrown its cookie away has a new one');
}

# ---- Retry-After is right ----

{
    my $ask = sub { withdraw('soon', '%', user('ann')) }; # malformed: answered at once
    is($ask->()->status, 400, 'a request');
    my $refused = $ask->();
    my $wait    = too_many_ok($refused, 'one too soon');
    ok($wait == 1 || $wait == 2, "it may come in $wait s");
    sleep $wait;
    is($ask->()->status, 400, 'and then it may');
    is($ask->()->status, 429, 'once');
}

# ---- over all children, at the same time ----

{
    my @talks   = new_talks(12);
    my @results = in_children(12, sub {
        my ($index) = @_;
        return [ map { vote('many', $talks[$index], user('zoe'))->status } 1 .. 6 ];
    })->();
    my %statuses;
    $statuses{$_}++ for map { ref $_ eq 'ARRAY' ? @$_ : 'died' } @results;
    is_deeply(\%statuses, { 200 => 20, 429 => 52 }, 'of many requests at the same time exactly as many are answered as may be');
    my %children = map { /^(\d+) zoe \d+$/ ? ($1 => 1) : () } lines_of("$ENV{TEST_LOGS}/rate/children");
    cmp_ok(scalar keys %children, '>', 1, 'by several children');
    is(vote('many', $talks[0], user('zac'))->status, 200, 'which has no effect on another voter');
}

# ---- and over graceful restarts ----

{
    my $talk   = new_talk();
    my %before = map { $_ => 1 } $httpd->children;
    $httpd->signal('USR1');
    ok(wait_until(sub { !grep { $before{$_} } $httpd->children }, 30), 'other children');
    ok(wait_ready(port => $port, host => 'few.example'), 'which are ready');
    is(vote('few', $talk, user('ann'))->status, 429, 'know who has to wait');
    is(vote('few', $talk, user('kim'))->status, 200, 'and who has not');
}

ok(defined $httpd->stop, 'it stops');
finish();
