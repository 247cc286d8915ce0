# What is remembered: answers, talks, statistics; for how long, and what ends it.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);
use RatingsTest;

my @usual = (qr/RT020[1-4]: circuit breaker/, qr/RT030[12]: /, qr/RT0305: /, qr/RT0501: /);
my %own   = (topic => 'ratings-cache', database => 8);
my $slack = sanitized() ? 3 : 1;

sub start {
    my ($name, $directives, %options) = @_;
    my $httpd = own_httpd(name => $name, %own, %options, before => $directives)->expect_log(@usual);
    $httpd->start;
    ok(wait_ready(port => $httpd->port), "$name: ready");
    return ($httpd, port => $httpd->port);
}

sub fives { my ($talk, @at) = @_; my $answer = histogram_of($talk, @at); return $answer ? $answer->{ratings}{5} : -1 }

# By hand, past the module, which does not notice.
sub edit { my ($talk, $count) = @_; redis(database => 8)->call('HSET', "ratings/$talk", 5, $count) }

# ---- answers ----

{
    my ($httpd, @at) = start('answers', "RatingsCacheTTL 1h\n");
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    my $first = get("/ratings?talkId=$talk", @at);
    edit($talk, 7);
    my %seen;
    for (1 .. 20) { # each on a connection of its own, which either child may take
        my $again = get("/ratings?talkId=$talk", @at);
        $seen{ $again->body . $again->header('ETag') }++;
    }
    is_deeply(\%seen, { $first->body . $first->header('ETag') => 20 }, 'every child answers from the cache, without reading the store');
    is(get("/ratings?talkId=$talk", @at, headers => [ 'If-None-Match' => $first->header('ETag') ])->status, 304, 'and is validated by its entity tag');
    is(rate($talk, 5, @at)->status, 200, 'another rating');
    is(fives($talk, @at), 8, 'is seen at once');
    $httpd->stop;
}

{
    my ($httpd, @at) = start('answers-end', "RatingsCacheTTL 2s\n");
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    is(fives($talk, @at), 1, 'an answer');
    edit($talk, 7);
    ok(wait_until(sub { fives($talk, @at) == 7 }, 2 + 2 * $slack), 'an edit of the store by hand is seen after RatingsCacheTTL');
    $httpd->stop;
}

{
    my ($httpd, @at) = start('no-answers', "RatingsCacheTTL 0\n");
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    for my $count (3, 4, 1) {
        is(histogram_of($talk, @at)->{ratings}{1}, 0, 'an answer');
        edit($talk, $count);
        is(fives($talk, @at), $count, 'RatingsCacheTTL 0: the store is read for each answer');
    }
    $httpd->stop;
}

# ---- the counts that the leader leaves: the first GET after a rating ----

# What Redis is asked meanwhile that names the talk.
sub asked_meanwhile {
    my ($talk, $code) = @_;
    my ($monitor, $other) = map { redis(database => 8) } 1 .. 2;
    $monitor->call('MONITOR');
    $code->();
    $other->call('ECHO', "end of $talk");
    my @asked;
    for (my $line = $monitor->line; $line !~ /end of \Q$talk\E/; $line = $monitor->line) { push @asked, $line if $line =~ /\Q$talk\E/ }
    return @asked;
}

{
    my ($httpd, @at) = start('counts', "RatingsCacheTTL 2s\n");
    my $talk = new_talk();
    my %seen = map { $_ => 0 } 1 .. 5;
    my @wrong;
    is(scalar(() = asked_meanwhile($talk, sub { rate($talk, 1, @at) })) > 0, 1, 'a rating is written to Redis');
    $seen{1}++;
    for my $n (1 .. 30) { # each on a connection of its own, which either child may take
        my $value  = 1 + $n % 5;
        my $rated  = rate($talk, $value, @at);
        my @position = ('Ratings-Position' => $rated->header('Ratings-Position'));
        $seen{$value}++;
        push @wrong, "POST: " . $rated->status if $rated->status != 200;
        my $answer;
        push @wrong, asked_meanwhile($talk, sub { $answer = get("/ratings?talkId=$talk", @at, headers => $n % 2 ? \@position : []) });
        push @wrong, $answer->body if to_json(json($answer->body)->{ratings}) ne to_json(\%seen);
    }
    is_deeply(\@wrong, [], 'the first GET after a rating asks Redis nothing, whichever child answers it, and counts the rating');
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    edit($talk, 70);
    is(fives($talk, @at), $seen{5} + 1, 'an edit of the store by hand');
    ok(wait_until(sub { fives($talk, @at) == 70 }, 2 + 2 * $slack), 'is seen after RatingsCacheTTL, as ever');
    is(rate($talk, 5, @at)->status, 200, 'and is what the next rating adds to');
    is(fives($talk, @at), 71, 'for each GET');
    $httpd->stop;
}

# ---- what another host applies ----

{
    my ($one, @one) = start('one', "RatingsCacheTTL 1h\n");
    my ($two, @two) = start('two', "RatingsCacheTTL 1h\n", port => 2);
    my $talk = new_talk();
    my %late;
    for my $n (1 .. 10) {
        is(fives($talk, @$_), $n - 1, "both hosts know $n rating(s) less one") for \@one, \@two;
        is(rate($talk, 5, $n % 2 ? @one : @two)->status, 200, 'a rating on one of them');
        is(fives($talk, $n % 2 ? @one : @two), $n, 'which shows it at once');
        ok(wait_until(sub { fives($talk, $n % 2 ? @two : @one) == $n }, 1 + $slack), 'and the other within a second');
    }
    $_->stop for $one, $two;
}

# ---- the store is unavailable ----

{
    my ($httpd, @at) = start('store-away', "RatingsCacheTTL 1h\n");
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    is(fives($talk, @at), 1, 'is shown');
    expect_log(@usual);
    stack('stop', 'redis');
    ok(wait_until(sub { get("/ratings?talkId=$talk", @at)->status == 503 }, 0.9 + 0.9 * $slack), 'without a store answers are given for no more than a second');
    stack('start', 'redis');
    ok(wait_until(sub { fives($talk, @at) == 1 }, 20), 'and again when it has recovered');
    $httpd->stop;
}

# ---- talks ----

{
    my ($httpd, @at) = start('talks', "RatingsTalkTTL 2s\n");
    my $talk = new_talk();
    my $none = "none-$talk";
    is(get("/ratings?talkId=$none", @at)->status, 404, 'a talk that does not exist');
    new_talks(1, $none);
    is(get("/ratings?talkId=$none", @at)->status, 200, 'is there as soon as it exists');
    is(rate($talk, 5, @at)->status, 200, 'a talk');
    delete_talks($talk);
    ok(wait_until(sub { get("/ratings?talkId=$talk", @at)->status == 404 }, 2 + 2 * $slack), 'that is deleted is gone after RatingsTalkTTL');
    is(rate($talk, 5, @at)->status, 404, 'for POST as well');
    $httpd->stop;
}

{
    my ($httpd, @at) = start('talks-known', '');
    my ($talk, $other) = new_talks(2);
    is(rate($talk, 5, @at)->status, 200, 'a talk that is known');
    expect_log(@usual);
    stack('stop', 'postgres');
    is(rate($talk, 5, @at)->status, 200, 'can be rated without PostgreSQL');
    is(fives($talk, @at), 2, 'and read');
    is(get("/ratings?talkId=$other", @at)->status, 503, 'one that is not known cannot');
    stack('start', 'postgres');
    ok(wait_until(sub { rate($other, 5, @at)->status == 200 }, 20), 'until PostgreSQL has recovered');
    my %old = map { $_ => 1 } $httpd->children;
    delete_talks($talk);
    $httpd->signal('USR1');
    ok(wait_until(sub { my @now = $httpd->children; @now && !grep { $old{$_} } @now }, 20), 'graceful: the children are new ones');
    like(rate($talk, 5, @at)->status, qr/^20[02]$/, 'a talk is known over a graceful restart, also without its row');
    $httpd->stop;
}

{
    my ($httpd, @at) = start('talks-unknown', "RatingsTalkTTL 0\n");
    my $talk = new_talk();
    for (1 .. 3) {
        is(fives($talk, @at), 0, 'a talk');
        delete_talks($talk);
        is(get("/ratings?talkId=$talk", @at)->status, 404, 'RatingsTalkTTL 0: it is looked up for each request');
        is(rate($talk, 5, @at)->status, 404, 'POST or GET');
        new_talks(1, $talk);
    }
    $httpd->stop;
}

# ---- statistics ----

{
    my ($httpd, @at) = start('statistics', "RatingsCacheTTL 0\n");
    my ($talk, $same, $other) = new_talks(3);
    rate($_,     4, @at) for ($talk) x 3, ($same) x 3;
    rate($other, 4, @at) for 1 .. 4;
    ok(histogram_of($talk, @at)->{stats}, 'statistics');
    expect_log(@usual);
    stack('stop', 'lambda');
    is_deeply(histogram_of($same, @at)->{stats}, { avg => 4, totalCount => 3 }, 'are remembered by their counts, whatever the talk');
    ok(!exists histogram_of($other, @at)->{stats}, 'other counts are asked for');
    stack('start', 'lambda');
    ok(wait_until(sub { histogram_of($other, @at)->{stats} }, 20), 'when the Lambda has recovered');
    $httpd->stop;
}

{
    my ($httpd, @at) = start('no-memo', "RatingsStatsMemo Off\n");
    my $talk = new_talk();
    rate($talk, 4, @at);
    ok(histogram_of($talk, @at)->{stats}, 'statistics');
    expect_log(@usual);
    stack('stop', 'lambda');
    ok(!exists histogram_of($talk, @at)->{stats}, 'RatingsStatsMemo Off: the Lambda is called for each answer');
    stack('start', 'lambda');
    ok(wait_until(sub { histogram_of($talk, @at)->{stats} }, 20), 'and again when it has recovered');
    $httpd->stop;
}

# ---- a slow function: one call for all who ask for the same counts ----

# Answers each request in a process of its own, after a while, with what the file says; a line a call.
sub slow_function {
    my ($port, $file) = @_;
    my $server = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1) or die "port $port: $!";
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    local $SIG{CHLD} = 'IGNORE';
    while (my $client = $server->accept) {
        next if fork;
        answer_slowly($client, $file) while !eof $client;
        POSIX::_exit(0);
    }
    POSIX::_exit(0);
}

sub answer_slowly {
    my ($client, $file) = @_;
    my ($length, $body) = (0, '');
    while (defined(my $line = <$client>)) {
        $length = $1 if $line =~ /^Content-Length: *(\d+)/i;
        last if $line =~ /^\r?\n$/;
    }
    read $client, $body, $length;
    open my $calls, '>>', "$file.calls" or POSIX::_exit(1);
    syswrite $calls, "$body\n";
    wait_until(sub { -e "$file.all" }, 15); # all who ask at the same time have asked
    my $count = total(json($body));
    my ($status, $answer) = -e "$file.broken" ? ('500 Broken', '{}') : ('200 OK', to_json({ avg => 5, totalCount => $count }));
    print $client "HTTP/1.1 $status\r\nContent-Type: application/json\r\nContent-Length: " . length($answer) . "\r\n\r\n$answer";
    $client->flush;
}

{
    my $port = $ENV{HTTP_PORT} + 8;
    my $file = "$ENV{TEST_LOGS}/slow-function";
    write_file("$file.all", ''); # readiness asks as well
    my $pid = slow_function($port, $file);
    local $ENV{RATINGS_LAMBDA_URL} = "http://127.0.0.1:$port/";
    my ($httpd, @at) = start('slow-function', "RatingsBreakerFailures 2\nRatingsStatsTimeout 20s\nRatingsDeadline 20s\n",
        sizes => "StartServers 1\nServerLimit 1\nThreadsPerChild 32\nMaxRequestWorkers 32\nMinSpareThreads 1\nMaxSpareThreads 32\n");
    my ($talk, $other, $third) = new_talks(3);
    rate($_, 5, @at) for $talk, ($other) x 2, ($third) x 3;
    my $ask = sub {
        my ($asked) = @_;
        unlink "$file.all", glob "$file.asks-*";
        my $answers = in_children(12, sub {
            my $client = client(@at);
            $client->send($client->format('GET', "/ratings?talkId=$asked"));
            write_file("$file.asks-$_[0]", '');
            my $answer = $client->receive('GET');
            return { status => $answer->status, stats => json($answer->body)->{stats} };
        });
        wait_until(sub { my @asks = glob "$file.asks-*"; @asks == 12 }, 10);
        sleep $slack; # httpd has read what has been sent
        write_file("$file.all", '');
        return map { $_->{status} . ($_->{stats} ? ' with' : ' without') } $answers->();
    };
    my $before = lines_of("$file.calls");
    is(join(', ', $ask->($talk)), join(', ', ('200 with') x 12), 'twelve who ask for the same counts have statistics');
    is(lines_of("$file.calls") - $before, 1, 'by one call');
    write_file("$file.broken", '');
    is(join(', ', $ask->($other)), join(', ', ('200 without') x 12), 'a call that fails leaves all who waited for it without');
    is(lines_of("$file.calls") - $before, 2, 'by one call as well');
    unlink "$file.broken";
    ok(histogram_of($third, @at)->{stats}, 'and is one failure, which opens no circuit breaker: the function is called');
    $httpd->stop;
    kill 'TERM', $pid;
    waitpid $pid, 0;
}

finish();
