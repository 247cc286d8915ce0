# PgBouncer and Pgpool-II as Debian ships them, before a PostgreSQL with TLS on, by the configuration that docs/security.md shows:
# talks are found by many at once, a server that restarts is found again, and a wrong login is named in the log.
use strict;
use warnings;
use Test::More;
use RatingsTest '-alone';
use RatingsTest::Certificates   ();
use RatingsTest::Documented     ();
use RatingsTest::PostgresServer ();
use RatingsTest::Process        ();

my $patience = 30;
my $password = 'S3cret-of-poolers';
my $database = 9;
my $topic    = 'ratings-poolers-' . int(time) . "-$$";
my ($pg, $bouncer, $pgpool) = map { $ENV{HTTP_PORT} + $_ } 10, 11, 12;
my $of = RatingsTest::Certificates->new("$ENV{TEST_LOGS}/poolers-certificates")->issue('server', host => 'localhost');

sub documented { return RatingsTest::Documented::block('security.md', @_) }

# A file in a directory: its path.
sub put {
    my ($directory, $name, @text) = @_;
    File::Path::make_path($directory);
    return write_file("$directory/$name", join('', @text), 0600);
}

# ---- the server ----

my $server = RatingsTest::PostgresServer->new(
    directory => "$ENV{TEST_LOGS}/pooled-postgres", port => $pg, certificate => $of->path('server'), authority => $of->path('ca.crt'),
    addresses => '127.0.0.1,::1', # PgBouncer of Debian 13 takes localhost for both, whatever /etc/hosts says, and tries the first one alone
    hba => [ map { "hostssl talks ratings $_ scram-sha-256" } '127.0.0.1/32', '::1/128' ],
)->start;
$server->sql('postgres', 'CREATE DATABASE talks');
$server->sql('talks', read_file("$ENV{TEST_CONF}/schema.sql"), documented('psql talks', q('PASSWORD') => "'$password'"),
    "INSERT INTO talks (uuid, title) SELECT 't' || n, 'A talk' FROM generate_series(1, 50) AS n");

# ---- the poolers ----

sub answers { my ($port) = @_; return sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 1) } }

sub pgbouncer {
    my $directory = "$ENV{TEST_LOGS}/pgbouncer";
    my $users = put($directory, 'userlist.txt', qq("ratings" "$password"\n));
    my $conf  = documented(
        'pgbouncer.ini', 'host=db.example.org port=5432' => "host=localhost port=$pg", 'listen_addr = *' => 'listen_addr = 127.0.0.1', 'listen_port = 6432' => "listen_port = $bouncer",
        '/etc/pgbouncer/userlist.txt' => $users, map { ("/etc/pgbouncer/$_" => $of->path($_)) } qw(server.crt server.key ca.crt),
    );
    my $file = put($directory, 'pgbouncer.ini', $conf, "unix_socket_dir =\npidfile = $directory/pid\n");
    return RatingsTest::Process->new(directory => $directory, command => [ '/usr/sbin/pgbouncer', $file ], ready => answers($bouncer))->start;
}

sub pgpool {
    my $directory = "$ENV{TEST_LOGS}/pgpool";
    my $users = put($directory, 'pool_passwd', "ratings:TEXT$password\n");
    my $hba   = put($directory, 'pool_hba.conf', documented('pool_hba.conf', '192.0.2.0/24' => '127.0.0.1/32'));
    my $conf  = documented(
        'pgpool.conf', "'db.example.org'" => "'localhost'", 'backend_port0 = 5432' => "backend_port0 = $pg", "listen_addresses = '*'" => "listen_addresses = '127.0.0.1'", 'port = 5433' => "port = $pgpool",
        '/etc/pgpool2/pool_passwd' => $users, map { ("/etc/pgpool2/$_" => $of->path($_)) } qw(server.crt server.key ca.crt),
    );
    my $own = join '', map { "$_\n" } "socket_dir = '$directory'", "pcp_socket_dir = '$directory'", "pid_file_name = '$directory/pid'", "logdir = '$directory'", 'pcp_port = ' . ($pgpool + 1);
    my $file = put($directory, 'pgpool.conf', $conf, $own);
    my $pcp  = put($directory, 'pcp.conf');
    return RatingsTest::Process->new(directory => $directory, end => 'INT', command => [ qw(/usr/sbin/pgpool -n -D -f), $file, '-a', $hba, '-F', $pcp ], ready => answers($pgpool))->start;
}

# ---- httpd ----

my $httpd = own_httpd(name => 'poolers', conf => '');
my @at    = (port => $httpd->port);
$httpd->expect_log(qr/RT0201: /, qr/RT0208: PostgreSQL/, qr/RT0501: request \S+ answered with 503/);

sub start_httpd {
    my ($talks) = @_;
    $httpd->configure(name => 'poolers', conf => $talks . qq(RatingsStore "\${RATINGS_CONNECTION}/$database"\nRatingsStream "\${STREAMS_CONNECTION}"\nRatingsStats "\${RATINGS_LAMBDA_URL}"\n)
        . "RatingsTopic $topic\nRatingsTalkTTL 0s\n" . RatingsTest::Httpd::locations());
    return $httpd->start;
}

sub status_of { my ($talk) = @_; return get("/ratings?talkId=$talk", @at)->status }

# What eight clients are answered who ask for fifty talks each: a status and its count.
sub ask_for_all {
    my %count;
    my @counts = in_children(8, sub { my %own; $own{ status_of("t$_") }++ for 1 .. 50; return \%own })->();
    for my $own (@counts) { $count{$_} += $own->{$_} for keys %$own }
    return \%count;
}

sub play {
    my ($name, $pooler, $talks) = @_;
    start_httpd($talks);
    ok(wait_ready(@at), "$name: ready") or diag(get('/readyz', @at)->body, $httpd->log->lines);
    is(rate('t1', 4, @at)->status, 200, "$name: a talk is rated");
    is(status_of('nowhere'), 404, "$name: what is no talk is none");
    is_deeply(ask_for_all(), { 200 => 400 }, "$name: all are found by many at once");
    like($server->sql('postgres', q(SELECT string_agg(DISTINCT version, ' ') FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'ratings')), qr/^TLSv1\.\d$/, "$name: with TLS to the server");
    $server->stop('INT');
    ok(wait_until(sub { status_of('t1') == 503 }, $patience), "$name: without its server talks are not found");
    $server->start;
    ok(wait_until(sub { status_of('t1') == 200 }, $patience), "$name: and are again when it has recovered") or diag($httpd->log->lines);
    $httpd->stop;
    my @before = $httpd->log->lines;
    start_httpd($talks =~ s/\Q$password/$password-not/r);
    ok(wait_until(sub { status_of('t1') == 503 && grep { /RT0501: .*authentication failed/ } $httpd->log->lines_from(scalar @before) }, $patience), "$name: a wrong password is named")
        or diag($httpd->log->lines_from(scalar @before));
    $httpd->stop;
    $pooler->stop('INT');
    return;
}

redis(database => $database)->call('FLUSHDB');
my @common = (PASSWORD => $password, 'pooler.example.org' => 'localhost', '/etc/ratings/ca.crt' => $of->path('ca.crt'));
play('PgBouncer', pgbouncer(), documented('httpd: PgBouncer', @common, ':6432' => ":$bouncer"));
SKIP: {
    skip 'no Pgpool-II here: make deps-test', 1 unless -x '/usr/sbin/pgpool';
    play('Pgpool-II', pgpool(), documented('httpd: Pgpool-II', @common, ':5433' => ":$pgpool"));
}
is_deeply([ grep { /\Q$password/ } $httpd->log->lines ], [], 'no line has the password');

finish();
