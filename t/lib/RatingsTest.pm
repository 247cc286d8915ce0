# What the service tests share: raw HTTP, the backends, httpds of a test's own, the error log.
package RatingsTest;

use strict;
use warnings;
use parent 'Exporter';
use File::Path qw(make_path);
use File::Temp ();
use IO::Socket::INET;
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use RatingsTest::Client ();
use RatingsTest::File   qw(read_file write_file secret_file lines_of);
use RatingsTest::Guard  ();
use RatingsTest::Httpd  ();
use RatingsTest::Log    ();
use RatingsTest::Redis  ();

our @EXPORT = qw(
    client get post post_form rate histogram_of total problem_ok
    new_talks new_talk delete_talks redis topic_since topic_write stack
    read_file write_file secret_file lines_of
    server_pid set_topic wait_until wait_ready own_httpd expect_log mpm sanitized slower finish
    run_program transcript check_report check_finding json to_json note_time in_children generation rebuilt_since
);

$SIG{PIPE} = 'IGNORE';

my $log;      # of the httpd that Apache::Test runs; undef where the test has none
my @own;      # httpds of the test's own
my %emptied;  # databases of Redis
my %stopped;  # servers
my $program = $$; # not a child of it
my $serial = 0;

sub mpm       { $ENV{TEST_MPM} }
sub sanitized { $ENV{TEST_SANITIZED} }

# How many times longer than usual something may take: so many under a sanitizer, twice as many under valgrind.
sub slower { my ($times) = @_; return !sanitized() ? 1 : sanitized() eq 'valgrind' ? 2 * $times : $times }

sub import {
    my ($class, @arguments) = @_;
    RatingsTest::Guard::begin();
    $log = RatingsTest::Log->new("$ENV{TEST_LOGS}/error_log") if $ENV{TEST_LOGS} && !grep { $_ eq '-alone' } @arguments;
    $class->export_to_level(1, $class, @EXPORT);
}

# ---- JSON ----

my $codec = JSON::PP->new->utf8->canonical;
sub json    { my $text = shift; return eval { $codec->decode($text) } }
sub to_json { return $codec->encode(shift) }

# ---- HTTP ----

sub client { return RatingsTest::Client->new(@_) }

sub get {
    my ($path, %options) = @_;
    return client(%options)->request('GET', $path, $options{headers} || []);
}

sub post {
    my ($body, %options) = @_;
    my @headers = (@{ $options{headers} || [] }, 'Content-Type' => $options{type} || 'application/json');
    return client(%options)->request('POST', $options{path} || '/ratings', \@headers, $body);
}

sub post_form { my ($body, %options) = @_; return post($body, %options, type => 'application/x-www-form-urlencoded') }

sub rate {
    my ($talk, $value, %options) = @_;
    return post(to_json({ talkId => $talk, value => $value }), %options);
}

sub escape { my $text = shift; $text =~ s/([^A-Za-z0-9_.-])/sprintf '%%%02X', ord $1/ge; return $text }

# The answer to GET, decoded; undef unless it is a 200.
sub histogram_of {
    my ($talk, %options) = @_;
    my $response = get('/ratings?talkId=' . escape($talk), %options);
    return $response->status == 200 ? json($response->body) : undef;
}

sub total { my $answer = shift; my $sum = 0; $sum += $_ for values %{ $answer->{ratings} }; return $sum }

# The titles of RFC 9110, whatever httpd calls a status.
my %titles = (
    400 => 'Bad Request', 401 => 'Unauthorized', 403 => 'Forbidden', 404 => 'Not Found', 405 => 'Method Not Allowed', 406 => 'Not Acceptable', 408 => 'Request Timeout', 412 => 'Precondition Failed',
    413 => 'Content Too Large', 415 => 'Unsupported Media Type', 422 => 'Unprocessable Content', 429 => 'Too Many Requests', 500 => 'Internal Server Error',
    501 => 'Not Implemented', 503 => 'Service Unavailable', 504 => 'Gateway Timeout',
);

# A problem document of RFC 9457 that gives nothing away.
sub problem_ok {
    my ($response, $status, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $problem = json($response->body) || {};
    my @wrong;
    push @wrong, 'status ' . $response->status . " instead of $status" if $response->status != $status;
    push @wrong, 'type ' . ($response->header('Content-Type') // 'none')
        if ($response->header('Content-Type') // '') ne 'application/problem+json';
    push @wrong, "no $_" for grep { !defined $problem->{$_} } qw(type title status detail message instance);
    push @wrong, 'title ' . ($problem->{title} // '') if ($problem->{title} // '') ne ($titles{$status} // '');
    push @wrong, 'status in the body' if ($problem->{status} // 0) != $status;
    push @wrong, 'message is not detail' if ($problem->{message} // '') ne ($problem->{detail} // '');
    push @wrong, 'no Retry-After' if $status == 503 && !defined $response->header('Retry-After');
    (my $told = $response->raw) =~ s/"urn:request:[^"]*"//; # its id is drawn by lot, and may look like a port
    push @wrong, "gives away '$1'" if $told =~ /(127\.0\.0\.1|localhost|:\d{4,5}\b|postgres|redis|kafka|libpq|jansson|\/tmp\/|\/var\/|\.c:\d)/i;
    ok(!@wrong, $name) or diag(join('; ', @wrong) . "\n" . $response->raw . ($response->error // ''));
    return $problem;
}

# ---- programs ----

# Runs it: its exit code, and what it wrote to standard output and to standard error.
sub run_program {
    my (@command) = @_;
    my $errors = File::Temp->new;
    my $pid    = open(my $output, '-|') // die "fork: $!";
    if (!$pid) {
        open STDERR, '>', "$errors" or POSIX::_exit(126);
        exec @command or POSIX::_exit(127);
    }
    local $/;
    my $out = <$output> // '';
    close $output;
    my $code = $? & 127 ? "signal @{[ $? & 127 ]}" : $? >> 8;
    return { code => $code, out => $out, err => read_file("$errors") // '' };
}

sub transcript { my $run = shift; return "exit code $run->{code}\n$run->{out}$run->{err}" }

# What `ratingsctl check` reports of a configuration (--json), with its exit code and transcript; options of its come last.
sub check_report {
    my ($config, @options) = @_;
    my $run = run_program($ENV{RATINGSCTL}, 'check', '--json', '--httpd', $ENV{TEST_HTTPD}, @options, $config);
    return { %{ json($run->{out}) || {} }, code => $run->{code}, transcript => transcript($run) };
}

# The last finding about a thing, { verdict, text, ... }; both empty: there is none.
sub check_finding {
    my ($report, $backend, $subject) = @_;
    my @found = grep { $_->{backend} eq $backend && $_->{subject} eq $subject } @{ $report->{findings} || [] };
    return @found ? $found[-1] : { verdict => '', text => '' };
}

# ---- talks ----

sub psql {
    my ($statement) = @_;
    local $ENV{PGCONNECT_TIMEOUT} = 30;
    open my $psql, '|-', 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', $ENV{TALKS_CONNECTION} or die "psql: $!";
    print $psql "$statement;\n";
    close $psql or die "psql could not: $statement";
}

sub quoted { (my $text = $_[0]) =~ s/'/''/g; return "'$text'" }

sub new_talks {
    my ($count, @given) = @_;
    my @ids = @given ? @given : map { sprintf 't-%d-%d-%d', time, $$, ++$serial } 1 .. $count;
    my $rows = join ',', map { '(' . quoted($_) . ",'A talk of the tests')" } @ids;
    psql("insert into talks (uuid, title) values $rows on conflict do nothing");
    return wantarray ? @ids : $ids[0];
}

sub delete_talks { return psql('delete from talks where uuid in (' . join(',', map { quoted($_) } @_) . ')') }

sub new_talk { return scalar new_talks(1) }

# ---- store and stream ----

sub redis { return RatingsTest::Redis->new(@_) }

# The records of a topic since a time (epoch seconds), as kcat tells them.
sub topic_since {
    my ($since, $topic) = @_;
    my @command = ('kcat', '-C', '-q', '-J', '-e', '-b', $ENV{STREAMS_CONNECTION}, '-t', $topic || 'ratings',
        '-o', 's@' . int($since * 1000));
    open my $kcat, '-|', @command or die "kcat: $!";
    my @records = map { json($_) } <$kcat>;
    return @records;
}

# Writes one record past the service: topic_write($key, $value, @kcat_options)
sub topic_write {
    my ($key, $value, @options) = @_;
    my @command = ('kcat', '-P', '-q', '-b', $ENV{STREAMS_CONNECTION}, '-t', 'ratings', '-k', $key, @options);
    open my $kcat, '|-', @command or die "kcat: $!";
    print $kcat $value;
    close $kcat or die 'kcat could not write';
}

# Sets properties of a topic, or takes them back: set_topic('ratings', add => 'retention.ms=60000')
sub set_topic {
    my ($topic, $way, $properties) = @_;
    stack(qw(kafka-tool kafka.admin.ConfigCommand --bootstrap-server), $ENV{STREAMS_CONNECTION}, qw(--entity-type topics --entity-name), $topic,
        '--alter', "--$way-config", $properties);
}

# stack(qw(stop redis)): the servers of this run; dies when that fails
sub stack {
    my ($command, @servers) = @_;
    my $output = qx($ENV{TEST_STACK} $command @servers 2>&1);
    $? == 0 || $command eq 'status' or die "stack $command @servers: $output";
    note $output if $output;
    @stopped{@servers} = () if $command eq 'stop';
    delete @stopped{@servers} if $command eq 'start';
}

# A test program that died has left them stopped: the next ones need them.
END {
    my $code = $?;
    eval { stack('start', sort keys %stopped) } if %stopped && $$ == $program;
    $? = $code;
}

sub server_pid {
    my ($server) = @_;
    my ($pid) = split ' ', read_file("$ENV{STACK_DIR}/pid/$server");
    return $pid;
}

# Of the store of this run: another after each loss.
sub generation { return redis()->call('HGET', 'ratings:log', 'generation') // '' }

# Whether the store has been lost since, and is whole again.
sub rebuilt_since {
    my ($lost) = @_;
    my $now = generation();
    return $now && $now ne $lost && !redis()->call('HEXISTS', 'ratings:log', 'behind');
}

# ---- waiting ----

# Calls the condition until it is true; its value, or false at the deadline.
sub wait_until {
    my ($condition, $seconds, $pause) = @_;
    my $until = time + $seconds * slower(3);
    for (;;) {
        my $value = $condition->();
        return $value if $value || time > $until;
        sleep($pause || 0.05);
    }
}

# Of an httpd that has just started, readiness is asked when it projects, or after a second (another one projects): what it
# answers before that, it answers for a second.
sub wait_ready {
    my (%options) = @_;
    my ($httpd) = grep { $_->port == ($options{port} // 0) } @own;
    wait_until(sub { $httpd->log->has(qr/RT0302: projecting/) }, 1, 0.02) if $httpd && $httpd->running;
    my $seconds = delete $options{within} || 60; # no promise: a busy machine starts servers late
    return wait_until(sub { get('/readyz', %options)->status == 200 }, $seconds, 0.2);
}

sub note_time { my ($name, $begun) = @_; note sprintf '%s: %.2f s', $name, time - $begun }

# in_children(COUNT, CODE): forks COUNT children; each runs CODE->(index) and hands back its value
sub in_children {
    my ($count, $code) = @_;
    my @pipes;
    for my $index (0 .. $count - 1) {
        pipe my $read, my $write or die "pipe: $!";
        my $pid = fork // die "fork: $!";
        if (!$pid) {
            close $read;
            my $result = eval { $code->($index) } || { died => "$@" };
            print {$write} to_json($result);
            close $write;
            POSIX::_exit(0);
        }
        close $write;
        push @pipes, [ $pid, $read ];
    }
    return sub {
        return map {
            my ($pid, $read) = @$_;
            local $/;
            my $text = <$read>;
            waitpid $pid, 0;
            json($text // '') || { died => 'no result' };
        } @pipes;
    };
}

# ---- httpds of the test's own, and the logs ----

# With `database`, that of Redis: emptied when a test program first names it, as others use it for other topics.
sub own_httpd {
    my %options = @_;
    redis(database => $options{database})->call('FLUSHDB') if $options{database} && !$emptied{ $options{database} }++;
    my $httpd = RatingsTest::Httpd->new(%options);
    # its topic may be there from an earlier run, and its database empty
    $httpd->expect_log(qr/RT0305: the store is rebuilt from the log \(the store is empty or was lost\): 0 talks deleted/);
    push @own, $httpd;
    return $httpd;
}

# Lines of the error log that this test brings about: patterns, good until the test ends.
sub expect_log { $log->expect(@_) if $log; return }

# Ends the test: nothing unexpected in the logs, nothing left running.
sub finish {
    for my $httpd (@own) {
        $httpd->stop if $httpd->running;
        my @lines = $httpd->log->surprises;
        ok(!@lines, 'the log of ' . $httpd->name . ' has nothing unexpected') or diag(@lines);
    }
    if ($log) {
        my @lines = $log->surprises;
        ok(!@lines, 'the error log has nothing unexpected') or diag(@lines);
        $log->sign_off;
    }
    done_testing();
}

1;
