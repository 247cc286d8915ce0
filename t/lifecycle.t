# Starts, restarts, graceful restarts and ends: no request is lost, and no process is left behind.
use strict;
use warnings;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);
use RatingsTest;

my $slack = slower(2);
my $brief = mpm() ne 'event'; # the same, a shorter time
my %own   = (topic => 'ratings-lifecycle', database => 6);
# so that a machine that stands still for a moment does not look like a server that is unavailable
my $patient = join '', map { "Ratings${_}Timeout 10s\n" } qw(Talks Store Stream Stats);
my %patient = (%own, before => "${patient}RatingsDeadline 30s\n");
# the error log of httpd says that children came to their end in time; a rating may be visible late
my @usual = (qr/RT0305: the store is rebuilt/, qr/RT0501: request \S+ answered with 202/);

# Clients that post and read until told to stop, each request on a connection of its own: one that
# httpd closes while idle is lost by the rules of HTTP, and tells nothing.
sub load {
    my ($httpd, $count, $seconds, @talks) = @_;
    return in_children($count, sub {
        my ($index) = @_;
        my (%result, %counted);
        my $until = time + $seconds;
        while (time < $until) {
            my $talk   = $talks[ $index % @talks ];
            my @close  = (Connection => 'close');
            my $posted = rate($talk, 1 + $index % 5, port => $httpd->port, headers => \@close);
            $result{ 'POST ' . ($posted->status || $posted->error) }++;
            $counted{$talk}++ if $posted->status =~ /^20[02]$/;
            my $got = get("/ratings?talkId=$talk", port => $httpd->port, headers => \@close);
            $result{ 'GET ' . ($got->status || $got->error) }++;
            $result{less}++ if $got->status == 200 && total(json($got->body)) < ($counted{$talk} || 0);
        }
        return { %result, counted => \%counted };
    });
}

# The sums of what the clients tell; died ones are shown.
sub sums {
    my (@results) = @_;
    my (%sum, %counted);
    for my $result (@results) {
        diag($result->{died}) if $result->{died};
        my $own = delete $result->{counted} || {};
        $counted{$_} += $own->{$_} for keys %$own;
        $sum{$_} += /died/ ? 1 : $result->{$_} for keys %$result;
    }
    return (\%sum, \%counted);
}

sub all_counted {
    my ($httpd, $counted, $name) = @_;
    for my $talk (sort keys %$counted) {
        wait_until(sub { total(histogram_of($talk, port => $httpd->port) || { ratings => {} }) >= $counted->{$talk} }, 10);
        is(total(histogram_of($talk, port => $httpd->port) || { ratings => {} }), $counted->{$talk}, "$name: each acknowledged rating is counted once");
    }
}

# ---- graceful restarts under load ----

{
    my $httpd = own_httpd(name => 'graceful', %patient)->expect_log(@usual)->start;
    my @at    = (port => $httpd->port);
    ok(wait_ready(@at), 'graceful: ready') or diag($httpd->log->lines);
    my $before  = join ' ', sort $httpd->children;
    my $pause   = ($brief ? 0.8 : 1.5) * $slack;
    my $times   = $ENV{TEST_RESTARTS} || 5;
    my $seconds = ($times + 1) * $pause + 1;
    my $results = load($httpd, 10, $seconds, new_talks(2));
    for (1 .. $times) {
        sleep $pause;
        $httpd->signal('USR1');
    }
    my ($sum, $counted) = sums($results->());
    note(to_json($sum));
    my @bad = grep { !/^(POST 20[02]|GET 200)$/ } sort keys %$sum;
    is("@bad", '', 'graceful restarts under load: no request is refused, broken or wrong, no GET after a POST lacks it') or diag(to_json($sum));
    cmp_ok($sum->{'POST 202'} || 0, '<=', 0.05 * ($sum->{'POST 200'} || 0), 'ratings go on being visible at once') or diag(to_json($sum));
    all_counted($httpd, $counted, 'graceful');
    isnt(join(' ', sort $httpd->children), $before, 'the children are new ones');
    my $took = $httpd->stop;
    ok(defined $took && $took < 8, sprintf 'graceful: it stops, and leaves no process behind (%.1f s)', $took // -1);
}

# ---- restart, stop under load, start again ----

{
    my $httpd = own_httpd(name => 'restart', port => 2, %own)->expect_log(@usual)->start;
    my @at    = (port => $httpd->port);
    ok(wait_ready(@at), 'restart: ready');
    my $talk = new_talk();
    my $taken = 0;
    my $rate  = sub { my $status = rate($talk, 5, @at)->status; $taken++ if $status =~ /^20[02]$/; return $status };
    is($rate->(), 200, 'restart: a rating before');
    my %old = map { $_ => 1 } $httpd->children;
    $httpd->settle;
    $httpd->signal('HUP');
    ok(wait_until(sub { my @now = $httpd->children; @now && !grep { $old{$_} } @now }, 10), 'restart: the children are new ones');
    ok(wait_until(sub { $rate->() == 200 }, 10), 'restart: ratings are taken');
    is(total(histogram_of($talk, @at)), $taken, 'restart: nothing was lost, nothing counted twice');

    # graceful, as Debian's service ends httpd, and as requests that flow let event be ended: see settle
    my $results = load($httpd, 8, 3 * $slack, $talk);
    sleep 1.5 * $slack;
    my $took = $httpd->stop(signal => 'WINCH');
    ok(defined $took && $took < 15, sprintf 'graceful stop under load leaves no process behind (%.1f s)', $took // -1);
    my ($sum, $counted) = sums($results->());
    note(to_json($sum));
    ok(!grep({ /^(POST|GET) 5\d\d$/ && !/ 503/ } keys %$sum), 'graceful stop under load: no answer but good ones') or diag(to_json($sum));

    $httpd->start;
    ok(wait_ready(@at), 'it starts again');
    $taken += $counted->{$talk} || 0;
    ok(wait_until(sub { total(histogram_of($talk, @at) || { ratings => {} }) >= $taken }, 10), 'what was acknowledged before the stop is counted');
    $took = $httpd->stop;
    ok(defined $took && $took < 8, sprintf 'stop leaves no process behind (%.1f s)', $took // -1);
    $httpd->expect_log(qr/RT0501: request \S+ answered with 50[34]/);
}

# ---- children that end after some connections ----

{
    my $httpd = own_httpd(name => 'turnover', port => 3, %patient, after => "MaxConnectionsPerChild 40\n")->expect_log(@usual)->start;
    my @at    = (port => $httpd->port);
    ok(wait_ready(@at), 'turnover: ready');
    my %old = map { $_ => 1 } $httpd->children;
    my ($sum, $counted) = sums(load($httpd, 6, ($brief ? 3 : 5) * $slack, new_talk())->());
    note(to_json($sum));
    my @bad = grep { !/^(POST 20[02]|GET 200)$/ } sort keys %$sum;
    is("@bad", '', 'MaxConnectionsPerChild under load: no request is refused, broken or wrong') or diag(to_json($sum));
    ok((grep { !$old{$_} } $httpd->children), 'turnover: there are new children');
    all_counted($httpd, $counted, 'turnover');
    my $took = $httpd->stop;
    ok(defined $took && $took < 8, sprintf 'turnover: no process is left behind (%.1f s)', $took // -1);
}

# ---- the leader is killed: the next one does not wait for its lease to run out ----

{
    my $seconds = 30;
    my $httpd   = own_httpd(name => 'killed', port => 6, %own, before => "RatingsLease ${seconds}s\n")
        ->expect_log(@usual, qr/AH0005[12]: child (pid|process) \d+ exit signal Killed/)->start;
    my @at = (port => $httpd->port);
    ok(wait_ready(@at), 'killed: ready');
    my $talk   = new_talk();
    my $leader = sub { return (split /:/, redis(database => 6)->call('GET', 'ratings:projector') // '')[1] // 0 };
    is(rate($talk, 5, @at)->status, 200, 'killed: a rating before');
    my $killed = $leader->();
    kill 'KILL', $killed or die "kill $killed: $!";
    my $begun = time;
    ok(wait_until(sub { rate($talk, 4, @at)->status == 200 }, $seconds), 'killed: ratings are visible again');
    my $took = time - $begun;
    cmp_ok($took, '<', $seconds / 3, sprintf 'killed: long before the lease would have run out (%.2f s)', $took);
    isnt($leader->(), $killed, 'killed: another child leads');
    is(histogram_of($talk, @at)->{ratings}{5}, 1, 'killed: what was counted before is counted once');
    $took = $httpd->stop;
    ok(defined $took && $took < 8, sprintf 'killed: no process is left behind (%.1f s)', $took // -1);
}

# ---- ends while a backend hangs ----

# valgrind's timeouts are longer than httpd waits for a child
for my $server (sanitized() eq 'valgrind' ? () : $brief ? 'redis' : qw(redis kafka postgres)) {
    my $httpd = own_httpd(name => "hanging-$server", port => 4, %own)
        ->expect_log(@usual, qr/RT020[1-4]: circuit breaker opened/, qr/RT0501/, qr/RT0301/)->start;
    my @at = (port => $httpd->port);
    ok(wait_ready(@at), "$server hangs: ready before");
    expect_log(qr/RT020[1-4]: circuit breaker opened/, qr/RT0301/, qr/RT0501/);
    my @unknown = new_talks(4); # so that each request needs all backends
    stack('pause', $server);
    my $results = load($httpd, 4, 2, @unknown);
    sleep 0.5; # amid the second that a request waits, not at its end: see settle
    my $took = $httpd->stop(busy => 1);
    stack('resume', $server);
    $results->();
    # httpd looks at its children now and then: after 3.4 s next at 5.4 s, and kills them at 9 s
    ok(defined $took && $took < 7 * $slack, sprintf '%s hangs: httpd stops all the same (%.1f s)', $server, $took // -1);
}

# ---- ends while Kafka is slow ----

# Lets Kafka go on for a moment now and then, for half a minute at most; what ends that.
sub slow_down_kafka {
    my $kafka = server_pid('kafka');
    my $pid   = fork // die "fork: $!";
    if (!$pid) {
        for (1 .. 100) {
            kill 'STOP', $kafka;
            sleep 0.3;
            kill 'CONT', $kafka;
            sleep 0.02;
        }
        POSIX::_exit(0);
    }
    return sub { kill 'KILL', $pid; waitpid $pid, 0; kill 'CONT', $kafka };
}

unless ($brief) {
    my $httpd = own_httpd(name => 'slow-kafka', port => 5, %own)->expect_log(@usual, qr/RT020[36]/, qr/RT0301/);
    my $lease = sub { redis(database => 6)->call('GET', 'ratings:projector') };
    expect_log(qr/RT0203: circuit breaker opened/, qr/RT0301/);
    my $end_slowness = slow_down_kafka();
    $httpd->start;
    ok(wait_until($lease, 10), 'Kafka is slow: one child has the lease, and opens the log');
    my $took = $httpd->stop;
    is($lease->(), undef, sprintf 'it gives up the lease, for whoever starts next (%.1f s)', $took // -1);
    $end_slowness->();
}

finish();
