# What operators follow a request and an outage by: notes for access logs, the trace in the event and at the Lambda, and
# how many lines of the error log an outage of Kafka is worth.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest;
use RatingsTest::Tool ();

my $trace  = '4bf92f3577b34da6a3ce929d0e0e4736';
my $parent = "00-$trace-00f067aa0ba902b7-01";
my $states = 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE';
my @traced = (traceparent => $parent, tracestate => $states);
my %own    = (topic => "ratings-logs-$$", database => 12);
my @usual  = (qr/RT0301: the projector is stalled/, qr/RT0305: /, qr/RT0501: request \S+ answered with (?:202|50[34])/);

# The lines of the access log below, each a hash: status, and the notes by their names.
my @notes  = qw(outcome cache talks-us store-us stream-us stats-us trace);
my $format = 'LogFormat "%>s ' . join(' ', map { "%{ratings-$_}n" } @notes) . qq(" ratings\nCustomLog "$ENV{TEST_LOGS}/notes.log" ratings\n);

sub notes_of { return map { my %line; @line{ 'status', @notes } = split; \%line } lines_of($_[0]) }

# What the access log says of the request that the code makes.
sub noted(&) {
    my ($code) = @_;
    my $before = notes_of("$ENV{TEST_LOGS}/notes.log");
    my $status = $code->()->status;
    my @lines;
    wait_until(sub { @lines = notes_of("$ENV{TEST_LOGS}/notes.log"); @lines > $before }, 5) or return {};
    is(scalar(@lines), $before + 1, 'one line');
    is($lines[-1]{status}, $status, "of status $status");
    return $lines[-1];
}

# ---- off: nothing is different ----

my $function_port = $ENV{HTTP_PORT} + 8;
my $function      = RatingsTest::Tool->new('function', $function_port);

sub start {
    my ($name, $path, $directives, %options) = @_;
    local $ENV{RATINGS_LAMBDA_URL} = "http://127.0.0.1:$function_port/$path";
    my $httpd = own_httpd(name => "logs-$name", %own, %options, before => $directives . $format)->expect_log(@usual)->start;
    ok(wait_ready(port => $httpd->port), "$name: ready") or diag(get('/readyz', port => $httpd->port)->body);
    return ($httpd, port => $httpd->port);
}

sub events_of {
    my ($talk, $since) = @_;
    return grep { ($_->{key} // '') eq $talk } topic_since($since, $own{topic});
}

{
    my ($httpd, @at) = start('off', 'untraced', '');
    my ($talk, $since) = (new_talk(), time - 1);
    my $line = noted { rate($talk, 5, @at, headers => \@traced) };
    is_deeply([ @$line{@notes} ], [ ('-') x @notes ], 'without RatingsNotes there are none');
    my %headers = @{ (events_of($talk, $since))[0]{headers} };
    is(join(' ', sort keys %headers), 'ce_id ce_source ce_specversion ce_time ce_type content-type', 'without RatingsTraceContext the event has no trace');
    ok(json(get("/ratings?talkId=$talk", @at, headers => \@traced)->body)->{stats}, 'nor has the call of the Lambda');
    $httpd->stop;
}

# ---- notes ----

{
    my ($httpd, @at) = start('notes', 'ok', "RatingsNotes On\n");
    my $talk = new_talk();
    my $post = noted { rate($talk, 5, @at, headers => \@traced) };
    is("$post->{status} $post->{outcome} $post->{cache}", '200 visible -', 'a rating: visible');
    like($post->{'talks-us'}, qr/^\d+$/, 'with the time of PostgreSQL') and cmp_ok($post->{'talks-us'}, '<', 5e6, 'in microseconds');
    like($post->{'stream-us'}, qr/^[1-9]\d*$/, 'and of Kafka');
    is("@$post{qw(store-us stats-us trace)}", '- - -', 'others were not asked, and traces are not read');
    my $get = noted { get("/ratings?talkId=$talk", @at) };
    is("$get->{status} $get->{outcome}", '200 read', 'a read');
    like($get->{cache}, qr/^(?:counts|miss)$/, 'that the response cache did not answer');
    is($get->{'store-us'} eq '-', $get->{cache} eq 'counts', 'Redis was asked for a miss alone');
    like($get->{'stats-us'}, qr/^[1-9]\d*$/, 'the time of the Lambda');
    my $hit;
    ok(wait_until(sub { ($hit = noted { get("/ratings?talkId=$talk", @at) })->{cache} eq 'hit' }, 5), 'then the response cache answers');
    is_deeply([ @$hit{@notes} ], [ qw(read hit - - - - -) ], 'without any backend');
    my $other = new_talk();
    my $miss  = noted { get("/ratings?talkId=$other", @at) };
    is("$miss->{outcome} $miss->{cache}", 'read miss', 'a talk that nobody has asked for: a miss');
    like($miss->{'store-us'}, qr/^[1-9]\d*$/, 'with the time of Redis');
    my $none = noted { get('/ratings?talkId=nothing', @at) };
    is("$none->{status} $none->{outcome} $none->{cache}", '404 no_talk -', 'no such talk');
    my $bad = noted { post('{', @at) };
    is("$bad->{status} $bad->{outcome}", '400 -', 'what is refused before has no outcome');
    my $list = noted { get('/talks?limit=1', @at) };
    is("$list->{status} $list->{outcome}", '200 read', 'the talks are read as well');
    $httpd->stop;
}

# ---- traces ----

my @malformed = ("00-$trace-00f067aa0ba902b7", uc $parent, "$parent, $parent", "ff-$trace-00f067aa0ba902b7-01", '00-' . '0' x 32 . '-00f067aa0ba902b7-01', "$parent-", 'x' x 4000);

{
    my ($httpd, @at) = start('trace', 'traced', "RatingsTraceContext On\nRatingsNotes On\nRatingsStatsMemo Off\n",
        after => qq(<Location "/ratings">\nRatingsOrigin "https://a.example"\n</Location>\n));
    my ($talk, $since) = (new_talk(), time - 1);
    is((noted { rate($talk, 5, @at, headers => \@traced) })->{trace}, $trace, 'the note has the id of the trace');
    my %headers = @{ (events_of($talk, $since))[0]{headers} };
    is_deeply([ @headers{qw(traceparent tracestate ce_traceparent ce_tracestate)} ], [ ($parent, $states) x 2 ], 'the event has the trace, in both spellings');
    is(get("/ratings?talkId=$talk", @at)->body =~ /"stats"/ ? 1 : 0, 0, 'the Lambda that wants one gets none without');
    ok(json(get("/ratings?talkId=$talk", @at, headers => \@traced)->body)->{stats}, 'and gets what the client has sent');

    my $longer = new_talk();
    rate($longer, 5, @at, headers => [ traceparent => "cc-$trace-00f067aa0ba902b7-01-future", tracestate => join ',', map { "k$_=" . 'x' x 96 } 0 .. 9 ]);
    %headers = @{ (events_of($longer, $since))[0]{headers} };
    is($headers{traceparent}, $parent, 'of a later version the event has what is known');
    is($headers{tracestate}, join(',', map { "k$_=" . 'x' x 96 } 0 .. 4), 'of a long tracestate whole members, up to 512 characters');

    my $one = new_talk();
    rate($one, 5, @at, headers => [ traceparent => $parent, tracestate => 'a=1=2' ]);
    %headers = @{ (events_of($one, $since))[0]{headers} };
    is($headers{traceparent} . ($headers{tracestate} // ' none'), "$parent none", 'a malformed tracestate is dropped alone');
    my $bad = new_talk();
    for my $malformed (@malformed) {
        my $response = rate($bad, 5, @at, headers => [ traceparent => $malformed, tracestate => 'a=1' ]);
        is($response->status, 200, 'a malformed traceparent is no reason to refuse: ' . substr $malformed, 0, 60);
    }
    my @events = events_of($bad, $since);
    is(scalar(@events), scalar(@malformed), 'each rating is recorded');
    is((grep { my %header = @{ $_->{headers} }; grep { /trace/ } keys %header } @events), 0, 'none has a trace');
    is(total(histogram_of($bad, @at)), scalar(@malformed), 'and all count');

    my $preflight = client(@at)->request('OPTIONS', '/ratings', [ Origin => 'https://a.example', 'Access-Control-Request-Method' => 'POST' ]);
    like($preflight->header('Access-Control-Allow-Headers'), qr/, traceparent, tracestate$/, 'pages of other origins may send them');
    $httpd->stop;
}

# ---- lines of an outage ----

# How many lines at info and above begin with each tag, those of httpd left out.
sub counts_of {
    my %count;
    for (@_) { $count{"$2 $1"}++ if /\[ratings:(\w+)\].* (RT\d{4}): / && $1 !~ /^(?:debug|trace)/ }
    return \%count;
}

{
    my ($httpd, @at) = start('outage', 'ok', "RatingsStreamTimeout 1500ms\n");
    $httpd->expect_log(qr/RT0203: circuit breaker opened/);
    expect_log(qr/RT0203: circuit breaker opened|RT0301: |RT0501: /);
    my $talk = new_talk();
    is(rate($talk, 5, @at)->status, 200, 'a rating');
    my $before = () = $httpd->log->lines;
    my $since  = sub { my @lines = $httpd->log->lines; return @lines[ $before .. $#lines ] };
    stack('stop', 'kafka');
    my $until = time + 8;
    in_children(8, sub { my $count = 0; while (time < $until) { rate($talk, 5, @at); $count++; sleep 0.02 } return { count => $count } })->();
    my @away = $since->();
    stack('start', 'kafka');
    ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, 60), 'Kafka has recovered, and a rating is taken');
    ok(wait_until(sub { grep { /RT0212: / } $since->() }, 30), 'a line says that its broker answers again');
    ok(wait_ready(@at), 'ready again');
    my ($gone, $all) = (counts_of(@away), counts_of($since->()));
    note "$_: $gone->{$_} while Kafka was stopped" for sort keys %$gone;
    note "$_: $all->{$_} in all" for sort keys %$all;
    is($gone->{'RT0206 info'}, 1, 'while Kafka is stopped, one line says that it cannot be reached');
    like((grep { /:info\].* RT0206: / } @away)[0], qr/RT0206: librdkafka: 127\.0\.0\.1:\d+\/\S+: .*(?:refused|Disconnected|reset)/i, 'which broker, and why');
    is($gone->{'RT0203 error'}, 1, 'one that the circuit breaker has opened');
    # a request that failed by itself has a line, one a second and child at most: that of an open circuit breaker stands for the others
    cmp_ok($all->{'RT0501 error'} // 0, '<=', 16, 'few lines of requests, of the hundreds that failed');
    cmp_ok($all->{$_}, '<=', 2, "at most two lines of any other kind: $_") for grep { !/RT0501/ } sort keys %$all;
    ok(!(grep { /ratings:error\].* RT0501: .*circuit breaker/ } $since->()), 'none says that the circuit breaker is open');
    is($all->{'RT0212 info'}, 1, 'and one that it answers again');
    $httpd->stop;
}

finish();
