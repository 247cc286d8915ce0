# Each place where a connection string or a property can hold a secret, and each way out: no answer, no line of the log
# and no word of configtest shows it. What is not secret is shown as it was configured.
use strict;
use warnings;
use Test::More;
use RatingsTest '-alone';
use RatingsTest::Tool ();

my $secret = 'S3cret-w0rd';
my ($pg)     = $ENV{TALKS_CONNECTION} =~ m{([^@/]+)/[^/]*$};
my ($redis)  = $ENV{RATINGS_CONNECTION} =~ m{^redis://([^/]+)};
my ($lambda) = $ENV{RATINGS_LAMBDA_URL} =~ m{//([^/]+)};
my ($pg_host, $pg_port) = split /:/, $pg;
my %plain = (
    talks => "postgres://u\@$pg/d?sslmode=disable", ratings => "redis://$redis/15",
    ratings_lambda => "http://$lambda/", streams => $ENV{STREAMS_CONNECTION},
);
my %directive = (talks => 'RatingsTalks', ratings => 'RatingsStore', ratings_lambda => 'RatingsStats', streams => 'RatingsStream');

# which, what is configured, what the metadata show
my @rows = (
    [ talks => "postgres://u:SECRET\@$pg/d?sslmode=disable",     "postgres://u:***\@$pg/d?sslmode=disable" ],
    [ talks => "postgres://u\@$pg/d?password=x\@SECRET",         "postgres://u:***\@$pg/d" ],
    [ talks => "postgres://$pg/d?pass%77ord=SECRET",             "postgres://:***\@$pg/d" ],
    [ talks => "postgres://u\@$pg/d?sslpassword=SECRET",         "postgres://u\@$pg/d?sslpassword=***" ],
    [ talks => "user='u'password=SECRET host=$pg_host port=$pg_port dbname=d", "user=u password=*** dbname=d host=$pg_host port=$pg_port" ],
    [ ratings => "redis://:SECRET\@$redis/15",                   "redis://:***\@$redis/15" ],
    [ ratings => "redis://u:SECRET\@$redis",                     "redis://u:***\@$redis" ],
    [ ratings => "unix://u:SECRET\@/nowhere/redis?db=15",        "unix://u:***\@/nowhere/redis?db=15" ],
    [ ratings => "redis+sentinel://u:SECRET\@$redis,$redis/m/1",  "redis+sentinel://u:***\@$redis,$redis/m/1" ],
    [ ratings_lambda => "http://$lambda/?code=SECRET",           "http://$lambda/?code=***" ],
    [ ratings_lambda => "http://u:SECRET\@$lambda/",             "http://u:***\@$lambda/" ],
    [ ratings_lambda => "http:" . "//SECRET\@$lambda/",          "http://***\@$lambda/" ],
);
# Kafka's properties, all at once; the last makes librdkafka tell what it does
my $kafka = join '', map { "RatingsKafka $_\n" } 'security.protocol SASL_PLAINTEXT', 'sasl.mechanism PLAIN', 'sasl.username u',
    "sasl.password $secret", "ssl.key.password $secret", 'debug all';

sub conf_of {
    my (%strings) = @_;
    return join('', map { qq($directive{$_} "$strings{$_}"\n) } sort keys %strings)
        . "RatingsTalksTimeout 300ms\nRatingsStoreTimeout 300ms\nRatingsStatsTimeout 300ms\nRatingsStreamTimeout 300ms\n"
        . "RatingsDeadline 1\nRatingsTopic ratings-secrets\nRatingsStatsHeader X-Stats-Key $secret\n$kafka" . RatingsTest::Httpd::locations();
}

sub title_of {
    my ($pid) = @_;
    open my $file, '<', "/proc/$pid/cmdline" or return '';
    return <$file> // '';
}

my $number = 0;
for my $row (@rows) {
    my ($which, $given, $shown) = @$row;
    my $name  = "$which as $given";
    my $given_secret = $given =~ s/SECRET/$secret/r;
    my $httpd = own_httpd(
        name => 'secrets-' . ++$number, conf => conf_of(%plain, $which => $given_secret), after => "LogLevel trace8\n",
    )->expect_log(qr/./);
    my (undef, $said) = $httpd->configtest;
    unlike($said, qr/\Q$secret/, "$name: not in what configtest says");
    $httpd->start;
    my @at = (port => $httpd->port);
    is_deeply([ grep { title_of($_) =~ /\Q$secret/ } $httpd->processes ], [], "$name: in no title of a process");
    my $metadata = get('/', @at);
    is_deeply({ %{ json($metadata->body)->{metadata} }{ keys %plain } }, { %plain, $which => $shown }, "$name: the metadata") or diag($metadata->body);
    my @answers = ($metadata, map { (get('/ratings?talkId=a', @at), rate('a', 5, @at), get('/readyz', @at), get('/nothing', @at)) } 1 .. 6);
    is(scalar(grep { $_->raw =~ /\Q$secret/ } @answers), 0, "$name: in no answer");
    is(scalar(grep { $_->status == 503 } @answers), 18, "$name: of which those that need a backend are refused") or diag(join ' ', map { $_->status } @answers);
    ok(wait_until(sub { $httpd->log->has(qr/RT0208|RT020[1-4]/) }, 10), "$name: the log has why");
    $httpd->stop;
    is_deeply([ grep { /\Q$secret/ } $httpd->log->lines ], [], "$name: not in the log at trace8");
}

{
    my %given = (%plain, talks => "user='u'password=$secret host=$pg_host port=$pg_port dbname=d", ratings_lambda => "http://$lambda/?code=$secret");
    my $httpd = own_httpd(name => 'secrets-shown', conf => conf_of(%given) . "RatingsMetadataSecrets On\n")->expect_log(qr/./)->start;
    my $metadata = get('/', port => $httpd->port);
    is_deeply({ %{ json($metadata->body)->{metadata} }{ keys %given } }, \%given, 'RatingsMetadataSecrets On: all as configured') or diag($metadata->body);
    $httpd->stop;
}

# The header of a file: new after a graceful restart, and not shown by one that fails.
{
    my $file  = "$ENV{TEST_LOGS}/secrets.header";
    my $write = sub { open my $out, '>', $file or die "$file: $!"; chmod 0600, $file; print $out @_; close $out };
    $write->("$secret\n");
    my $function = RatingsTest::Tool->new('function', $ENV{HTTP_PORT} + 8);
    local $ENV{RATINGS_LAMBDA_URL} = "http://127.0.0.1:@{[ $ENV{HTTP_PORT} + 8 ]}/key";
    my $httpd = own_httpd(name => 'secrets-header', before => "RatingsStatsHeader X-Stats-Key \"file:$file\"\nRatingsStatsMemo Off\n",
        topic => 'ratings-secrets-own', database => 14, after => "LogLevel trace8\n")->expect_log(qr/RT0209: .*status 403|RT0204: |RT0305: |RT030[12]: |RT0501: |RT0113: |AH0002[0-9]/)->start;
    my @at   = (port => $httpd->port);
    my $talk = new_talk();
    my $has_stats = sub { return exists json(get("/ratings?talkId=$talk", @at)->body)->{stats} };
    ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, 20), 'a header that the function does not know: rated');
    ok(!$has_stats->(), 'and without statistics');
    $write->("of the test\n");
    $httpd->signal('USR1');
    ok(wait_until($has_stats, 20), 'a graceful restart reads the file anew: with statistics');
    $write->("$secret\x01\n");
    my ($code, $said) = $httpd->configtest;
    isnt($code, 0, 'a value that is none is refused');
    like($said, qr/RT0113: RatingsStatsHeader X-Stats-Key: file:\S+: its value has a byte/, 'with the name of the file');
    unlike($said, qr/\Q$secret/, 'and nothing of it');
    $httpd->stop;
    is_deeply([ grep { /\Q$secret\E|of the test/ } $httpd->log->lines ], [], 'neither value is in the log at trace8');
}

# Signed calls: what httpd's environment and a metadata service give.
{
    my $directory = "$ENV{TEST_LOGS}/secrets-aws";
    my $port      = $ENV{HTTP_PORT} + 8;
    my $write     = sub { my ($name, $text) = @_; open my $out, '>', "$directory/$name" or die "$directory: $!"; print $out $text; close $out };
    my $events    = sub { open my $in, '<', "$directory/events" or return 0; return scalar grep { /$_[0]/ } <$in> };
    mkdir $directory;
    $write->(mode => 'ok 5 0');
    my $stub = RatingsTest::Tool->new(aws => $directory, $port);
    local %ENV = (%ENV, RATINGS_LAMBDA_URL => "http://127.0.0.1:$port/signed", AWS_EC2_METADATA_DISABLED => 'true', HOME => '/no/such');
    my @log  = (qr/RT0209: |RT0204: |RT0305: |RT030[12]: |RT0501: /, qr/RT021[01]: /);
    my %more = (topic => 'ratings-secrets-own', database => 14, before => "RatingsStatsAuth aws-sigv4:eu-central-1\nRatingsStatsMemo Off\n", after => "LogLevel trace8\n");
    my $with = sub {
        my ($name, $do) = @_;
        my $httpd = own_httpd(name => "secrets-aws-$name", %more)->expect_log(@log)->start;
        my @at    = (port => $httpd->port);
        my $talk  = new_talk();
        my $has_stats = sub { return exists json(get("/ratings?talkId=$talk", @at)->body)->{stats} };
        ok(wait_until(sub { rate($talk, 5, @at)->status == 200 }, 20), "$name: rated");
        $do->($httpd, $has_stats);
        my @answers = map { get($_, @at) } '/', '/readyz';
        is(scalar(grep { $_->raw =~ /of\+the=session|\Q$secret\E|secret\d|token\dxx/ } @answers), 0, "$name: in no answer");
        $httpd->stop;
        is_deeply([ grep { m{of\+the=session|\Q$secret\E|secret\d|token\dxx|of-the-session} } $httpd->log->lines ], [], "$name: not in the log at trace8");
        return $httpd;
    };
    my ($code, $said) = own_httpd(name => 'secrets-aws-none', %more)->configtest;
    like($said, qr/RT0115: RatingsStatsAuth aws-sigv4:eu-central-1: the credentials of AWS: there are none/, 'no credentials: httpd does not start');
    {
        local %ENV = (%ENV, AWS_ACCESS_KEY_ID => 'AKIDSESSION', AWS_SECRET_ACCESS_KEY => 'secret/of+the=session', AWS_SESSION_TOKEN => 'token/of+the=session');
        $with->(environment => sub { ok(wait_until($_[1], 20), 'the environment signs') });
    }
    {
        local %ENV = (%ENV, AWS_ACCESS_KEY_ID => 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY => $secret);
        my $httpd = $with->(wrong => sub { ok(!$_[1]->(), 'a wrong secret: no statistics') });
        ok($httpd->log->has(qr/RT020[49]: .*status 403/), 'the log has the status');
    }
    {
        my $service = "http://127.0.0.1:$port";
        local %ENV = (%ENV, AWS_CONTAINER_CREDENTIALS_FULL_URI => "$service/$secret?key=$secret", AWS_CONTAINER_AUTHORIZATION_TOKEN => $secret);
        $with->(container => sub {
            my ($own, $has_stats) = @_;
            ok(!$has_stats->(), 'a container that refuses: no statistics');
            ok(wait_until(sub { $own->log->has(qr{RT0210: .*: the answer of \Q$service\E to GET has status 401}) }, 10), 'the log says who refuses, and why');
        });
    }
    {
        local %ENV = (%ENV, AWS_EC2_METADATA_DISABLED => '', AWS_EC2_METADATA_SERVICE_ENDPOINT => "http://127.0.0.1:$port");
        my $httpd = $with->(instance => sub {
            my ($own, $has_stats) = @_;
            ok(wait_until($has_stats, 20), 'an instance signs');
            my ($asked, $without) = (0, 0);
            wait_until(sub { $asked++; $without++ unless $has_stats->(); return $events->('issued') > 3 }, 30);
            is($without, 0, "each of $asked answers has statistics, while credentials expire and are refreshed");
            $write->(mode => 'status 500');
            ok(wait_until(sub { !$has_stats->() }, 20), 'none are left: no statistics');
            ok(wait_until(sub { $own->log->has(qr/RT0210: .*status 500/) }, 10), 'the log says why');
            $write->(mode => 'ok 3600 0');
            ok(wait_until($has_stats, 60), 'the metadata service answers again, and so does the Lambda');
        });
        cmp_ok(scalar(grep { /RT0210: / } $httpd->log->lines), '<=', 2 * 4, 'a child says once that it has none');
    }
}

finish();
