# Ratings that real people gave: MovieLens 100K, its 943 people as voters and its 1,682 films as talks. Clients send
# them in the order of their times; a day after every tenth its voter changes it, and two days after every hundredth
# takes it back. Children of httpd are killed meanwhile, and what was not answered is sent again, which needs no key: a
# voter has one rating. Then each histogram is what a few lines of SQL make of the same file, which know nothing of the
# service, before and after the store is lost.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use RatingsTest qw(-alone);

my $topic   = 'ratings-real-' . int(time) . "-$$";
my $day     = 86_400;
my $clients = $ENV{TEST_CLIENTS};
my $told    = 100; # answers, after each of which a client says so

# ---- httpd ----

my $secret = secret_file('voters.secret', 'v' x 40);
my $httpd = own_httpd(
    name => 'real', topic => $topic,
    conf => RatingsTest::Httpd::backends(topic => $topic) . RatingsTest::Httpd::locations()
        . qq(RatingsVoterSecret "file:$secret"\n<Location "/ratings">\nRatingsVoter expr=%{HTTP:X-User}\nRatingsVoterRequired On\n</Location>\n)
        . "LogLevel warn ratings:info\nMaxKeepAliveRequests 0\n",
);
my @at = (port => $httpd->port);
$httpd->expect_log(qr/RT0305: the store is rebuilt/, qr/AH00052: child (?:pid|process) \d+ exit signal Killed/,
    qr/RT0301: the projector is stalled/, qr/RT0501: request \S+ answered with (?:202|503|504)/);
redis()->call('FLUSHALL');
$httpd->start;
ok(wait_ready(@at), 'ready') or BAIL_OUT('the service does not become ready');

# ---- what is sent ----

# The lines of the file: voter, talk, value and time of each rating
sub ratings {
    my (undef, @lines) = lines_of($ENV{TEST_RATINGS});
    return map { chomp; [split /\t/] } @lines;
}

# What is sent in the place of a rating that its voter changes
sub changed { my $value = shift; return $value % 5 + 1 }

# [ time, voter, talk, value ], a value undef for a rating taken back, in the order of the times
sub jobs {
    my ($n, @jobs) = (0);
    for (ratings()) {
        my ($voter, $talk, $value, $at) = @$_;
        $n++;
        push @jobs, [ $at, $voter, "film-$talk", $value ];
        push @jobs, [ $at + $day, $voter, "film-$talk", changed($value) ] if $n % 10 == 0;
        push @jobs, [ $at + 2 * $day, $voter, "film-$talk", undef ] if $n % 100 == 0;
    }
    return sort { $a->[0] <=> $b->[0] } @jobs;
}

# Whether it was taken: 202 says that it is durable, if not visible yet.
sub was_taken {
    my ($client, $job) = @_;
    my (undef, $voter, $talk, $value) = @$job;
    my @as = ('X-User' => "user-$voter");
    my $response = defined $value
        ? $client->request('POST', '/ratings', [ 'Content-Type' => 'application/json', @as ], qq({"talkId":"$talk","value":$value}))
        : $client->request('DELETE', "/ratings?talkId=$talk", \@as);
    $client->close unless $response->status;
    return $response->status =~ /^20[024]$/;
}

# One client: the ratings of its voters, one after the other, each until it is taken
sub send_all {
    my ($jobs, $tell) = @_;
    my ($client, $sent, $again) = (client(@at), 0, 0);
    for my $job (@$jobs) {
        my $until = time + 60;
        until (was_taken($client, $job)) {
            die "no answer to @$job[1, 2]\n" if time > $until;
            $again++;
            sleep 0.1;
        }
        syswrite $tell, '.' if ++$sent % $told == 0;
    }
    return { sent => $sent, again => $again };
}

# ---- what is expected: SQL on the file alone ----

sub sql {
    my ($text) = @_;
    open my $psql, '-|', 'psql', '-X', '-q', '-A', '-t', '-F', ' ', '-v', 'ON_ERROR_STOP=1', '-c', $text, $ENV{TALKS_CONNECTION} or die "psql: $!";
    chomp(my @rows = <$psql>);
    close $psql or die "psql: $text\n";
    return @rows;
}

sub load_file {
    RatingsTest::psql("set client_min_messages = warning;\ndrop table if exists film_ratings;\ncreate table film_ratings (n serial, voter int, film int, value int, at bigint);\n"
            . "\\copy film_ratings (voter, film, value, at) from '$ENV{TEST_RATINGS}' with (format csv, delimiter E'\\t', header)\n"
            . "delete from talks where uuid like 'film-%';\ninsert into talks (uuid, title) select distinct 'film-' || film, 'A film' from film_ratings");
}

# Of each talk the five counts, their sum and the average
my $expected = <<'END';
with last as (
    select film, case when n % 100 = 0 then null when n % 10 = 0 then value % 5 + 1 else value end as value
    from film_ratings
)
select 'film-' || film, count(*) filter (where value = 1), count(*) filter (where value = 2), count(*) filter (where value = 3),
    count(*) filter (where value = 4), count(*) filter (where value = 5), count(value), round(coalesce(avg(value), 0), 6)
from last group by film
END

sub by_talk { return map { my ($talk, $rest) = split / /, $_, 2; ($talk => $rest) } @_ }

# ---- what the service says, in the same form ----

sub numbers { my ($counts, $total, $average) = @_; return sprintf '%s %d %.6f', join(' ', @$counts{ 1 .. 5 }), $total, $average }

sub answered {
    my (@talks) = @_;
    my ($client, %found) = (client(@at));
    for my $talk (@talks) {
        my $response = $client->request('GET', "/ratings?talkId=$talk");
        my $answer = $response->status == 200 ? json($response->body) : undef;
        # statistics are left out while the Lambda is late, and nothing else is
        $found{$talk} = !$answer ? $response->status : !$answer->{stats} ? 'no statistics' : numbers($answer->{ratings}, @{ $answer->{stats} }{qw(totalCount avg)});
    }
    return \%found;
}

sub exported {
    my $run = ratingsctl('export', 'ratings', '--format', 'ndjson');
    return { map { my $row = json($_); ($row->{talk} => numbers($row, $row->{total}, $row->{average} // 0)) } split /\n/, $run->{out} };
}

sub ratingsctl { return run_program($ENV{RATINGSCTL}, @_, '--topic', $topic) }

# Those that differ: one line is shown
sub same_ok {
    my ($found, $wanted, $name) = @_;
    my @differ = grep { ($found->{$_} // 'none') ne ($wanted->{$_} // 'none') } sort keys %{ { %$found, %$wanted } };
    ok(!@differ, $name) or diag(scalar(@differ) . " differ, first $differ[0]: " . ($found->{ $differ[0] } // 'none') . ', not ' . ($wanted->{ $differ[0] } // 'none'));
}

# ---- the ratings are sent, and children killed ----

sub kill_child {
    my ($is_leader) = @_;
    my (undef, $leader) = split /:/, redis()->call('GET', 'ratings:projector') // '';
    my ($pid) = grep { ($_ == ($leader // 0)) == $is_leader } $httpd->children;
    return $pid && kill 'KILL', $pid;
}

load_file();
my %wanted = by_talk(sql($expected));
my @talks  = sort keys %wanted;
my @jobs   = jobs();
my @shares;
push @{ $shares[ $_->[1] % $clients ] }, $_ for @jobs;
my $begun = time;
pipe my $hears, my $tells or die "pipe: $!";
my $results = in_children($clients, sub { return send_all($shares[ $_[0] ] || [], $tells) });
close $tells;
my ($answers, $killed, @kill_at) = (0, 0, map { $_ * @jobs / 6 } 1 .. 5);
while (sysread $hears, my $dots, 1024) {
    $answers += $told * length $dots;
    next unless @kill_at && $answers >= $kill_at[0] && kill_child($killed % 2 == 0);
    shift @kill_at;
    $killed++;
}
my @results = $results->();
my $seconds = time - $begun;
my ($sent, $again) = (0, 0);
$sent += $_->{sent} // 0, $again += $_->{again} // 0 for @results;
is(join(' ', map { $_->{died} // () } @results), '', 'no client died');
is($sent, scalar @jobs, "$sent ratings, changes and withdrawals by 943 voters are taken");
is($killed, 5, 'while five children were killed');

# ---- what the service, its log and the tool say of them ----

my ($rebuild, $votes, $bytes);

# Until what was answered with 202 is visible as well
sub wait_for_lag {
    return wait_until(sub { my $run = ratingsctl('audit', '--json'); return $run->{code} == 0 && !grep { $_->{lag} } @{ json($run->{out})->{partitions} } }, 60, 0.5);
}

sub compare {
    my ($when) = @_;
    ok(wait_for_lag(), "ratingsctl audit is clean $when") or diag(transcript(ratingsctl('audit')));
    same_ok(answered(@talks), \%wanted, 'the histograms and averages of ' . @talks . " talks are SQL's $when");
    explain_ok($when);
}

# Of the talk with the most ratings, by event
sub explain_ok {
    my ($when) = @_;
    my ($talk) = sort { (split / /, $wanted{$b})[5] <=> (split / /, $wanted{$a})[5] || $a cmp $b } @talks;
    my $run = ratingsctl('explain', $talk, '--json');
    is($run->{code}, 0, "ratingsctl explains $talk $when") or return diag(transcript($run));
    my $explanation = json($run->{out});
    my %verdicts;
    $verdicts{ $_->{verdict} }++ for @{ $explanation->{events} };
    is(numbers($explanation->{counts}{log}, $verdicts{counted}, (split / /, $wanted{$talk})[6]), $wanted{$talk}, 'and counts as many events');
    my ($changes, $withdrawals) = split / /, (sql("select count(*) filter (where n % 10 = 0), count(*) filter (where n % 100 = 0) from film_ratings where 'film-' || film = '$talk'"))[0];
    # one that was sent again is one more
    cmp_ok($verdicts{replaced}, '>=', $changes, 'and as many changes at least');
    cmp_ok($verdicts{withdrawal} // 0, '>=', $withdrawals, 'and withdrawals');
}

# The voters' keys alone, by Redis' own account of each: of how many ratings, and how many bytes
sub weigh {
    my ($redis, $cursor, $count, $size) = (redis(), '0', 0, 0);
    do {
        my $reply = $redis->call('SCAN', $cursor, 'MATCH', 'ratings:voters/*', 'COUNT', 1000);
        $cursor = $reply->[0];
        $count += $redis->call('HLEN', $_), $size += $redis->call(qw(MEMORY USAGE), $_, 'SAMPLES', 0) for @{ $reply->[1] };
    } while ($cursor ne '0');
    return ($count, $size);
}

compare('as they were applied');
same_ok(exported(), \%wanted, 'so are those that ratingsctl exports');
($votes, $bytes) = weigh();
is($votes, (sql('select count(*) from film_ratings where n % 100 <> 0'))[0], 'the store has each voter\'s rating once');

my $lost = generation();
$begun = time;
redis()->call('FLUSHALL');
ok(wait_until(sub { rebuilt_since($lost) }, 60), 'the store is rebuilt after it was lost');
$rebuild = time - $begun;
compare('after the rebuild');

note sprintf '%d requests by %d clients in %.1f s, %.0f/s; %d sent again, %d children killed', $sent, $clients, $seconds, $sent / $seconds, $again, $killed;
note sprintf '%d ratings of voters: %.1f bytes of Redis a voter and talk; rebuilt in %.2f s', $votes, $bytes / $votes, $rebuild;
RatingsTest::psql('drop table film_ratings');
finish();
