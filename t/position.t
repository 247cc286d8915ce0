# Ratings-Position: what a POST's answer carries is counted by every GET that carries it back, on whichever host, also
# through caches and load balancers; and whoever invents one waits for it alone.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;

my $topic  = 'ratings-position';
my $slack  = sanitized() ? 5 : 1.5;                             # seconds, on a busy machine
my $pairs  = $ENV{TEST_PAIRS} || (sanitized() ? 800 : 4000);    # POST, then GET
my $form   = qr/^v1-[0-9a-f]{20}$/;
my @user   = ('X-User' => 'ann');
my @usual  = (qr/RT020[1-4]: circuit breaker/, qr/RT030[12]: /, qr/RT0501: request \S+ answered with (?:202|504)/);

secret_file('position.secret', "a secret of the tests, thirty-two bytes or more\n");

my @hosts = map {
    own_httpd(
        name => "position-$_", port => $_, topic => $topic, database => 6,
        before => qq(RatingsVoterSecret "file:$ENV{TEST_LOGS}/position.secret"\nRatingsStoreTimeout 1s\nRatingsBreakerFailures 3\n),
        after => qq(<Location "/ratings">\nRatingsVoter expr=%{HTTP:X-User}\n</Location>\n),
    )->expect_log(@usual)
} 1, 2;
for my $host (@hosts) { $host->start; ok(wait_ready(port => $host->port), $host->name . ' is ready') or BAIL_OUT('the service does not become ready') }
my ($one, $two) = map { $_->port } @hosts;

# ---- positions ----

sub position_of { return $_[0]->header('Ratings-Position') // '' }
sub at          { return ('Ratings-Position' => shift) }
sub ask         { my ($port, $path, @headers) = @_; return get($path, port => $port, headers => \@headers) }
sub total_at    { my ($response) = @_; return $response->status == 200 ? total(json($response->body)) : -1 }

# The same with another partition, log or offset: changed('v1-...', offset => sub { $_[0] + 1 })
sub changed {
    my ($position, $part, $change) = @_;
    my %parts;
    @parts{qw(partition log offset)} = map { hex } $position =~ /^v1-(.{4})(.{4})(.{12})$/;
    $parts{$part} = $change->($parts{$part});
    return sprintf 'v1-%04x%04x%012x', @parts{qw(partition log offset)};
}
sub later { my ($position, $by) = @_; return changed($position, offset => sub { $_[0] + $by }) }

# ---- which answers carry one ----

{
    my $talk = new_talk();
    my $first = rate($talk, 4, port => $one);
    is($first->status, 200, 'a rating');
    like(position_of($first), $form, 'its answer has a position');
    my $second = rate($talk, 5, port => $two, headers => \@user);
    is(changed(position_of($second), offset => sub { 0 }), changed(position_of($first), offset => sub { 0 }), 'so has that of the other host: of the same partition and log');
    cmp_ok(position_of($second), 'gt', position_of($first), 'and it is a later one');
    my $withdrawal = client(port => $one)->request('DELETE', "/ratings?talkId=$talk", \@user);
    is($withdrawal->status, 204, 'a withdrawal');
    cmp_ok(position_of($withdrawal), 'gt', position_of($second), 'has one, too');
    is(position_of(ask($one, "/ratings?talkId=$talk")), '', 'a GET has none');
    my $nobody = client(port => $one)->request('DELETE', "/ratings?talkId=$talk", []);
    is($nobody->status . position_of($nobody), '204', 'nor has what recorded nothing');
    is(position_of(rate('no such talk', 4, port => $one)), '', 'nor a refusal');
}

# ---- what a GET makes of it ----

sub nothing_else_changes {
    my ($name, $path, @headers) = @_;
    my ($with, $without) = map { ask($one, $path, @headers, @$_) } [ at($main::position) ], [];
    is($with->status, 200, "$name is answered");
    is($with->body, $without->body, 'with the same body');
    is(join(' ', map { $with->header($_) // '-' } qw(ETag Cache-Control Vary)), join(' ', map { $without->header($_) // '-' } qw(ETag Cache-Control Vary)), 'and the same headers');
}

our $position;
my $rated = new_talk();
rate($rated, 2, port => $one, headers => \@user) for 1, 2;
$position = position_of(rate($rated, 3, port => $one, headers => \@user));
my @asked = ([ 'GET /ratings', "/ratings?talkId=$rated" ], [ 'GET /ratings/mine', "/ratings/mine?talkId=$rated", @user ],
    [ 'GET /talks', '/talks?include=ratings' ], [ 'GET /talks/ID', "/talks/$rated?include=ratings" ]);
nothing_else_changes(@$_) for @asked;
{
    my $etag = ask($one, "/ratings?talkId=$rated", at($position))->header('ETag');
    is(ask($one, "/ratings?talkId=$rated", at($position), 'If-None-Match' => $etag)->status, 304, 'it may be validated');
    is(client(port => $one)->request('HEAD', "/ratings?talkId=$rated", [ at($position) ])->status, 200, 'HEAD takes it as well');
}

for my $no (qw(v2-00000000000000000001 v1- 0), '"' . $position . '"', $position . '0', uc $position, "$position, $position", 'v1-04000000000000000001') {
    problem_ok(ask($one, $_->[1], @$_[ 2 .. $#$_ ], at($no)), 400, "$_->[0] with $no") for @asked;
}
like(json(ask($one, "/ratings?talkId=$rated", at('x'))->body)->{detail}, qr/Ratings-Position/, 'the problem names the header');

is(total_at(ask($one, "/ratings?talkId=$rated", at(changed(later($position, 1e9), partition => sub { ($_[0] + 1) % 4 })))), 1, 'a position of another partition says nothing of the talk');
is(total_at(ask($one, "/ratings?talkId=$rated", at(changed($position, log => sub { 0 })))), 1, 'one of a log that was not known holds for this one');
is(total_at(ask($one, "/ratings?talkId=$rated", at(changed($position, offset => sub { 0 })))), 1, 'none is always reached');

# ---- one that is not reached ----

sub breakers { my $all = json(ask($_[0], '/readyz')->body)->{backends}; return join ' ', map { "$_:$all->{$_}{status}" } sort keys %$all }

for my $port ($one, $two) {
    my $before = breakers($port);
    for my $case ([ 'beyond the end of the log', later($position, 1) ], [ 'far beyond it', changed($position, offset => sub { 2**48 - 1 }) ], [ 'of another log', changed($position, log => sub { $_[0] ^ 1 }) ]) {
        my ($name, $away) = @$case;
        for my $request (@asked) {
            my $begun    = time;
            my $response = ask($port, $request->[1], @$request[ 2 .. $#$request ], at($away));
            my $took     = time - $begun;
            my $problem  = problem_ok($response, 503, "$request->[0] with a position $name");
            like($problem->{detail}, qr/Ratings-Position/, 'the problem says so');
            ok($took > 0.9 && $took < 1 + $slack, 'within the time of the store') or diag($took);
            is($response->header('Cache-Control'), ($request->[0] =~ /mine/ ? 'private, ' : '') . 'no-store', 'no cache keeps that');
        }
    }
    is(breakers($port), $before, 'no backend is blamed for it');
    is(total_at(ask($port, "/ratings?talkId=$rated")), 1, 'and whoever has no position is answered');
}

# One that comes: the request ends with it, and not at its deadline.
for my $port ($one, $two) {
    my $talk = new_talk();
    my $last = position_of(rate($talk, 1, port => $one));
    my $waits = in_children(1, sub {
        my $begun    = time;
        my $response = ask($port, "/ratings?talkId=$talk", at(later($last, 1)));
        return { total => total_at($response), took => time - $begun };
    });
    sleep 0.3;
    rate($talk, 1, port => $one);
    my ($result) = $waits->();
    is($result->{total}, 2, 'a GET waits for a rating that is still to come') or diag(to_json($result));
    cmp_ok($result->{took}, '>', 0.2, 'it has waited');
}

# ---- many that were invented ----

{
    my ($forgers, $each) = (24, sanitized() ? 1 : 3);
    my $talk  = new_talk();
    my $forge = later(position_of(rate($talk, 1, port => $one)), 1e6);
    my $waits = in_children($forgers, sub {
        my %seen;
        $seen{ ask($one, "/ratings?talkId=$talk", at($forge))->status }++ for 1 .. $each;
        return \%seen;
    });
    my (%seen, $ratings);
    my $until = time + 0.7 * $each;
    while (time < $until) {
        $seen{ 'POST ' . rate($talk, 1, port => $one)->status }++;
        $seen{ 'GET ' . ask($one, "/ratings?talkId=$talk")->status }++;
        $ratings++;
    }
    my %forged;
    for my $result ($waits->()) { $forged{$_} += $result->{$_} for keys %$result }
    is_deeply(\%forged, { 503 => $forgers * $each }, 'each of many that are invented is refused') or diag(to_json(\%forged));
    my $well = { 'POST 200' => $ratings, 'GET 200' => $ratings };
    is_deeply(\%seen, $well, 'and nobody else waits for them: ratings are visible, reads are answered') or diag(to_json(\%seen));
    is(total_at(ask($_, "/ratings?talkId=$talk", at(position_of(rate($talk, 1, port => $one))))), $ratings + ($_ == $one ? 2 : 3), 'nor is anything that the hosts know changed') for $one, $two;
}

# ---- a cache in front ----

# A cache may keep what is to be validated (no-cache): it asks the service each time, with the position. The query is part
# of the path here, since mod_cache keeps nothing that has one and does not say for how long it is fresh. Without
# CacheStaleOnError Off it answers a 503 with what it has kept, though no-cache forbids that (findings/httpd-cache-stale-no-cache.sh).
{
    my $cache = own_httpd(
        name => 'position-cache', port => 3,
        modules => RatingsTest::Httpd::load(qw(proxy proxy_http rewrite cache cache_disk)),
        conf    => <<"CONF");
CacheRoot "$ENV{TEST_LOGS}/position-cache/htdocs"
CacheEnable disk "/"
CacheHeader On
CacheStaleOnError Off
RewriteEngine On
RewriteRule "^/(.*)\$" "http://127.0.0.1:$two/ratings?talkId=\$1" [P]
CONF
    $cache->start;
    my $talk = new_talk();
    my ($stale, %how) = (0);
    for my $n (1 .. 50) {
        my $taken = rate($talk, 3, port => $one);
        $stale++ if total_at(ask($cache->port, "/$talk", at(position_of($taken)))) != $n;
        $how{ (ask($cache->port, "/$talk")->header('X-Cache') // 'none') =~ s/ .*//r }++;
    }
    is($stale, 0, 'through a cache no answer is older than its position');
    is_deeply(\%how, { REVALIDATE => 50 }, 'which keeps answers, and asks whether they hold');
    my $ahead = later(position_of(rate($talk, 3, port => $one)), 1);
    is(ask($cache->port, "/$talk", at($ahead))->status, 503, 'nor does it answer by itself what the service cannot');
    $cache->stop;
}

# ---- pairs: a POST on one host, a GET on the other ----

# One client: posts to one host and asks the other. At each tenth pair it begins new connections, which any child may take.
# Nobody else rates its talks, so that it knows what each answer has to be. Returns what it has seen.
sub run_client {
    my ($count, $talks, $carries, $ports_of) = @_;
    my (%seen, %rated, %client);
    for my $n (1 .. $count) {
        my $talk = $talks->[ $n % @$talks ];
        my ($posts_to, $asks) = $ports_of->($n);
        %client = map { $_ => client(port => $_) } $one, $two if $n % 10 == 1;
        my $taken = $client{$posts_to}->request('POST', '/ratings', [ 'Content-Type' => 'application/json' ], qq({"talkId":"$talk","value":5}));
        $seen{ 'POST ' . $taken->status }++;
        next if $taken->status != 200 && $taken->status != 202;
        $rated{$talk}++;
        $seen{'without a position'}++ unless position_of($taken) =~ $form;
        my $response = $client{$asks}->request('GET', "/ratings?talkId=$talk", $carries ? [ at(position_of($taken)) ] : []);
        $seen{ 'GET ' . $response->status }++;
        $seen{stale}++ if $response->status == 200 && total_at($response) < $rated{$talk};
        $seen{'too many'}++ if $response->status == 200 && total_at($response) > $rated{$talk};
    }
    return \%seen;
}

# While a host has ratings of its own that wait, it asks the store often, and is hardly ever behind: so each way is gone alone, too.
my @ways = (sub { ($one, $two) }, sub { ($two, $one) }, sub { $_[0] % 2 ? ($one, $two) : ($two, $one) });

sub run_pairs {
    my ($clients, $count, $carries) = @_;
    my @talks = new_talks(3 * $clients);
    my %sum;
    for my $way (@ways) {
        my @results = in_children($clients, sub { run_client($count, [ @talks[ 3 * $_[0] .. 3 * $_[0] + 2 ] ], $carries, $way) })->();
        for my $result (@results) {
            diag($result->{died}) if $result->{died};
            $sum{$_} += /died/ ? 1 : $result->{$_} for keys %$result;
        }
        @talks = new_talks(3 * $clients);
    }
    note(to_json(\%sum));
    return \%sum;
}

{
    cmp_ok(run_pairs(2, 60, 0)->{stale} || 0, '>', 0, 'without the position some answers of the other host are stale');
    my $clients = 8;
    my $each    = int(($pairs + @ways * $clients - 1) / (@ways * $clients));
    my $begun   = time;
    my $sum     = run_pairs($clients, $each, 1);
    my $all     = @ways * $clients * $each;
    note_time("$all pairs", $begun);
    diag(sprintf '%d POST-then-GET pairs on two hosts in %.0f s: %s', $all, time - $begun, to_json($sum)) if $ENV{TEST_PAIRS};
    is($sum->{stale} || 0, 0, "with it none of $all is stale") or diag(to_json($sum));
    is(($sum->{'POST 200'} || 0) + ($sum->{'POST 202'} || 0), $all, 'each rating was taken') or diag(to_json($sum));
    is($sum->{$_} || 0, 0, "none is counted $_") for 'too many';
    is($sum->{$_} || 0, 0, "none $_") for 'died', 'without a position';
    cmp_ok($sum->{'GET 200'} || 0, '>=', 0.999 * $all - $clients, 'nearly all reads are answered in time') or diag(to_json($sum));
}

finish();
