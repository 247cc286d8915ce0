# The examples of README.md and docs/api.md, run as they are there, one after the other, in an httpd with an empty log
# and store: each puts out what the document has, but for dates, ids and the like (RatingsTest::Examples).
#
# `make docs-examples` runs the same, and puts what differs into the documents: TEST_EXAMPLES is the directory that
# they are written to.
use strict;
use warnings;
use File::Basename qw(basename);
use Test::More;
use RatingsTest '-alone';
use RatingsTest::Examples ();

# The document and the database of Redis that is its own.
my @documents = ([ 'README.md', 6 ], [ 'docs/api.md', 7 ]);

# The log has what stopped servers bring about.
my @expected = (qr/RT0208|RT0209|RT020[14]:/);

(my $top = $ENV{TEST_DOCS}) =~ s{/docs$}{};

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
    );
}

sub translate {
    my ($text, %to) = @_;
    my $any = join '|', map { quotemeta } sort { length $b <=> length $a } keys %to;
    return $text =~ s/($any)(?!\d)/$to{$1}/gr;
}

# As a reader types it, but for the place of the servers; what curl says of its progress is left out.
sub run_command {
    my ($command, $httpd, $database) = @_;
    my @addresses = addresses($httpd, $database);
    my $here      = translate($command, map { @$_ } @addresses);
    $here =~ s/^curl /curl -sS --max-time 30 /;
    $here =~ s/^redis-cli /'redis-cli --no-raw -p ' . port_of($ENV{RATINGS_CONNECTION}) . " -n $database "/e;
    my $output = qx($here 2>&1);
    $output =~ s/\r\n/\n/g;
    $output =~ s/\n*\z/\n/;
    return translate($output, map { reverse @$_ } @addresses);
}

# A GET is asked again, for a state of readiness that comes within seconds.
sub output_of {
    my ($example, @at) = @_;
    my $output;
    my $once = $example->{command} !~ m{/readyz};
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
    die "$name: what is '$example->{needs}'?\n" if $example->{needs} && !$without;
    stack('stop', $without) if $without;
    my $output = output_of($example, @at);
    stack('start', $without) if $without;
    ok(wait_ready(port => $at[0]->port), "$name: ready again") if $without;
    return pass($name) if RatingsTest::Examples::agrees($example, $output);
    $document->correct($example, $output);
    fail($name);
    diag("the document has\n$example->{output}it is\n$output");
}

for my $row (@documents) {
    my ($path, $database) = @$row;
    my $document = RatingsTest::Examples->new("$top/$path");
    my $name     = basename($path, '.md') =~ tr/A-Z/a-z/r;
    my $backends = RatingsTest::Httpd::backends(topic => "ratings-examples-$name-$$-" . time, database => $database);
    my $httpd    = own_httpd(name => "examples-$name", database => $database, conf => $backends . RatingsTest::Httpd::locations());
    $httpd->expect_log(@expected);
    new_talks(undef, qw(testcontainers-integration-testing flight-of-the-gopher));
    $httpd->start;
    ok(wait_ready(port => $httpd->port), "$path: ready");
    my @examples = $document->examples('curl|redis-cli');
    cmp_ok(scalar @examples, '>=', 5, "$path has examples");
    check($document, $_, $httpd, $database) for @examples;
    $httpd->stop;
    next unless $ENV{TEST_EXAMPLES};
    open my $out, '>', "$ENV{TEST_EXAMPLES}/" . basename($path) or die "$ENV{TEST_EXAMPLES}: $!";
    print $out $document->text;
    close $out or die "$ENV{TEST_EXAMPLES}: $!";
}

finish();
