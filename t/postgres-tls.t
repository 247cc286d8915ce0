# PostgreSQL with TLS on, by the configuration that docs/security.md shows: certificate and password of the client, a primary
# that moves, and whatever can be wrong, each named in the error log without a password.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use RatingsTest '-alone';
use RatingsTest::Certificates   ();
use RatingsTest::Documented     ();
use RatingsTest::PostgresServer ();

my $patience = 20;
my $password = 'S3cret-of-postgres';
my $database = 9;
my $topic    = 'ratings-postgres-tls-' . int(time) . "-$$";
my @ports    = map { $ENV{HTTP_PORT} + $_ } 10, 11;
my $of       = RatingsTest::Certificates->new("$ENV{TEST_LOGS}/postgres-certificates");
$of->issue('server',  host => 'localhost');
$of->issue('expired', host => 'localhost', days => 0);
$of->issue('client',  subject => 'ratings');
$of->issue('by_cert', subject => 'by_cert');
$of->issue('foreign', subject => 'ratings', by => 'other-ca');

sub documented { return RatingsTest::Documented::block('security.md', @_) }

# ---- the servers ----

my @hba = split /\n/, documented('pg_hba.conf', '192.0.2.0/24' => '127.0.0.1/32');
push @hba, 'hostssl talks by_password 127.0.0.1/32 scram-sha-256', 'hostssl talks by_cert 127.0.0.1/32 cert';

sub server {
    my ($name, $port, %options) = @_;
    return RatingsTest::PostgresServer->new(
        directory => "$ENV{TEST_LOGS}/postgres-$name", port => $port, certificate => $of->path('server'), authority => $of->path('ca.crt'), hba => \@hba, %options,
    )->start;
}

sub schema { my ($name) = @_; return read_file("$ENV{TEST_CONF}/$name") }

sub add_talk { my ($server, $talk) = @_; return $server->sql('talks', "INSERT INTO talks (uuid, title) VALUES ('$talk', 'A talk of the tests')") }

my $first = server('first', $ports[0]);
$first->sql('postgres', 'CREATE DATABASE talks');
$first->sql('talks', schema('schema.sql'), documented('psql talks', q('PASSWORD') => "'$password'"), map { ("CREATE ROLE $_ LOGIN PASSWORD '$password'", "GRANT SELECT ON talks TO $_") } qw(by_password by_cert));
add_talk($first, 'here');
my $second = server('second', $ports[1], follows => $first);

# ---- httpd ----

my $documented = documented(
    'httpd: PostgreSQL', PASSWORD => $password, 'db1.example.org' => "localhost:$ports[0]", 'db2.example.org' => "localhost:$ports[1]",
    '/etc/ratings/ca.crt' => $of->path('ca.crt'), '/etc/ratings/client.crt' => $of->path('client.crt'), '/etc/ratings/client.key' => $of->path('client.key'),
);

# Words in the place of the URI, some of them others than those that work; undef: none.
sub talks {
    my (%other) = @_;
    my %words = (
        host => 'localhost', port => $ports[0], dbname => 'talks', user => 'ratings', password => $password, sslmode => 'verify-full',
        sslrootcert => $of->path('ca.crt'), sslcert => $of->path('client.crt'), sslkey => $of->path('client.key'), %other,
    );
    return 'RatingsTalks "' . join(' ', map { defined $words{$_} ? "$_=$words{$_}" : () } sort keys %words) . "\"\n";
}

sub conf {
    my ($talks) = @_;
    return $talks . qq(RatingsStore "\${RATINGS_CONNECTION}/$database"\nRatingsStream "\${STREAMS_CONNECTION}"\nRatingsStats "\${RATINGS_LAMBDA_URL}"\n)
        . "RatingsTopic $topic\nRatingsTalkTTL 0s\n" . RatingsTest::Httpd::locations();
}

redis(database => $database)->call('FLUSHDB');
my $httpd = own_httpd(name => 'postgres-tls', conf => conf($documented));
my @at    = (port => $httpd->port);
$httpd->expect_log(qr/RT0201: /, qr/RT0208: PostgreSQL/, qr/RT0501: request \S+ answered with 503/);

sub status_of { my ($talk) = @_; return get("/ratings?talkId=$talk", @at)->status }

# ---- a primary that moves ----

$httpd->start;
ok(wait_ready(@at), 'as documented: ready') or BAIL_OUT(get('/readyz', @at)->body . join '', $httpd->log->lines);
is(rate('here', 5, @at)->status, 200, 'and a talk is rated');
is(status_of('nowhere'), 404, 'what is no talk is none');
{
    my $report = check_report($httpd->{config});
    is(check_finding($report, 'talks', $_)->{verdict}, 'ok', "ratingsctl check: $_") or diag($report->{transcript}) for qw(connection server table);
}
like($first->sql('postgres', q(SELECT string_agg(DISTINCT version || client_dn, ' ') FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'ratings')),
    qr{^TLSv1\.\d/CN=ratings$}, 'each connection has TLS and the certificate');
$first->stop;
$second->sql('postgres', 'SELECT pg_promote()');
my $begun = time;
add_talk($second, 'there');
ok(wait_until(sub { status_of('there') == 200 }, $patience, 0.02), 'the primary has moved: the next host is asked');
cmp_ok(time - $begun, '<', 5 * (sanitized() ? 3 : 1), sprintf 'within seconds (%.2f s), without a restart', time - $begun);
$httpd->stop;
undef $first;
$first = $second;

# ---- what is right, and what is wrong ----

sub by { my ($name) = @_; return (sslcert => $of->path("$name.crt"), sslkey => $of->path("$name.key")) }

my $refused = qr/RT0501: request \S+ answered with 503: /;
my @rows = (    # what, words; what the log has, or nothing where all is well
    [ 'a password, and no certificate', { user => 'by_password', sslcert => undef, sslkey => undef } ],
    [ 'a certificate, and no password', { user => 'by_cert', password => undef, by('by_cert') } ],
    [ 'a certificate of another role', { user => 'by_cert', password => undef }, qr/certificate authentication failed for user "by_cert"/ ],
    [ 'another authority', { sslrootcert => $of->path('other-ca.crt') }, qr/certificate verify failed ?\((?:self.signed certificate in certificate chain|unable to get local issuer certificate)\)/ ],
    [ 'another host name', { host => '127.0.0.1' }, qr/server certificate for "localhost"(?: \(and 1 other name\))? does not match host name "127\.0\.0\.1"/ ],
    [ 'no file of authorities', { sslrootcert => '/nonexistent/ca.crt' }, qr{root certificate file "/nonexistent/ca\.crt" does not exist} ],
    [ 'no certificate', { sslcert => undef, sslkey => undef }, qr/connection requires a valid client certificate/ ],
    [ 'a certificate of another authority', { by('foreign') }, qr/alert (?:unknown ca|bad certificate)|certificate verify failed/ ],
    [ 'a key that all may read', { sslkey => $of->path('open.key') }, qr/private key file "\S+open\.key" has group or world access/ ],
    [ 'a wrong password', { password => "$password-not" }, qr/password authentication failed for user "ratings"/ ],
    [ 'no TLS', { sslmode => 'disable' }, qr/no pg_hba\.conf entry for host "127\.0\.0\.1", user "ratings", database "talks", no encryption/ ],
    [ 'no standby', { target_session_attrs => 'standby' }, qr/server is not in hot standby mode/ ],
);

sub write_open_key {
    return write_file($of->path('open.key'), read_file($of->path('client.key')), 0644);
}

sub play {
    my ($name, $words, $reason) = @_;
    my @before = $httpd->log->lines;
    my $since  = sub { return $httpd->log->lines_from(scalar @before) };
    $httpd->configure(name => 'postgres-tls', conf => conf(talks(port => $ports[1], %$words)))->start;
    if ($reason) {
        ok(wait_until(sub { status_of('here') == 503 && grep { /$refused.*$reason/ } $since->() }, $patience, 0.1), "$name: the log names the cause")
            or diag((grep { /RT0/ } $since->())[ 0 .. 9 ]);
    } else {
        ok(wait_until(sub { status_of('there') == 200 }, $patience, 0.1), "$name: good") or diag($since->());
    }
    $httpd->stop;
    return;
}

write_open_key();
play(@$_) for @rows;

# What ratingsctl check says of a row's configuration.
{
    my ($name, $words, $reason) = @{ (grep { $_->[0] eq 'another authority' } @rows)[0] };
    $httpd->configure(name => 'postgres-tls', conf => conf(talks(port => $ports[1], %$words)));
    my $report  = check_report($httpd->{config});
    my $finding = check_finding($report, 'talks', 'connection');
    ok($report->{code} == 1 && $finding->{verdict} eq 'fail' && $finding->{text} =~ $reason, "$name: ratingsctl check names the cause") or diag($report->{transcript});
    unlike($report->{transcript}, qr/\Q$password/, 'without the password');
}

# The certificate that the server has now has expired.
for my $part (qw(crt key)) { rename $of->path("expired.$part"), $of->path("server.$part") or die "server.$part: $!" }
$second->signal('HUP');
play('a certificate that has expired', {}, qr/certificate verify failed ?\(certificate has expired\)/);

is_deeply([ grep { /\Q$password/ } $httpd->log->lines ], [], 'no line has the password');

finish();
