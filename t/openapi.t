# The service, and docs/openapi.yaml, which describes it for programs: schemathesis makes requests of the description, valid ones
# and others, and compares each answer with it: status, headers, body; without voters and with them.
use strict;
use warnings;
use FindBin qw($Bin);
use Test::More;
use RatingsTest '-alone';

plan skip_all => 'no schemathesis here: make deps-test' unless $ENV{TEST_SCHEMATHESIS};

my $tools       = "$ENV{TEST_SCHEMATHESIS}/bin";
my $description = "$ENV{TEST_DOCS}/openapi.yaml";
my $begun       = time;
my $logs        = "$ENV{TEST_LOGS}/openapi-reports"; # what schemathesis leaves: how to repeat a request that failed
mkdir $logs or die "$logs: $!";

sub run_tool {
    my ($name, @command) = @_;
    my $run = run_program('env', "--chdir=$logs", "HOME=$logs", "SCHEMATHESIS_HOOKS=$Bin/openapi/hooks.py", @command);
    ok($run->{code} eq '0', $name) ? note $run->{out} =~ /[^\n]*\n*\z/g : diag(substr transcript($run), -20_000);
    return;
}

# ---- the description alone ----

run_tool('it is one of OpenAPI 3.1', "$tools/openapi-spec-validator", $description);
run_tool('each of its examples is valid by its schema', "$tools/python3", "$Bin/openapi/examples.py", $description);

# ---- and the service ----

my $secret = secret_file('openapi.secret', 'a secret of the tests, thirty-two bytes or more');

sub start_service {
    my ($name, $database, $conf) = @_;
    my %own   = (topic => "ratings-$name-$begun-$$", database => $database);
    my $httpd = own_httpd(name => $name, %own, conf => RatingsTest::Httpd::backends(%own) . RatingsTest::Httpd::locations() . "TraceEnable off\n$conf");
    $httpd->expect_log(qr/RT0301: the projector is stalled/); # while the topic is new
    $httpd->start;
    ok(wait_ready(port => $httpd->port), "$name: ready");
    return $httpd;
}

sub compare {
    my ($name, $httpd, $path, @options) = @_;
    run_tool($name, "$tools/schemathesis", '--config-file', "$Bin/openapi/schemathesis.toml", '--no-color', 'run', $description, '--checks', 'all', '--url', 'http://127.0.0.1:' . $httpd->port . $path, @options);
    return;
}

# The talks of its examples
new_talks(undef, qw(flight-of-the-gopher kafka-exactly-once));

# The endpoints and methods that are there with voters alone are not: an Allow that does not name DELETE is right.
my $open = start_service('openapi', 13, qq(<Location "/">\nRatingsHide below=5\n</Location>\n));
compare('without voters, results hidden while there are few', $open, '', qw(--exclude-operation-id deleteRating --exclude-operation-id getOwnRating --exclude-checks allow_header_conformance));
$open->stop;

my $voted = start_service('openapi-voters', 14, <<"END");
RatingsRankingPrior 1,1,2,1,1
RatingsVoterSecret "file:$secret"
<Location "/ratings">
    RatingsVoter cookie
</Location>
<Location "/strict/ratings">
    RatingsEndpoint ratings
    RatingsVoter cookie
    RatingsVoterRequired On
</Location>
<Location "/strict/ratings/mine">
    RatingsEndpoint mine
</Location>
END
my $rated;
ok(wait_until(sub { ($rated = rate('flight-of-the-gopher', 5, port => $voted->port))->status == 200 }, 20), 'voters may vote');
my ($cookie) = ($rated->header('Set-Cookie') // '') =~ /^(ratings-voter=[^;]+)/;
compare('of one voter', $voted, '', '--header', "Cookie: $cookie");
compare('where a voter is required, and missing', $voted, '/strict', map({ ('--include-operation-id', $_) } qw(postRating deleteRating getOwnRating)), '--phases', 'examples,coverage');
$voted->stop;

finish();
