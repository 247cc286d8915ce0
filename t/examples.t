# The examples of README.md and of documents in docs, run as they are there, one after the other, in an httpd with an
# empty log and store: each puts out what the document has, but for dates, ids and the like (RatingsTest::Examples).
#
# `make docs-examples` runs the same, and puts what differs into the documents: TEST_EXAMPLES is the directory that
# they are written to.
use strict;
use warnings;
use File::Basename qw(basename);
use Test::More;
use RatingsTest '-alone';
use RatingsTest::Examples ();
use RatingsTest::Windows qw(make_database drop_databases in_database);

my $secret = secret_file('examples.secret', 'a secret of the tests, thirty-two bytes or more');

my $voters = <<~"END";
    RatingsVoterSecret "file:$secret"
    <Location "/ratings">
        RatingsVoter cookie
    </Location>
    END

# Each document, with the database of Redis that is its own, what httpd is configured with, what was done before
# its first example, and the database of PostgreSQL, if it has its own, with the talks that `make run` makes.
my @documents = (
    { path => 'README.md',          database => 6 },
    { path => 'docs/api.md',        database => 7 },
    { path => 'docs/audit.md',      database => 8, before => \&rate_some },
    { path => 'docs/ratingsctl.md', database => 9, before => \&rate_some },
    { path => 'docs/voters.md',     database => 10, conf => $voters, before => \&await_electorate },
    { path => 'docs/organisers.md', database => 11, conf => "RatingsRankingPrior 1,1,1,1,1\n$voters", before => \&await_electorate, talks => 'organisers' },
);
my $programs = 'curl|redis-cli|ratingsctl';
my ($first, $second) = qw(testcontainers-integration-testing flight-of-the-gopher);

# The log has what stopped servers and a store that was deleted bring about.
my @expected = (qr/RT0208|RT0209|RT020[14]:/, qr/RT0305: the store is rebuilt/);

(my $top = $ENV{TEST_DOCS}) =~ s{/docs$}{};

# Eighteen ratings, of which two repeat an idempotency key.
sub rate_some {
    my (@at) = @_;
    my @plain = ([ $second, 2 ], ([ $second, 5 ]) x 7, ([ $first, 5 ]) x 7);
    my @kept  = map { rate(@$_, @at)->status } @plain;
    push @kept, map { rate($second, 5, @at, headers => [ 'Idempotency-Key' => '"8e03978e-40d5"' ])->status } 1 .. 3;
    is(scalar(grep { $_ == 200 } @kept), 18, 'eighteen ratings');
}

# A database with nothing but the talks that `make run` makes; its connection.
sub talks_of_run {
    my ($database) = @_;
    make_database($database, ', title varchar(255)');
    in_database($database, read_file("$top/conf/$_.sql")) for qw(schema demo);
    return RatingsTest::Windows::connection_to($database);
}

# Before the log says which electorate votes, voters are answered 503.
sub await_electorate {
    my (@at) = @_;
    ok(wait_until(sub { get("/ratings/mine?talkId=$second", @at)->status == 404 }, 20), 'voters may vote');
}

sub port_of { my ($address) = @_; return $address =~ /:(\d+)(?:\D|$)/ ? $1 : die "$address has no port" }

# What the document says, and what it is here: the ports of `make run`. Their order matters: the longest first.
sub addresses {
    my ($httpd, $database) = @_;
    my ($redis) = $ENV{RATINGS_CONNECTION} =~ m{^(redis://[^/]+)};
    my ($pg)    = $ENV{TALKS_CONNECTION} =~ m{([^@/]+)/[^/]*$};
    return (
        [ 'redis://127.0.0.1:6379' => "$redis/$database" ],
        [ '127.0.0.1:8080'         => '127.0.0.1:' . $httpd->port ],
        [ '127.0.0.1:5432'         => $pg ],
        [ '127.0.0.1:9092'         => $ENV{STREAMS_CONNECTION} ],
        [ '127.0.0.1:9000'         => '127.0.0.1:' . port_of($ENV{RATINGS_LAMBDA_URL}) ],
        [ ' t/schedules/'          => " $top/t/schedules/" ],
        [ '/var/tmp/mod_ratings'   => $ENV{TEST_LOGS} ],
    );
}

sub translate {
    my ($text, %to) = @_;
    my $any = join '|', map { quotemeta } sort { length $b <=> length $a } keys %to;
    return $text =~ s/($any)(?!\d)/$to{$1}/gr;
}

# As a reader types it, but for the place of the servers and the topic, and httpd's own configuration; what curl says of its progress
# is left out.
sub run_command {
    my ($command, $httpd, $database, $topic) = @_;
    my @addresses = addresses($httpd, $database);
    my $here      = translate($command, map { @$_ } @addresses);
    local $ENV{RATINGS_CONNECTION} = "$ENV{RATINGS_CONNECTION}/$database" if $command =~ /^ratingsctl (?!check)/; # which has it from the configuration
    $here =~ s/^curl /curl -sS --max-time 30 /;
    $here =~ s/^redis-cli /'redis-cli --no-raw -p ' . port_of($ENV{RATINGS_CONNECTION}) . " -n $database "/e;
    $here =~ s{^ratingsctl check$}{$ENV{RATINGSCTL} check --httpd '$ENV{TEST_HTTPD}' '$httpd->{config}'};
    $here =~ s{^ratingsctl (?!talks)(\w+)}{$ENV{RATINGSCTL} $1 --topic $topic};
    $here =~ s{^ratingsctl }{$ENV{RATINGSCTL} };
    my $output = qx(cd '$ENV{TEST_LOGS}' && $here 2>&1);
    $output =~ s/\Q$topic\E/ratings/g;
    $output =~ s/\r\n/\n/g;
    $output =~ s/\n*\z/\n/;
    return translate($output, map { reverse @$_ } @addresses);
}

# A GET is asked again, for a state that comes within seconds.
sub output_of {
    my ($example, @at) = @_;
    my $output;
    my $once = $example->{command} !~ m{/readyz} && $example->{needs} ne 'soon';
    wait_until(sub { $output = run_command($example->{command}, @at); $once || RatingsTest::Examples::agrees($example, $output) }, 10, 0.5);
    return $output;
}

sub check {
    my ($document, $example, @at) = @_;
    my $name = $document->path =~ s{^\Q$top/}{}r . ":$example->{line}: $example->{command}";
    if ($example->{needs} =~ /^not run, /) {
        note "$name: $example->{needs}";
        return;
    }
    my ($without) = $example->{needs} =~ /^without (\w+)$/;
    die "$name: what is '$example->{needs}'?\n" if $example->{needs} && $example->{needs} ne 'soon' && !$without;
    stack('stop', $without) if $without;
    my $output = output_of($example, @at);
    stack('start', $without) if $without;
    ok(wait_ready(port => $at[0]->port), "$name: ready again") if $without;
    return pass($name) if RatingsTest::Examples::agrees($example, $output);
    $document->correct($example, $output);
    fail($name);
    diag("the document has\n$example->{output}it is\n$output");
}

# ---- no command is forgotten ----

# What a reader would type in, wherever it stands, is an example; in a document that is not run as well it says why.
sub forgotten {
    my ($path) = @_;
    my $document = RatingsTest::Examples->new("$top/$path");
    my %example  = map { $_->{line} => $_->{needs} } $document->examples($programs);
    my $is_run   = grep { $_->{path} eq $path } @documents;
    return grep { my $needs = $example{$_}; !defined $needs || !$is_run && $needs !~ /^not run, / } $document->lines_with($programs);
}

# docs/install.md is followed word for word, in another way: t/install/run
for my $path ('README.md', map { s{^\Q$top/}{}r } glob "$top/docs/*.md") {
    next if $path eq 'docs/install.md';
    my @lines = forgotten($path);
    ok(!@lines, "$path: each command is run, or says why not") or diag("lines @lines");
}

# ---- each document ----

for my $row (@documents) {
    my ($path, $database, $before) = @$row{qw(path database before)};
    my $document = RatingsTest::Examples->new("$top/$path");
    my $name     = basename($path, '.md') =~ tr/A-Z/a-z/r;
    my $topic    = "ratings-examples-$name-$$-" . time;
    local $ENV{TALKS_CONNECTION} = $row->{talks} ? talks_of_run($row->{talks}) : $ENV{TALKS_CONNECTION};
    my $backends = RatingsTest::Httpd::backends(topic => $topic, database => $database) =~ s/^RatingsTopicPartitions.*\n//mr; # as make run
    $backends =~ s/\$\{TALKS_CONNECTION\}/$ENV{TALKS_CONNECTION}/;
    my $httpd = own_httpd(name => "examples-$name", database => $database, modules => RatingsTest::Httpd::page_modules(),
        conf => $backends . RatingsTest::Httpd::locations() . RatingsTest::Httpd::page() . ($row->{conf} // ''));
    $httpd->expect_log(@expected);
    new_talks(undef, $first, $second) unless $row->{talks};
    $httpd->start;
    ok(wait_ready(port => $httpd->port), "$path: ready");
    $before->(port => $httpd->port) if $before;
    my @examples = $document->examples($programs);
    cmp_ok(scalar @examples, '>=', 3, "$path has examples");
    check($document, $_, $httpd, $database, $topic) for @examples;
    $httpd->stop;
    next unless $ENV{TEST_EXAMPLES};
    write_file("$ENV{TEST_EXAMPLES}/" . basename($path), $document->text);
}

drop_databases();
finish();
