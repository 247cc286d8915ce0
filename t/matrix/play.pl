# Plays one row of t/matrix/rows: perl t/matrix/play.pl NAME PRODUCT PROGRAM SAYS PART WORD...
#
# httpd with the module and the product: twenty ratings of each of three talks, a GET of each, the product's restart, a POST and a
# GET after it, ratingsctl audit. Of a product that cannot work, the error log must say why. What was seen goes to
# TEST_LOGS/seen: a word, the product's version or a dash, and a sentence, separated by tabs.
#
# From the environment: MATRIX_LIBRARY, a librdkafka that takes the place of the system's in httpd and ratingsctl; what the parts need.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest qw(-alone);
use Matrix::Parts ();

my ($name, $product, $program, $says, $part_name, @words) = @ARGV;
my $topic = "matrix-$name-" . int time;
my (@seen, @talks, %counted, $database);
my $version  = '';
my $may_work = $says =~ s/^or //; # with newer libraries, say
my $has_worked;

sub note_row {
    my ($word) = @_;
    write_file("$ENV{TEST_LOGS}/seen", join("\t", $word, $version || '-', join('; ', @seen)) . "\n");
    return;
}

# A line of a log, from its tag on.
sub told { my ($line) = @_; return $line =~ s/^.*?(?=RT0)//r =~ s/[\r\n|]+//gr }

# One rating, if it is to be 200.
sub rate_once {
    my ($talk, $value, @at) = @_;
    my $response = rate($talk, $value, @at);
    $counted{$talk}{$value}++ if $response->status =~ /^20[02]$/;
    return $response;
}

# What was taken is what is counted, of each talk.
sub counts_agree {
    my ($when, @at) = @_;
    my @wrong;
    for my $talk (@talks) {
        my $answer;
        my %wanted = map { $_ => $counted{$talk}{$_} // 0 } 1 .. 5;
        wait_until(sub { $answer = histogram_of($talk, @at); $answer && $answer->{stats} && to_json($answer->{ratings}) eq to_json(\%wanted) }, 15)
            or push @wrong, to_json([ $answer, \%wanted ]);
    }
    ok(!@wrong, "$when: each talk counts what was taken, with statistics") or diag("@wrong");
    push @seen, "$when: counts differ" if @wrong;
    return;
}

sub rates_and_reads {
    my (@at) = @_;
    my %statuses;
    for my $round (0 .. 59) { $statuses{ rate_once($talks[ $round % 3 ], 1 + $round % 5, @at)->status // 0 }++ }
    is_deeply(\%statuses, { 200 => 60 }, 'sixty ratings are 200') or diag(to_json(\%statuses));
    push @seen, 'POST ' . join ', ', map { "$statuses{$_} x $_" } sort keys %statuses;
    counts_agree('at first', @at);
    return;
}

# After what happens to the product, a POST is 200 within the time; one that nobody knows whether it counts (504) is of a talk
# of its own.
sub survives {
    my ($part, @at) = @_;
    my $spare = new_talk();
    $part->{restart}->();
    my ($begun, $within) = (time, $part->{within} // 30);
    my $well = wait_until(sub { rate($spare, 3, @at)->status == 200 && histogram_of($spare, @at) }, 60, 0.02);
    my $took = time - $begun;
    ok($well && $took < $within, sprintf '%s: POST is 200 after %.1f s', $part->{how}, $took) or diag(get('/readyz', @at)->body);
    push @seen, sprintf $well ? '%s: POST 200 after %.1f s' : '%s: no POST is 200', $part->{how}, $took;
    is(rate_once($_, 5, @at)->status, 200, "$part->{how}: a rating") for @talks;
    counts_agree('after that', @at);
    return;
}

sub after_idleness {
    my ($part, @at) = @_;
    my @wrong;
    for my $round (1 .. 3) {
        sleep $part->{idle};
        my $response = rate_once($talks[0], 4, @at);
        push @wrong, $response->status unless $response->status == 200;
        my $answer = histogram_of($talks[1], @at);
        push @wrong, 'GET' unless $answer && $answer->{stats};
    }
    is_deeply(\@wrong, [], "three times after $part->{idle} s without a request: POST and GET are well");
    push @seen, @wrong ? "idle: @wrong" : "after $part->{idle} s of idleness, three times: POST and GET 200";
    return;
}

# Of a broker that keeps the client's times: from the first request on, whatever happens to httpd. 503: it is not known yet.
sub refuses_keys {
    my ($when, @at) = @_;
    my %statuses;
    my $is_refused = wait_until(sub {
        my $status = post(to_json({ talkId => $talks[0], value => 1 }), @at, headers => [ 'Idempotency-Key' => '"a key"' ])->status // 0;
        $statuses{$status}++;
        return $status == 501;
    }, 10, 0.02);
    my $is_well = $is_refused && !grep { !/^50[13]$/ } keys %statuses;
    ok($is_well, "$when: an Idempotency-Key is refused") or diag(to_json(\%statuses));
    push @seen, "Idempotency-Key $when: " . join ', ', sort keys %statuses unless $is_well;
    return $is_well;
}

sub goes_on_refusing_keys {
    my ($httpd, @at) = @_;
    my $is_well = refuses_keys('after sixty ratings', @at);
    my %old     = map { $_ => 1 } $httpd->children;
    $httpd->signal('USR1');
    ok(wait_until(sub { my @now = $httpd->children; @now && !grep { $old{$_} } @now }, 20), 'graceful: the children are new ones');
    $is_well = refuses_keys('after a graceful restart', @at) && $is_well;
    $httpd->stop;
    $httpd->start;
    $is_well = refuses_keys('after a stop and a start', @at) && $is_well;
    push @seen, 'Idempotency-Key: 501' if $is_well;
    return;
}

sub agrees_with_the_log {
    my ($part) = @_;
    my $store = $ENV{RATINGS_CONNECTION} . ($database ? "/$database" : '');
    my $run   = run_program($ENV{RATINGSCTL}, 'audit', '--timeout', 10, '--topic', $topic, '--store', $store, map { ('-X', $_) } @{ $part->{properties} || [] });
    is($run->{code}, 0, 'ratingsctl audit: store and log agree') or diag(transcript($run));
    push @seen, $run->{code} ? 'audit: ' . ($run->{err} || $run->{out}) =~ s/\s+/ /gr : 'audit agrees';
    return;
}

# ---- httpds ----

sub httpd_of {
    my ($part, %options) = @_;
    my $httpd = own_httpd(topic => $topic, database => $database, %{ $part->{httpd} || {} }, %options, before => ($options{before} // '') . "RatingsCacheTTL 0s\n");
    $httpd->expect_log(qr/RT0\d\d\d: /, @{ $part->{expect} || [] }); # what the service itself says is judged by what it does
    return $httpd;
}

# Whether one beside the row's, on the same topic and store, works as a whole, or is refused and its log has the cause.
sub goes_as_it_must {
    my ($httpd, $cause) = @_;
    my @at      = (port => $httpd->port);
    my $spare   = new_talk();
    my $worked  = 0;
    my $is_seen = wait_until(sub {
        $worked ||= rate($spare, 3, @at)->status == 200 && (histogram_of($spare, @at) || {})->{stats};
        return $cause ? $httpd->log->has($cause) : $worked;
    }, 40, 0.2);
    return $cause ? $is_seen && !$worked : $is_seen;
}

sub others_go_as_they_must {
    my ($part) = @_;
    my @others = @{ $part->{others} || [] };
    for my $number (1 .. @others) {
        my ($what, $before, $variables, $cause) = @{ $others[ $number - 1 ] };
        local %ENV = (%ENV, %$variables);
        my $httpd   = httpd_of($part, name => "other-$number", port => 2, before => $before)->start;
        my $must    = $cause ? 'refused' : 'taken';
        my $is_well = goes_as_it_must($httpd, $cause);
        ok($is_well, "$what: $must") or diag($httpd->log->lines);
        push @seen, "$what: " . ($is_well ? '' : 'NOT ') . $must;
        $httpd->stop;
    }
    return;
}

# ---- what cannot work ----

# The first line of the log that has the cause; without it, what the log has instead.
sub says_why {
    my ($httpd) = @_;
    my $line;
    ok(wait_until(sub {
        rate($talks[0], 5, port => $httpd->port);
        get('/readyz', port => $httpd->port);
        ($line) = grep { $_ =~ $says } $httpd->log->lines;
        return $line;
    }, 40, 0.2), 'the error log names the cause');
    ($line) = reverse grep { /RT0\d+: .*/ } $httpd->log->lines unless $line;
    push @seen, told($line // 'nothing');
    is(get('/readyz', port => $httpd->port)->status, 503, 'and the service is not ready');
    return;
}

# Of what httpd refuses when it starts.
sub does_not_start {
    my ($output) = @_;
    my ($line) = grep { $_ =~ $says } split /\n/, $output;
    ok($line, 'httpd does not start, and names the cause') or diag($output);
    push @seen, 'httpd does not start: ' . told($line // $output);
    return;
}

# ---- the row ----

sub works {
    my ($httpd, $part) = @_;
    my @at = (port => $httpd->port);
    if (!ok(wait_ready(@at), 'ready')) {
        my ($line) = reverse grep { /RT0\d+: / } $httpd->log->lines;
        push @seen, 'not ready: ' . told($line // 'and the log does not say why');
        return diag(get('/readyz', @at)->body);
    }
    refuses_keys('at first', @at) if $part->{client_times};
    rates_and_reads(@at);
    goes_on_refusing_keys($httpd, @at) if $part->{client_times};
    after_idleness($part, @at) if $part->{idle};
    $part->{more}->(\@seen, $talks[0], \&rate_once, @at) if $part->{more};
    counts_agree('in between', @at) if $part->{idle} || $part->{more};
    others_go_as_they_must($part);
    survives($part, @at) if $part->{restart};
    push @seen, 'it keeps nothing: not restarted' if $part->{forgets};
    agrees_with_the_log($part);
    return;
}

# Whether it is ready, of what may work or say why; else as the row has it.
sub can_work {
    my ($httpd) = @_;
    return !$says unless $may_work;
    my $ready;
    wait_until(sub { $ready = get('/readyz', port => $httpd->port)->status == 200; $ready || $httpd->log->has($says) }, 40, 0.2);
    return $ready;
}

sub play {
    my $part = Matrix::Parts::play($part_name, $program, @words);
    $version = $part->{version};
    local %ENV = (%ENV, %{ $part->{variables} || {} }, Matrix::Parts::library());
    $database = ($part->{variables} || {})->{RATINGS_CONNECTION} && $part_name !~ /idle/ ? 0 : 1;
    my $httpd = httpd_of($part, name => 'httpd', before => $part->{before});
    my ($code, $output) = $httpd->configtest;
    if ($code && $says) { does_not_start($output); return finish() }
    $httpd->start;
    @talks = new_talks(3);
    $has_worked = can_work($httpd);
    if ($has_worked) { works($httpd, $part) } else { says_why($httpd) }
    finish();
    return;
}

eval { play(); 1 } or do { push @seen, $@ =~ s/\s+/ /gr; ok(0, 'it was played') or diag($@); done_testing() };
my $passed = Test::More->builder->is_passing;
note_row(!$passed ? 'FAILED' : $has_worked ? 'works' : 'says why');
exit($passed ? 0 : 1);
