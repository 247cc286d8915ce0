# Kafka with TLS on and an authorizer, by the configuration that docs/security.md shows: each mechanism of SASL and a certificate
# take ratings under the documented rights, and ratingsctl audits them; whatever can be wrong is named in the error log,
# without a secret.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest '-alone';
use RatingsTest::Certificates ();
use RatingsTest::Documented   ();
use RatingsTest::KafkaServer  ();

my $patience = 30;
my $password = 'S3cret-of-kafka';
my $database = 9;
my %port     = map { $_->[0] => $ENV{HTTP_PORT} + $_->[1] } [ owner => 12 ], [ sasl => 14 ], [ certificate => 15 ], [ expired => 16 ];
my $of       = RatingsTest::Certificates->new("$ENV{TEST_LOGS}/kafka-certificates");
$of->issue('server',  host => 'localhost');
$of->issue('expired', host => 'localhost', days => 0);
$of->issue('client',  subject => 'ratings');
$of->issue('foreign', subject => 'ratings', by => 'other-ca');

sub documented { return RatingsTest::Documented::block('security.md', @_) }

# ---- the broker ----

my $security = 'org.apache.kafka.common.security';
my %jaas     = (
    'plain'         => qq($security.plain.PlainLoginModule required user_ratings="$password";),
    'scram-sha-256' => "$security.scram.ScramLoginModule required;",
    'scram-sha-512' => "$security.scram.ScramLoginModule required;",
    'oauthbearer'   => qq($security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";),
);
my $pem = sub { my ($prefix, $name) = @_; return ("${prefix}ssl.keystore.type=PEM", "${prefix}ssl.keystore.location=" . $of->path("$name.pem")) };

my $kafka = RatingsTest::KafkaServer->new(
    directory => "$ENV{TEST_LOGS}/kafka-tls", port => $port{owner}, users => { ratings => $password },
    listeners => { SASL => [ SASL_SSL => $port{sasl} ], CERTIFICATE => [ SSL => $port{certificate} ], EXPIRED => [ SSL => $port{expired} ] },
    settings  => [
        $pem->('', 'server'), $pem->('listener.name.expired.', 'expired'), 'ssl.truststore.type=PEM', 'ssl.truststore.location=' . $of->path('ca.crt'),
        'listener.name.certificate.ssl.client.auth=required', 'ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT',
        'listener.name.sasl.sasl.enabled.mechanisms=' . join(',', map { uc } sort keys %jaas), map { "listener.name.sasl.$_.sasl.jaas.config=$jaas{$_}" } sort keys %jaas,
    ],
)->start;

# The documented rights, at the same time: each is a Java of its own.
{
    my @lines = split /\n/, documented('kafka-acls.sh', 'kafka1.example.org:9092' => "127.0.0.1:$port{owner}");
    my @done  = in_children(scalar @lines, sub { my (undef, @words) = split / /, $lines[ $_[0] ]; return { out => $kafka->tool('AclCommand', @words) } })->();
    is_deeply([ grep { $_->{died} } @done ], [], 'the documented rights are given') or BAIL_OUT('no rights');
}

# ---- httpd, and ratingsctl ----

sub password_file { my ($name, $text) = @_; return secret_file("kafka-password-$name", "$text\n") }

my @hosts = ('kafka1.example.org:9093,kafka2.example.org:9093' => "localhost:$port{sasl}");
my $by_password = documented('httpd: Kafka', @hosts, '/etc/ratings/ca.crt' => $of->path('ca.crt'), '/etc/ratings/kafka-password' => password_file('right', $password));
my $by_certificate = documented(
    'httpd: Kafka by certificate', 'kafka1.example.org:9094,kafka2.example.org:9094' => "localhost:$port{certificate}",
    map { ("/etc/ratings/$_" => $of->path($_)) } qw(ca.crt client.crt client.key),
);

# The configuration with another value of some properties; undef: without it.
sub with {
    my ($conf, %other) = @_;
    for my $name (sort keys %other) {
        my $line = $name eq 'brokers' ? qr/^RatingsStream .*\n/m : qr/^RatingsKafka\s+\Q$name\E .*\n/m;
        $conf =~ s/$line//;
        $conf .= ($name eq 'brokers' ? 'RatingsStream' : "RatingsKafka $name") . " $other{$name}\n" if defined $other{$name};
    }
    return $conf;
}

sub conf {
    my ($kafka_lines, $seconds) = @_;
    return qq(RatingsTalks "\${TALKS_CONNECTION}"\nRatingsStore "\${RATINGS_CONNECTION}/$database"\nRatingsStats "\${RATINGS_LAMBDA_URL}"\n)
        . "$kafka_lines\nRatingsStreamTimeout ${seconds}s\nRatingsBreakerFailures 1000\n" . RatingsTest::Httpd::locations();
}

my ($major, $minor, $patch) = qx(kcat -V) =~ /librdkafka (\d+)\.(\d+)\.(\d+)/;
my $has_scram = $major * 10000 + $minor * 100 + $patch >= 20601;

my $httpd = own_httpd(name => 'kafka-tls', conf => '');
my @at    = (port => $httpd->port);
my $talk  = new_talk();
my $taken = 0;
redis(database => $database)->call('FLUSHDB');

# By the properties of a configuration.
sub audit {
    my ($conf) = @_;
    my @properties = map { /^RatingsKafka\s+(\S+)\s+(.*)/ ? ('-X', "$1=$2") : () } split /\n/, $conf;
    my ($brokers) = $conf =~ /^RatingsStream (\S+)/m;
    return run_program($ENV{RATINGSCTL}, 'audit', '--timeout', 5, '--brokers', $brokers, '--store', "$ENV{RATINGS_CONNECTION}/$database", @properties);
}

# ---- what is right ----

sub takes_ratings {
    my ($name, $conf) = @_;
    $httpd->configure(conf => conf($conf, 5))->start;
    ok(wait_ready(@at), "$name: ready") or diag(get('/readyz', @at)->body, $httpd->log->lines);
    my $answer = rate($talk, 5, @at);
    ok($answer->status == 200 || $answer->status == 202, "$name: a rating is taken") or diag($answer->body);
    $taken++ if $answer->status < 300;
    ok(wait_until(sub { my $counts = histogram_of($talk, @at); $counts && total($counts) == $taken }, $patience), "$name: and counted");
    $httpd->stop;
    my $run = audit($conf);
    is($run->{code}, 0, "$name: ratingsctl audits") or diag(transcript($run));
    return;
}

my %oauthbearer = ('sasl.username' => undef, 'sasl.password' => undef, 'enable.sasl.oauthbearer.unsecure.jwt' => 'true', 'sasl.oauthbearer.config' => 'principal=ratings');
takes_ratings('PLAIN, as documented', $by_password);
SKIP: {
    skip 'Kafka 4 takes SCRAM of librdkafka 2.6.1 and newer', 8 unless $has_scram;
    takes_ratings($_, with($by_password, 'sasl.mechanisms' => $_)) for qw(SCRAM-SHA-256 SCRAM-SHA-512);
}
takes_ratings('OAUTHBEARER', with($by_password, 'sasl.mechanisms' => 'OAUTHBEARER', %oauthbearer));
takes_ratings('a certificate, as documented', $by_certificate);
{
    my (undef, @words) = split ' ', documented('ratingsctl', 'kafka1.example.org:9093' => "localhost:$port{sasl}", '/etc/ratings/ca.crt' => $of->path('ca.crt'), '/etc/ratings/kafka-password' => password_file('right', $password));
    my $run = run_program($ENV{RATINGSCTL}, @words, '--store', "$ENV{RATINGS_CONNECTION}/$database");
    is($run->{code}, 0, 'ratingsctl as documented') or diag(transcript($run));
}

# What ratingsctl check finds of Kafka in a configuration.
sub check_kafka {
    my ($conf) = @_;
    return check_report(RatingsTest::Httpd->new(name => 'kafka-tls-check', conf => conf($conf, 5))->{config});
}

{
    my $report = check_kafka($by_password);
    is(check_finding($report, 'stream', $_)->{verdict}, 'ok', "ratingsctl check, as documented: $_") or diag($report->{transcript}) for qw(connection retention topic leaders reading);
}

# ---- what is wrong ----

my $scram   = $has_scram ? qr// : qr/.*(?:it takes|librdkafka) 2\.6\.1/;
my $refused = 'verification callback failed: ';
my $wrong_password = 'file:' . password_file('wrong', "$password-not");
my $by_file = sub { my ($name) = @_; return ('ssl.certificate.location' => $of->path("$name.crt"), 'ssl.key.location' => $of->path("$name.key")) };
my @rows = (    # what, its configuration, what the log says
    [ 'a wrong password, SCRAM', with($by_password, 'sasl.password' => $wrong_password, 'sasl.mechanisms' => 'SCRAM-SHA-512'), qr/SASL authentication error: Authentication failed.*invalid credentials with SASL mechanism SCRAM-SHA-512$scram/ ],
    [ 'a wrong password, PLAIN', with($by_password, 'sasl.password' => $wrong_password), qr/SASL authentication error: Authentication failed: Invalid username or password/ ],
    [ 'another authority', with($by_password, 'ssl.ca.location' => $of->path('other-ca.crt')), qr/$refused(?:self.signed certificate in certificate chain|unable to get local issuer certificate)/ ],
    [ 'another host name', with($by_password, brokers => "127.0.0.1:$port{sasl}"), qr/$refused(?:hostname|IP address) mismatch/i ],
    [ 'a certificate that has expired', with($by_certificate, brokers => "localhost:$port{expired}"), qr/${refused}certificate has expired/ ],
    [ 'no certificate', with($by_certificate, map { $_ => undef } qw(ssl.certificate.location ssl.key.location)), qr/SSL alert number/ ],
    [ 'a certificate of another authority', with($by_certificate, $by_file->('foreign')), qr/SSL alert number/ ],
);

# All at once: each takes its time to give up.
my @all = map { own_httpd(name => "kafka-tls-$_", port => 1 + $_, conf => conf($rows[ $_ - 1 ][1], 1)) } 1 .. @rows;
$_->expect_log(qr/RT0206: /, qr/RT0203: /, qr/RT0501: request \S+ answered with 50[34]/, qr/RT030[1259]: /, qr/RT0311: /, qr/RT0208: /)->start for @all;
for my $index (0 .. $#rows) {
    my ($name, $conf, $reason) = @{ $rows[$index] };
    my $log    = $all[$index]->log;
    my $status = rate($talk, 5, port => $all[$index]->port)->status;
    ok($status == 503 || $status == 504, "$name: a rating is refused") or diag($status);
    ok(wait_until(sub { $log->has(qr/\[ratings:error\].*RT0206: librdkafka: .*$reason/) }, $patience), "$name: the log names the cause") or diag($log->lines);
    my $run = audit($conf);
    ok($run->{code} == 2 && $run->{err} =~ $reason, "$name: and so does ratingsctl") or diag(transcript($run));
    unlike(transcript($run), qr/\Q$password/, "$name: without the password");
}
$_->stop for @all;
{
    my ($name, $conf, $reason) = @{ (grep { $_->[0] eq 'another authority' } @rows)[0] };
    my $report  = check_kafka($conf);
    my $finding = check_finding($report, 'stream', 'connection');
    ok($report->{code} == 1 && $finding->{verdict} eq 'fail' && $finding->{text} =~ $reason, "$name: ratingsctl check names the cause") or diag($report->{transcript});
    unlike($report->{transcript}, qr/\Q$password/, 'without the password');
}
is_deeply([ grep { /\Q$password/ } map { $_->log->lines } $httpd, @all ], [], 'no line has the password');

finish();
