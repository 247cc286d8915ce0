# The endpoint metrics: each metric of docs/metrics.md in each format, values that move by what is known to have happened,
# nothing that a metric must not tell, and counters that do not go back, over graceful restarts and killed children.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time sleep);
use RatingsTest;

my $secret = secret_file('metrics.secret', 'a secret of the tests, thirty-two bytes or more');

my %own  = (topic => "ratings-metrics-$$", database => 12);
my $conf = RatingsTest::Httpd::backends(%own) . RatingsTest::Httpd::locations() . <<"END";
RatingsVoterSecret "file:$secret"
# one partition is enough to compute with
RatingsTopicPartitions 1
<Location "/voters/ratings">
    RatingsEndpoint ratings
    RatingsVoter cookie
</Location>
<Location "/refused">
    RatingsEndpoint talks
    Require all denied
</Location>
END
my $status = qq(<Location "/status">\nSetHandler server-status\n</Location>\n);
my $httpd = own_httpd(name => 'metrics', %own, modules => RatingsTest::Httpd::load('status'), conf => $conf . $status);
$httpd->expect_log(qr/RT0301: the projector is stalled/, qr/RT0305: the store is rebuilt/, qr/RT0501: request \S+ answered with 202/,
    qr/AH01630: client denied by server configuration/, qr/AH00052: child pid \d+ exit signal Killed/, qr/RT0304: record at partition/);
$httpd->start;
my @at = (port => $httpd->port);
ok(wait_ready(@at), 'ready') or BAIL_OUT('the service does not become ready');

my $prometheus = 'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
my %content_type = (
    text        => 'text/plain; version=0.0.4; charset=utf-8',
    openmetrics => 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    json        => 'application/json',
);
my %accept = (text => 'text/plain', openmetrics => 'application/openmetrics-text', json => 'application/json');

sub page_of { my ($format) = @_; return get('/metrics', @at, headers => [ Accept => $accept{$format} ])->body }

# 'name{a="b"}' => value, of the lines of a text
sub values_of {
    my ($text) = @_;
    my %value;
    for my $line (grep { !/^#/ } split /\n/, $text) {
        my ($series, $value) = $line =~ /^([a-z_]+(?:\{.*\})?) (-?[0-9.]+)$/ or die "no sample: $line";
        die "twice: $series" if exists $value{$series};
        $value{$series} = $value;
    }
    return \%value;
}

sub scrape { return values_of(page_of('text')) }

# ---- by Accept ----

for (
    [ undef,                                            'text' ],
    [ '*/*',                                            'text' ],
    [ 'text/html,application/xhtml+xml,*/*;q=0.8',      'text' ],
    [ 'text/plain',                                     'text' ],
    [ 'text/*',                                         'text' ],
    [ $prometheus,                                      'openmetrics' ],
    [ 'Application/OpenMetrics-Text; version=1.0.0',    'openmetrics' ],
    [ 'application/*',                                  'openmetrics' ],
    [ 'application/json',                               'json' ],
    [ 'application/json, text/plain;q=0.9',             'json' ],
    [ 'application/json;q=0.2, text/plain;q=0.9',       'text' ],
    [ 'text/plain;q=0, application/json;q=0.1',         'json' ],
    )
{
    my ($accept, $format) = @$_;
    my $response = get('/metrics', @at, headers => [ defined $accept ? (Accept => $accept) : () ]);
    my @is = ($response->status, map { $response->header($_) // '' } qw(Content-Type Cache-Control));
    is_deeply(\@is, [ 200, $content_type{$format}, 'no-store' ], 'Accept ' . ($accept // 'missing') . " is answered as $format") or diag($response->raw);
    like($response->header('Vary') // '', qr/\bAccept\b/, 'which caches can know');
}
problem_ok(get('/metrics', @at, headers => [ Accept => $_ ]), 406, "Accept $_ fits none") for 'text/html', 'image/*', '*/*;q=0', 'text/plain;q=0';

# ---- methods and paths ----

my $head = client(@at)->request('HEAD', '/metrics', []);
is($head->status . $head->body, '200', 'HEAD has no body');
for my $method (qw(POST PUT DELETE PATCH)) {
    my $response = client(@at)->request($method, '/metrics', [], $method eq 'DELETE' ? undef : 'x');
    problem_ok($response, 405, "$method is not allowed");
    is($response->header('Allow'), 'GET, HEAD, OPTIONS', "and an answer to $method says what is");
}
problem_ok(get('/metrics/x', @at), 404, 'there is nothing below');

# ---- traffic that is known ----

my ($first, $talk, $other) = new_talks(3);
my $voted;
ok(wait_until(sub { ($voted = rate($first, 3, @at, path => '/voters/ratings'))->status == 200 }, 20), 'a rating of a voter');
my ($cookie) = ($voted->header('Set-Cookie') // '') =~ /^ratings-voter=([^;]+)/;
ok(wait_until(sub { (scrape()->{'ratings_lag_records{partition="0"}'} // 1) == 0 }, 10), 'it is applied');
sleep 0.6; # the projector has looked once more
my @before_traffic = (time, scrape());
is(rate($talk, 3, @at, path => '/voters/ratings', headers => [ Cookie => "ratings-voter=$cookie" ])->status, 200, 'another one');
is(rate($talk,         4, @at)->status, 200, 'a rating') for 1 .. 4;
is(rate('no-such-one', 4, @at)->status, 404, 'one of no talk');
is(rate($talk,         9, @at)->status, 400, 'one that is none');
is(total(histogram_of($talk, @at)), 5, 'they are counted');
is(get("/ratings?talkId=$talk", @at)->status, 200, 'and read again') for 1 .. 3;
is(get("/ratings?talkId=$other", @at)->status, 200, 'another talk');
is(get('/refused', @at)->status, 403, 'a request that httpd refuses');
is(client(@at)->request('PURGE', '/ratings', [])->status, 405, 'a method that nobody knows');
topic_write($talk, 'garbage', '-t', $own{topic}, '-p', 0);

# The differences to `before` that are as wanted, once they are
my %wanted = (
    'ratings_requests_total{endpoint="ratings",method="POST",status="200"}'    => 5,
    'ratings_requests_total{endpoint="ratings",method="POST",status="404"}'    => 1,
    'ratings_requests_total{endpoint="ratings",method="POST",status="400"}'    => 1,
    'ratings_requests_total{endpoint="ratings",method="GET",status="200"}'     => 5,
    'ratings_requests_total{endpoint="ratings",method="other",status="405"}'   => 1,
    'ratings_requests_total{endpoint="talks",method="GET",status="403"}'       => 1,
    'ratings_submitted_total{outcome="visible"}'                               => 5,
    'ratings_submitted_total{outcome="no_talk"}'                               => 1,
    'ratings_submitted_total{outcome="unavailable"}'                           => 0,
    'ratings_voter_refusals_total'                                             => 0,
    'ratings_post_to_visible_seconds_count'                                    => 5,
    'ratings_cache_lookups_total{cache="statistics",result="miss"}'            => 2,
    'ratings_backend_calls_total{backend="talks",result="answered"}'           => 3,
    'ratings_backend_calls_total{backend="stream",result="answered"}'          => 5,
    'ratings_backend_calls_total{backend="stats",result="answered"}'           => 2,
    'ratings_backend_calls_total{backend="stats",result="failed"}'             => 0,
    'ratings_backend_call_seconds_count{backend="stream"}'                     => 5,
    'ratings_backend_call_seconds_count{backend="stats"}'                      => 2,
    'ratings_batch_records_sum'                                                => 6,
    'ratings_checkpoint_offset{partition="0"}'                                 => 6,
    'ratings_undecodable_records_total'                                        => 1,
    'ratings_duplicate_events_total'                                           => 0,
    'ratings_rebuilds_total'                                                   => 0,
    'ratings_breaker_openings_total{backend="store"}'                          => 0,
);
my ($begun, $before) = @before_traffic;
my $after;
ok(wait_until(sub {
    $after = scrape();
    return !grep { ($after->{$_} // 0) - ($before->{$_} // 0) != $wanted{$_} } keys %wanted;
}, 10), 'each counter has moved by what has happened') or diag(map { ($after->{$_} // 0) - ($before->{$_} // 0) . " of $wanted{$_}: $_\n" } sort keys %wanted);

my @came = map { /^ratings_requests_total\{endpoint="ratings",(.*)\}$/ ? $1 : () } sort keys %$after;
is_deeply([ grep { !/"POST",status="(?:202|503)"/ } @came ], # of a rating before all is ready
    [ map { my ($method, $status) = split; qq(method="$method",status="$status") } 'GET 200', 'POST 200', 'POST 400', 'POST 404', 'other 405' ],
    'and what has not come has no series');

my @lookups = map { $after->{$_} - $before->{$_} } map { qq(ratings_cache_lookups_total{cache="responses",result="$_"}) } qw(hit miss);
is($lookups[0] + $lookups[1], 5, 'each GET has looked into the response cache');
my @counts = map { $after->{$_} - $before->{$_} } map { qq(ratings_cache_lookups_total{cache="counts",result="$_"}) } qw(hit miss);
is($counts[0] + $counts[1], $lookups[1], 'and where that has none, for the counts that the leader has left');
cmp_ok($lookups[0], '>=', 1, 'in which some have found what they looked for');

my $took = time - $begun;
cmp_ok($after->{ratings_post_to_visible_seconds_sum} - $before->{ratings_post_to_visible_seconds_sum}, '>', 0,     'to become visible took a while');
cmp_ok($after->{ratings_post_to_visible_seconds_sum} - $before->{ratings_post_to_visible_seconds_sum}, '<', $took, 'and no longer than it was waited for');
cmp_ok($after->{'ratings_backend_call_seconds_sum{backend="talks"}'}, '>', 0, 'and so did calls');
is($after->{"ratings_breaker_state{backend=\"$_\",state=\"closed\"}"} . $after->{"ratings_breaker_state{backend=\"$_\",state=\"open\"}"}, '10', "the circuit breaker of $_ is closed") for qw(talks store stream stats);
is($after->{ratings_children}, scalar $httpd->children, 'each child is seen');
ok(wait_until(sub { (scrape()->{'ratings_lag_records{partition="0"}'} // 1) == 0 }, 10), 'there is no lag');
is(scrape()->{'ratings_lag_seconds{partition="0"}'}, 0, 'nor is anything old');
cmp_ok($after->{ratings_projector_step_age_seconds}, '<', 5, 'the projector makes steps');
is($after->{'ratings_rebuild_records{which="all"}'}, 0, 'and no rebuild');
my $limit = $after->{'ratings_bulkhead_limit{bulkhead="talks"}'};
cmp_ok($limit, '>', 0, "$limit threads may wait for PostgreSQL");
is($after->{"ratings_bulkhead_in_use{bulkhead=\"$_\"}"}, 0, "and nobody waits for $_") for qw(talks store stream stats projector position);
is($after->{'ratings_pool_limit{backend="store"}'}, 8 * $after->{ratings_children}, 'a child may have eight connections to Redis');
cmp_ok($after->{'ratings_pool_connections{backend="store",state="idle"}'}, '>', 0, 'some are open');
is($after->{'ratings_pool_connections{backend="store",state="in_use"}'}, 0, 'and none is in use');
is($after->{"ratings_append_slots_in_use{ring=\"$_\"}"}, 0, "ring $_ is empty") for 0 .. 3;

# ---- mod_status ----

sub status_of { return map { /^(ModRatings\w+): (.*)$/ ? ($1 => $2) : () } split /\n/, get('/status?auto', @at)->body }

my %state = (status_of());
is_deeply({ map { $_ => $state{$_} } grep { !/Requests|StepAge/ } keys %state },
    {
        ModRatingsServer => '127.0.0.1', (map { ("ModRatingsBreaker$_" => 'closed') } qw(Talks Store Stream Stats)), ModRatingsRebuild => 'none',
        ModRatingsLagRecords => 0, ModRatingsLagSeconds => 0, ModRatingsVisible => 6, ModRatingsAccepted => 0, ModRatingsUnavailable => 0, ModRatingsUnknown => 0,
        ModRatingsCacheHits => $after->{'ratings_cache_lookups_total{cache="responses",result="hit"}'}, ModRatingsCacheMisses => $after->{'ratings_cache_lookups_total{cache="responses",result="miss"}'},
    },
    'mod_status tells the same in a few lines') or diag(to_json(\%state));
cmp_ok($state{ModRatingsRequests}, '>=', 30, 'requests among them');
like($state{ModRatingsProjectorStepAge}, qr/^[01]$/, 'and the step before');
my $html = get('/status', @at)->body;
like($html, qr{<h2>mod_ratings: 127\.0\.0\.1</h2>\n<dl>\n<dt>Circuit breaker of PostgreSQL: closed</dt>}, 'also for people');
{
    my ($section) = read_file("$ENV{TEST_DOCS}/metrics.md") =~ /^## mod_status\n(.*)/ms;
    is_deeply([ sort keys %state ], [ sort grep { /^ModRatings/ } $section =~ /`(\w+)`/g ], 'docs/metrics.md has each line');
}

# ---- the formats, and the document ----

my %page = map { ($_ => page_of($_)) } keys %accept;

sub run_with_input {
    my ($input, @command) = @_;
    my $path = write_file("$ENV{TEST_LOGS}/metrics.page", $input);
    return run_program('sh', '-c', 'exec "$@" <' . "'$path'", 'sh', @command);
}

my $promtool = run_with_input($page{text}, qw(promtool check metrics));
is(transcript($promtool), "exit code 0\n", 'promtool check metrics has nothing to say');

my $parser = <<'END';
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    for sample in family.samples:
        print(family.name, family.type, family.unit, sample.name)
END
my $parsed = run_with_input($page{openmetrics}, 'python3', '-c', $parser);
is($parsed->{code}, 0, 'the parser of prometheus-client reads the page of OpenMetrics') or diag(transcript($parsed));
is($page{openmetrics} =~ /(.*\n)\z/ && $1, "# EOF\n", 'which has its end');

# 'name' => [type, labels, help], of the text: labels as those of its first series
sub described_by {
    my ($text) = @_;
    my %found;
    for my $block (split /^(?=# HELP )/m, $text) {
        my ($name, $help, $type, $series) = $block =~ /^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)\n(?:\w+(?:\{(.*)\})? \S+\n)?/ or die "no metric: $block";
        my @labels = grep { $_ ne 'le' } (($series // '') =~ /(\w+)="/g);
        $found{$name} = [ $type, join(', ', @labels), $help ];
    }
    return \%found;
}

sub documented {
    my %found;
    for my $line (lines_of("$ENV{TEST_DOCS}/metrics.md")) {
        my ($name, $type, $labels, $help) = $line =~ /^\| `(ratings_\w+)` \| (\w+) \| (.*?) \| (.*) \|$/ or next;
        $found{$name} = [ $type, $labels =~ tr/`//dr, $help ];
    }
    return \%found;
}
my ($described, $documented) = (described_by($page{text}), documented());
# of those without a series no labels are seen
for my $name (grep { $documented->{$_} && $page{text} !~ /^$_(?:_count)?[ {]/m } keys %$described) { $described->{$name}[1] = $documented->{$name}[1] }
is_deeply($described, $documented, 'docs/metrics.md has each metric, its type, labels and meaning');

# The values that a label has on the page, and in the document, by which t/prometheus/check goes
sub values_on_page { my ($label) = @_; my %found = map { $_ => 1 } $page{text} =~ /\b$label="([^"]*)"/g; return [ sort keys %found ] }
sub values_in_document {
    my ($label) = @_;
    my ($row) = map { /^\| `$label`[^|]*\| (.*) \|$/ ? $1 : () } lines_of("$ENV{TEST_DOCS}/metrics.md");
    my %found = map { $_ => 1 } $row =~ /`(\w+)`/g;
    return [ sort keys %found ];
}
is_deeply(values_in_document($_), values_on_page($_), "docs/metrics.md has the values of $_") for qw(outcome cache backend state which);
is_deeply([ sort qw(hit miss), @{ values_in_document('result') } ], values_on_page('result'), 'those of result');
is_deeply([ sort @{ values_in_document('bulkhead') }, @{ values_in_document('backend') } ], values_on_page('bulkhead'), 'and those of bulkhead');

my $json = json($page{json});
my %in_json = map { ($_->{name} => [ $_->{type} eq 'info' ? 'gauge' : $_->{type}, $_->{help} ]) } @{ $json->{metrics} };
is_deeply(\%in_json, { map { ($_ => [ @{ $described->{$_} }[ 0, 2 ] ]) } keys %$described }, 'JSON has the same metrics');
my %in_openmetrics = $page{openmetrics} =~ /^# HELP (\S+) (.*)$/mg;
is_deeply(\%in_openmetrics, { map { (s/_(?:total|info)\z//r => $described->{$_}[2]) } keys %$described }, 'and so has OpenMetrics');
is_deeply([ sort map { s/\{.*//r } keys %{ values_of($page{openmetrics} =~ s/le="(\d+)\.0"/le="$1"/gr) } ], [ sort map { s/\{.*//r } keys %{ values_of($page{text}) } ], 'with the same series');

# ---- what it must not tell ----

delete $state{ModRatingsServer};
my $everything = join "\n", values %page, %state;
for my $word ($talk, $other, $cookie, 'no-such-one', 'thirty-two bytes', '127.0.0.1', $ENV{TALKS_CONNECTION}, $ENV{RATINGS_CONNECTION}, $own{topic}, 'postgres:', 'redis:', 'garbage') {
    ok(index($everything, $word) < 0, "no page has '$word'");
}

# ---- a store that hangs ----

sub state_of_store { my ($values) = @_; my ($state) = grep { $values->{qq(ratings_breaker_state{backend="store",state="$_"})} } qw(closed open half_open); return $state }

{
    my @lines = (qr/RT0202: circuit breaker opened/, qr/RT0501: request/, qr/RT0301: the projector is stalled/, qr/RT0208: /);
    $httpd->expect_log(@lines);
    expect_log(@lines); # of the other httpd, which waits as well
    my ($then, $healthy) = (time, scrape());
    stack('pause', 'redis');
    is(rate($talk, 2, @at)->status, 202, 'a rating is durable') for 1, 2;
    is(get("/ratings?talkId=$talk", @at)->status, 503, 'and cannot be read') for 1 .. 7;
    my $hung;
    ok(wait_until(sub { $hung = scrape(); return state_of_store($hung) ne 'closed' }, 20), 'the circuit breaker opens');
    is($hung->{'ratings_lag_records{partition="0"}'}, 2, 'both are known not to be applied');
    my ($age, $since) = ($hung->{'ratings_lag_seconds{partition="0"}'}, time - $then);
    ok($age > 1 && $age < $since + 0.6, sprintf 'the first of them for %.1f s at most, after %.1f s', $age, $since);
    is(($hung->{'ratings_submitted_total{outcome="accepted"}'} - $healthy->{'ratings_submitted_total{outcome="accepted"}'}), 2, 'they were accepted');
    cmp_ok($hung->{'ratings_backend_calls_total{backend="store",result="timed_out"}'}, '>=', $healthy->{'ratings_backend_calls_total{backend="store",result="timed_out"}'} + 3, 'calls have timed out');
    is($hung->{'ratings_breaker_openings_total{backend="store"}'}, $healthy->{'ratings_breaker_openings_total{backend="store"}'} + 1, 'the breaker has opened once');
    is(scalar(grep { /^ModRatingsBreakerStore: (?:half )?open$/ } split /\n/, get('/status?auto', @at)->body), 1, 'as mod_status says');
    get("/ratings?talkId=$talk", @at) for 1 .. 4;
    cmp_ok(scrape()->{'ratings_breaker_refusals_total{backend="store"}'}, '>', $healthy->{'ratings_breaker_refusals_total{backend="store"}'}, 'and refuses calls');
    stack('resume', 'redis');
    my $healed;
    ok(wait_until(sub { $healed = scrape(); return state_of_store($healed) eq 'closed' && $healed->{'ratings_lag_records{partition="0"}'} == 0 }, 30), 'which ends with the pause') or diag(map { "$_ $healed->{$_}\n" } grep { /breaker_state|lag/ } sort keys %$healed);
    is($healed->{'ratings_lag_seconds{partition="0"}'}, 0, 'and so does the lag');
    ok(wait_until(sub { get("/ratings?talkId=$talk", @at)->status == 200 && get('/readyz')->status == 200 }, 30), 'all is as before');
}

# ---- never back ----

# What may not go down between two scrapes of a text, and what is wrong in the second one
sub faults_between {
    my ($first, $second) = @_;
    my @faults;
    for my $series (grep { /_(?:total|count|sum|bucket)(?:\{|\z)/ } keys %$first) {
        push @faults, "$series went from $first->{$series} to " . ($second->{$series} // 'nothing') if ($second->{$series} // -1) < $first->{$series};
    }
    for my $series (grep { /_count(?:\{|\z)/ } keys %$second) {
        (my $last = $series) =~ s/_count(?:\{(.*)\})?\z/'_bucket{' . (defined $1 ? "$1," : '') . 'le="+Inf"}'/e;
        push @faults, "$series is $second->{$series}, $last " . ($second->{$last} // 'missing') if ($second->{$last} // -1) != $second->{$series};
    }
    return @faults;
}

# Of a process, what is its own, in KB
sub memory_of {
    my ($pid) = @_;
    my ($memory) = map { /^RssAnon:\s+(\d+) kB/ } lines_of("/proc/$pid/status");
    return $memory // 0;
}

# Until told to stop by a file: rates and reads, one by one, or scrapes
my $stop = "$ENV{TEST_LOGS}/metrics.stop";
sub load {
    my ($index) = @_;
    my %status;
    while (!-e $stop) {
        my @close = (Connection => 'close');
        $status{ 'POST ' . (rate($other, 1 + $index, @at, headers => \@close)->status || 'none') }++;
        $status{ 'GET ' . (get("/ratings?talkId=$other", @at, headers => \@close)->status || 'none') }++;
    }
    return { status => \%status, faults => [] };
}

sub watch {
    my ($last, @faults, $scrapes) = scrape();
    while (!-e $stop) {
        my $response = get('/metrics', @at, headers => [ Accept => 'text/plain', Connection => 'close' ]);
        if ($response->status != 200) { push @faults, 'status ' . $response->status; next }
        my $now = values_of($response->body);
        push @faults, faults_between($last, $now);
        $last = $now;
        $scrapes++;
    }
    return { status => { scrapes => $scrapes }, faults => \@faults };
}

{
    my $restarts = $ENV{TEST_RESTARTS} || 20;
    my $start    = scrape();
    unlink $stop;
    my $results  = in_children(4, sub { my ($index) = @_; return $index < 3 ? load($index) : watch() });
    my @memory;
    for (1 .. $restarts) {
        sleep(0.4 * (sanitized() ? 2 : 1));
        push @memory, memory_of($httpd->pid);
        $httpd->signal('USR1');
    }
    note("memory of the parent: @memory[0, $#memory / 2, -1] KB");
    sleep 0.5;
    write_file($stop, '');
    my (%status, @faults);
    for my $result ($results->()) {
        push @faults, $result->{died} // (), @{ $result->{faults} || [] };
        $status{$_} += $result->{status}{$_} for keys %{ $result->{status} || {} };
    }
    note(to_json(\%status));
    is_deeply(\@faults, [], "over $restarts graceful restarts no counter goes back, and no page contradicts itself") or diag(splice @faults, 0, 20);
    cmp_ok($status{scrapes}, '>=', $restarts, 'it was looked at all along');
    my @bad = grep { !/^(?:scrapes|GET 200|POST 20[02])$/ } sort keys %status;
    is("@bad", '', 'and no request failed') or diag(to_json(\%status));
    my %answered = map { my ($method, $code) = split; (qq(ratings_requests_total{endpoint="ratings",method="$method",status="$code"}) => $status{$_}) } grep { !/scrapes/ } keys %status;
    my $end;
    ok(wait_until(sub { $end = scrape(); return !grep { ($end->{$_} // 0) - ($start->{$_} // 0) != $answered{$_} } keys %answered }, 10),
        'each request that was answered is counted, and once') or diag(map { ($end->{$_} // 0) - ($start->{$_} // 0) . " of $answered{$_}: $_\n" } sort keys %answered);
    ok(wait_until(sub { scrape()->{ratings_children} == $httpd->children }, 20), 'children that have ended are not seen any more');

    my ($victim) = $httpd->children;
    kill 'KILL', $victim;
    ok(wait_until(sub { !grep { $_ == $victim } $httpd->children }, 10), 'a child is killed');
    my $later = scrape();
    is_deeply([ faults_between($end, $later) ], [], 'its counters stay');
    ok(wait_until(sub { scrape()->{ratings_children} == $httpd->children }, 20), 'and what it used does not');
}

ok(defined $httpd->stop, 'it stops');
finish();
