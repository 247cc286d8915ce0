# Hidden results: by each way out, nothing tells how the ratings are distributed; and they are shown on the second.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;
use RatingsTest::Windows;

my $slack = sanitized() ? 3 : 1;
my %own   = (topic => 'ratings-hidden', database => 11);
my $calls = "$ENV{TEST_LOGS}/hidden-function.calls";

sub talk { return talk_within('with_windows', @_) }

sub rate_all {
    my ($talk, $values, @at) = @_;
    my $good = grep { rate($talk, $_, @at, path => '/open')->status == 200 } @$values;
    return $good == @$values || diag("$good of " . @$values . ' ratings taken');
}

sub read_at { my ($path, $talk, @at) = @_; return get("$path?talkId=$talk", @at) }

# ---- a Lambda that keeps what it is asked ----

sub function {
    my ($port) = @_;
    my $server = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1) or die "port $port: $!";
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    local $SIG{CHLD} = 'IGNORE';
    while (my $client = $server->accept) {
        next if fork;
        answer($client) while !eof $client;
        POSIX::_exit(0);
    }
    POSIX::_exit(0);
}

sub answer {
    my ($client) = @_;
    my ($length, $body) = (0, '');
    while (defined(my $line = <$client>)) {
        $length = $1 if $line =~ /^Content-Length: *(\d+)/i;
        last if $line =~ /^\r?\n$/;
    }
    read $client, $body, $length;
    open my $file, '>>', $calls or POSIX::_exit(1);
    syswrite $file, "$body\n";
    my $counts = json($body)->{ratings};
    my ($count, $sum) = (0, 0);
    for (keys %$counts) { $count += $counts->{$_}; $sum += $_ * $counts->{$_} }
    my $answer = to_json({ avg => $count ? $sum / $count : 0, totalCount => $count });
    print $client "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " . length($answer) . "\r\n\r\n$answer";
    $client->flush;
    return;
}

sub times_asked { return scalar lines_of($calls) }

make_database('with_windows', ', opens_at timestamptz, closes_at timestamptz');
make_database('without_windows', '');
unlink $calls;
my $function_port = $ENV{HTTP_PORT} + 8;
my $function      = function($function_port);
$ENV{RATINGS_LAMBDA_URL} = "http://127.0.0.1:$function_port/";

# An outer section for all, and inner ones that say otherwise, or nothing
my $locations = <<'END';
<Location "/">
    RatingsHide until-closed
</Location>
<Location "/open">
    RatingsEndpoint ratings
    RatingsHide never
</Location>
<Location "/hidden">
    RatingsEndpoint ratings
</Location>
<Location "/few">
    RatingsEndpoint ratings
    RatingsHide below=3
</Location>
<Location "/few/fewer">
    RatingsEndpoint ratings
</Location>
<LocationMatch "^/fewest$">
    RatingsEndpoint ratings
    RatingsHide BELOW=1
</LocationMatch>
END

# ---- the ways out ----

{
    my ($httpd, @at) = start_with('hidden', 'with_windows', \%own, before => "RatingsCacheTTL 1h\nRatingsTalkTTL 1h\n", after => $locations);
    my $end = int(time) + 3600;
    my ($low, $high) = map { talk(closes_at => $end) } 1, 2;
    rate_all($low,  [ 1, 1, 1, 2 ], @at);
    rate_all($high, [ 5, 5, 5, 4 ], @at);
    my $hidden = qq({"hidden":true,"totalCount":4,"until":"@{[rfc3339($end)]}"});

    my %tag;
    for my $path ('/ratings', '/hidden') {
        my %answer = map { $_ => read_at($path, $_, @at) } $low, $high;
        is($answer{$low}->status, 200, "$path: results are hidden");
        is($answer{$low}->body, $hidden, "$path: by what they are, how many ratings there are, and until when");
        is($answer{$high}->body, $hidden, "$path: whatever these are");
        is_deeply($answer{$low}->stable_headers, $answer{$high}->stable_headers, "$path: nor does a header tell them apart");
        $tag{hidden} = $answer{$low}->header('ETag');

        my %head = map { $_ => client(@at)->request('HEAD', "$path?talkId=$_") } $low, $high;
        is_deeply($head{$low}->stable_headers, $answer{$low}->stable_headers, "$path: HEAD says as much as GET");
        is_deeply($head{$low}->stable_headers, $head{$high}->stable_headers, "$path: HEAD does not tell them apart");
    }
    is(times_asked(), 0, 'the Lambda was not asked');

    # entity tags: of results that are not hidden alone
    $tag{$_} = read_at('/open', $_, @at)->header('ETag') for $low, $high;
    is(times_asked(), 2, 'it is, for who may see');
    isnt($tag{$low}, $tag{$high}, 'where they are shown, the tags differ');
    my $by = sub { my ($header, $name) = @_; return get("/hidden?talkId=$low", @at, headers => [ $header => $tag{$name} ]) };
    my $unchanged = $by->('If-None-Match', 'hidden');
    is($unchanged->status, 304, 'the tag of what is hidden is validated');
    is($unchanged->header('ETag'), $tag{hidden}, 'by itself');
    is($by->('If-Match', 'hidden')->body, $hidden, 'also by If-Match');
    for my $guess ($low, $high) { # a client that knows how the ratings may be makes the tag of it, and asks
        is($by->('If-None-Match', $guess)->body, $hidden, 'a guess is answered as any other, by If-None-Match');
        problem_ok($by->('If-Match', $guess), 412, 'and by If-Match');
    }
    is(get("/hidden?talkId=$low", @at, headers => [ Range => 'bytes=0-13' ])->body, '{"hidden":true', 'a range is one of the hidden response');

    # what a POST answers, and what an error does
    for my $talk ($low, $high) {
        is(rate($talk, 3, @at, path => '/hidden')->body, to_json({ rating => { talk_uuid => $talk, value => 3 } }), 'a POST answers what it was sent');
    }
    is(read_at('/hidden', $low, @at)->body, $hidden =~ s/4,/5,/r, 'and is counted');
    isnt(read_at('/hidden', $low, @at)->header('ETag'), $tag{hidden}, 'which is to be seen by the tag');
    is(read_at('/hidden', $low, @at)->header('ETag'), read_at('/hidden', $high, @at)->header('ETag'), 'and is the same for both');
    for my $path ('/readyz', '/healthz', '/', "/hidden?talkId=$low-none", "/hidden/below?talkId=$low", '/hidden') {
        unlike(get($path, @at)->raw, qr/totalCount|"ratings":\{|"avg"/, "no results at $path");
    }

    # cached or not, and by whichever child
    my $asked = times_asked();
    my %seen;
    for (1 .. 40) { $seen{$_}{ read_at($_, $low, @at)->body }++ for '/open', '/hidden', '/few' }
    is_deeply([ map { scalar keys %{ $seen{$_} } } '/open', '/hidden', '/few' ], [ 1, 1, 1 ], 'each endpoint answers the same all the time');
    is(join(' ', keys %{ $seen{'/hidden'} }), $hidden =~ s/4,/5,/r, 'what is hidden stays so, when others have seen it');
    is(join(' ', keys %{ $seen{'/open'} }), join(' ', keys %{ $seen{'/few'} }), 'and what is not hidden stays so');
    is(times_asked() - $asked, 1, 'by one call of the Lambda');

    # on the second, though the response is cached for an hour
    $end = time + 3 * $slack;
    my $closing = talk(closes_at => $end);
    rate_all($closing, [ 2, 5 ], @at);
    my ($last, $first);
    my $until = $end + 2 * $slack;
    while (!$first && time < $until) {
        my $before = time;
        my $response = read_at('/hidden', $closing, @at);
        if (json($response->body)->{hidden}) { $last = $before } else { $first = time }
        sleep 0.01;
    }
    ok($first && $first >= $end, 'not before the end') or diag("$first for $end");
    ok($first && $first < $end + 0.5 * $slack, 'on the second what was hidden is shown') or diag("$first for $end");
    ok($last && $last > $end - 0.5 * $slack && $last < $end, 'and was hidden until then') or diag("$last for $end");
    my %shown = map { $_ => read_at($_, $closing, @at) } '/open', '/hidden';
    is_deeply(json($shown{'/hidden'}->body), { ratings => { 1 => 0, 2 => 1, 3 => 0, 4 => 0, 5 => 1 }, stats => { avg => 3.5, totalCount => 2 } }, 'all of it');
    is($shown{'/hidden'}->header('ETag'), $shown{'/open'}->header('ETag'), 'with its tag');

    # when it is not known until when
    for my $talk (talk(), talk(closes_at => 'infinity'), talk(opens_at => time + 60)) {
        is(read_at('/hidden', $talk, @at)->body, '{"hidden":true,"totalCount":0}', 'a talk without an end is hidden until it has one');
    }
    my $future = int(time) + 7200;
    is(read_at('/hidden', talk(opens_at => $future - 60, closes_at => $future), @at)->body, qq({"hidden":true,"totalCount":0,"until":"@{[rfc3339($future)]}"}),
        'a talk that is not open yet is hidden until it closes');
    is(json(read_at('/hidden', talk(closes_at => '-infinity'), @at)->body)->{stats}{totalCount}, 0, 'a talk that is closed is not');

    # ---- below a number ----

    for my $path ('/few', '/few/fewer') {
        my $talk = talk(closes_at => $future);
        my %tags;
        for my $count (0 .. 2) {
            my $response = read_at($path, $talk, @at);
            is($response->body, qq({"hidden":true,"totalCount":$count}), "$path: $count ratings are too few");
            $tags{ $response->header('ETag') }++;
            rate_all($talk, [5], @at);
        }
        is(scalar keys %tags, 3, "$path: each number has its tag");
        is_deeply(json(read_at($path, $talk, @at)->body), { ratings => { 1 => 0, 2 => 0, 3 => 0, 4 => 0, 5 => 3 }, stats => { avg => 5, totalCount => 3 } },
            "$path: three are enough");
    }
    my $talk = talk();
    is(read_at('/fewest', $talk, @at)->body, '{"hidden":true,"totalCount":0}', '/fewest: none is too few');
    rate_all($talk, [1], @at);
    is(json(read_at('/fewest', $talk, @at)->body)->{ratings}{1}, 1, '/fewest: one is enough');

    # ---- without Redis ----

    my @usual = (qr/RT020[1-4]: circuit breaker/, qr/RT030[12]: /);
    expect_log(@usual);
    stack('stop', 'redis');
    ok(wait_until(sub { read_at('/hidden', $low, @at)->status == 503 }, 1 + $slack), 'without Redis what is hidden is not answered either');
    stack('start', 'redis');
    ok(wait_until(sub { read_at('/hidden', $low, @at)->status == 200 }, 20), 'until Redis has recovered');
    is(read_at('/hidden', $low, @at)->body, $hidden =~ s/4,/5,/r, 'as it was');
    $httpd->stop;
}

# ---- an edit; and a Lambda that is called for each GET ----

{
    my ($httpd, @at) = start_with('hidden-edits', 'with_windows', \%own, before => "RatingsTalkTTL 2s\nRatingsStatsMemo Off\n", after => $locations);
    my $asked = times_asked();
    my $talk  = talk(closes_at => time + 3600);
    rate_all($talk, [4], @at);
    ok(json(read_at('/hidden', $talk, @at)->body)->{hidden}, 'results are hidden') for 1 .. 3;
    is(times_asked() - $asked, 0, 'RatingsStatsMemo Off: the Lambda is not asked for them');
    edit_talk('with_windows', $talk, closes_at => time - 1);
    ok(wait_until(sub { !json(read_at('/hidden', $talk, @at)->body)->{hidden} }, 2 + 2 * $slack), 'an end that is edited shows them within RatingsTalkTTL');
    ok(times_asked() - $asked > 0, 'and the Lambda is asked');
    edit_talk('with_windows', $talk, closes_at => time + 3600);
    ok(wait_until(sub { json(read_at('/hidden', $talk, @at)->body)->{hidden} }, 2 + 2 * $slack), 'or hides them again');
    $httpd->stop;
}

# ---- voters ----

{
    my $secret = secret_file('hidden.secret', "a secret of the tests, thirty-two bytes or more\n");
    my ($httpd, @at) = start_with('hidden-voters', 'with_windows', { topic => 'ratings-hidden-voters', database => 6 }, before => qq(RatingsVoterSecret "file:$secret"\n),
        after => qq($locations<Location "/ratings">\nRatingsVoter expr=%{HTTP:X-User}\n</Location>\n));
    my $talk = talk(closes_at => time + 3600);
    my @ann  = (headers => [ 'X-User' => 'ann' ]);
    my $mine = sub { return get("/ratings/mine?talkId=$talk", @at, headers => [ 'X-User' => shift ]) };
    is(rate($talk, 5, @at, @ann)->status, 200, 'a voter rates');
    my $first = read_at('/ratings', $talk, @at);
    is(json($first->body)->{totalCount}, 1, 'which is one rating');
    is(rate($talk, 1, @at, @ann)->body, to_json({ rating => { talk_uuid => $talk, value => 1 } }), 'and changes the rating');
    my $second = read_at('/ratings', $talk, @at);
    is($second->body, $first->body, 'which is still one');
    is_deeply($second->stable_headers, $first->stable_headers, 'and nothing tells that it changed');
    is(get("/ratings?talkId=$talk", @at, headers => [ 'If-None-Match' => $first->header('ETag') ])->status, 304, 'nor does a validation');
    is(json($mine->('ann')->body)->{rating}{value}, 1, 'the voter sees the own rating');
    is($mine->('ben')->status, 404, 'and nobody else does');
    edit_talk('with_windows', $talk, closes_at => time - 1);
    is(client(@at)->request('DELETE', "/ratings?talkId=$talk", [ 'X-User' => 'ann' ])->status, 204, 'a look-up that is cached knows nothing of an edit');
    is(json(read_at('/ratings', $talk, @at)->body)->{totalCount}, 0, 'a rating that is withdrawn is none');
    $httpd->stop;
}

# ---- a table without windows ----

{
    my ($httpd, @at) = start_with('hidden-without', 'without_windows', \%own, after => $locations);
    my $talk = 'w-without-' . int(time) . "-$$";
    in_database('without_windows', "insert into talks values ('$talk')");
    rate_all($talk, [ 1, 5 ], @at);
    is(read_at('/hidden', $talk, @at)->body, '{"hidden":true,"totalCount":2}', 'no window ever closes');
    is(read_at('/few', $talk, @at)->body, '{"hidden":true,"totalCount":2}', 'below=3 needs none');
    is(json(read_at('/open', $talk, @at)->body)->{ratings}{5}, 1, 'nor does never');
    $httpd->stop;
}

drop_databases();
kill 'TERM', $function;
waitpid $function, 0;

finish();
