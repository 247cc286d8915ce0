# The parts that a product of t/matrix/rows may play. Each starts it and says what the checks need to know:
#
#   variables    the connections that are others than those of the stack
#   before       lines of httpd's configuration, before all others
#   restart      ends the product and starts it again, or has another take its place
#   how          what that is called in the table
#   version      what the product itself says that it is
#   within       seconds until a POST is 200 after that (default: 30)
#   idle         seconds for which nothing is asked, after which the first POST must be 200
#   forgets      what it keeps is in memory alone: it is not restarted
#   client_times its records have the client's times: an Idempotency-Key is a 501
#   more         further checks: a function of the list of what was seen, a talk, the function that rates, and httpd's port
#   properties   of librdkafka, key=value, that ratingsctl needs as well
#   others       further httpds on the same topic and store, one after the other: what it is, its lines in the place of `before`, its
#                variables, and what its log says where it must be refused; without that it must work
#   httpd        options of all httpds beyond those; expect: what their error logs may have
#   keep         servers that live as long as the row
package Matrix::Parts;

use strict;
use warnings;
use File::Path qw(make_path);

use Matrix::Lambda           ();
use Matrix::Login            ();
use Matrix::Modules          ();
use Matrix::Process          ();
use RatingsTest              ();
use RatingsTest::RedisServer ();

my $first = $ENV{HTTP_PORT} + 60; # twenty for servers, then those of the row's own stack

sub directory { my ($name) = @_; return "$ENV{TEST_LOGS}/$name" }

sub play {
    my ($part, $program, @words) = @_;
    my $code = __PACKAGE__->can("part_$part") or die "no part $part\n";
    return $code->($program, @words);
}

# The variable by which a program takes the row's librdkafka in the place of the system's, if it has one.
sub library { return $ENV{MATRIX_LIBRARY} ? (LD_PRELOAD => $ENV{MATRIX_LIBRARY}) : () }

# What it says that it is.
sub librdkafka {
    local %ENV = (%ENV, library());
    return qx(kcat -V) =~ /librdkafka (\d+\.\d+\.\d+)/ ? "librdkafka $1" : '';
}

# ---- Redis and its like ----

sub redis_server {
    my ($number, $program, @arguments) = @_;
    return RatingsTest::RedisServer->new(directory => directory("redis-$number"), port => $first + $number, binary => $program, arguments => \@arguments)->start;
}

sub url { my ($server) = @_; return 'redis://127.0.0.1:' . $server->port }

sub info {
    my ($server) = @_;
    my $info = $server->call(qw(INFO server));
    return $info =~ /valkey_version:(\S+)/ ? "Valkey $1" : $info =~ /redis_version:(\S+)/ ? "Redis $1" : '';
}

sub part_redis {
    my ($program, @arguments) = @_;
    my $server = redis_server(1, $program, qw(--appendonly yes), @arguments);
    return { variables => { RATINGS_CONNECTION => url($server) }, restart => sub { $server->stop; $server->start }, how => 'killed', version => info($server) };
}

sub part_replica {
    my ($program) = @_;
    my ($primary, $replica) = map { redis_server($_, $program) } 1, 2;
    $replica->call('REPLICAOF', '127.0.0.1', $primary->port);
    return { variables => { RATINGS_CONNECTION => url($replica) }, version => info($replica), keep => [ $primary, $replica ] };
}

sub part_twemproxy {
    my ($program) = @_;
    my $server = redis_server(1, '/usr/bin/redis-check-rdb');
    my $port   = $first + 10;
    my $proxy  = Matrix::Process->new(directory => directory('twemproxy'), program => $program, port => $port);
    my $conf   = $proxy->write_file('nutcracker.yml', "ratings:\n  listen: 127.0.0.1:$port\n  redis: true\n  servers:\n   - 127.0.0.1:@{[ $server->port ]}:1\n");
    $proxy->{arguments} = [ '-c', $conf, '-s', $first + 11, '-a', '127.0.0.1', '-o', "$proxy->{directory}/log", '-p', "$proxy->{directory}/pid" ];
    $proxy->start;
    return { variables => { RATINGS_CONNECTION => "redis://127.0.0.1:$port" }, version => said_by($program, '-V'), keep => [ $server, $proxy ] };
}

# A primary, a replica and three sentinels: the primary is killed.
sub part_sentinel {
    my ($program) = @_;
    my @redis = map { redis_server($_, $program) } 1, 2;
    $redis[1]->call('REPLICAOF', '127.0.0.1', $redis[0]->port);
    my @lines = ("sentinel monitor ratings 127.0.0.1 @{[ $redis[0]->port ]} 2", 'sentinel down-after-milliseconds ratings 500', 'sentinel failover-timeout ratings 3000');
    my @sentinels = map {
        RatingsTest::RedisServer->new(directory => directory("sentinel-$_"), port => $first + $_, binary => $program, monitors => \@lines)->start
    } 3 .. 5;
    my $named = sub { $sentinels[1]->call(qw(SENTINEL get-master-addr-by-name ratings))->[1] };
    RatingsTest::wait_until(sub { !grep { (eval { $_->call(qw(SENTINEL ckquorum ratings)) } // '') !~ /^OK 3/ } @sentinels }, 20)
        && RatingsTest::wait_until(sub { $sentinels[1]->call(qw(SENTINEL replicas ratings))->[0] }, 20)
        && RatingsTest::wait_until(sub { $redis[1]->call(qw(INFO replication)) =~ /master_link_status:up/ }, 20)
        or die "the sentinels do not find each other, or the replica\n";
    my $restart = sub {
        my $old = $named->();
        $redis[0]->stop;
        RatingsTest::wait_until(sub { $named->() != $old }, 30, 0.02) or die "no other primary is named\n";
    };
    my $hosts = join ',', map { '127.0.0.1:' . $_->port } @sentinels;
    return { variables => { RATINGS_CONNECTION => "redis+sentinel://$hosts/ratings/0" }, restart => $restart, how => 'the primary killed, another named', within => 3,
        version => info($redis[1]), keep => [ @redis, @sentinels ] };
}

# ---- PostgreSQL, and what stands before it ----

sub said_by { my ($program, @arguments) = @_; my ($line) = split /\n/, RatingsTest::run_program($program, @arguments)->{out}; return $line // '' }

sub talks_url { my ($port) = @_; return "postgres://postgres:postgres\@127.0.0.1:$port/postgres?sslmode=disable" }

sub stack_port { my ($url) = @_; return $url =~ /:(\d+)(?:\/|\z)/ ? $1 : die "$url\n" }

# A stack of the row's own, which t/matrix/run removes: the servers that are named, by the programs that the variables name.
sub own_stack {
    my ($variables, $command, @servers) = @_;
    my $run = directory('stack');
    make_path($run);
    my %ports = (PG_PORT => 20, KAFKA_PORT => 22, KAFKA_CONTROLLER_PORT => 23, KAFKA_PROXIED_PORT => 24, KAFKA_CLUSTER_PORT => 26);
    local %ENV = (%ENV, RUN_DIR => $run, (map { $_ => $first + $ports{$_} } keys %ports), %$variables);
    my $output = qx($ENV{TEST_STACK} $command @servers 2>&1);
    die "stack $command @servers: $output" if $?;
    return;
}

sub part_postgres {
    my ($bin) = @_;
    my %variables = (POSTGRES_BIN => $bin);
    own_stack(\%variables, qw(start postgres));
    return { variables => { TALKS_CONNECTION => talks_url($first + 20) }, restart => sub { own_stack(\%variables, qw(restart postgres)) }, how => 'restarted',
        version => said_by("$bin/postgres", '--version') =~ s/ \(PostgreSQL\)/QL/r =~ s/^postgresQL/PostgreSQL/r };
}

# In transactions, a session for each: what it keeps in one is not there in the next.
sub part_pgbouncer {
    my ($program) = @_;
    my $port   = $first + 10;
    my $pooler = Matrix::Process->new(directory => directory('pgbouncer'), program => $program, port => $port);
    $pooler->write_file('users', qq("postgres" "postgres"\n));
    my $conf = $pooler->write_file('pgbouncer.ini', <<"END");
[databases]
postgres = host=127.0.0.1 port=@{[ stack_port($ENV{TALKS_CONNECTION} =~ s/\?.*//r) ]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $pooler->{directory}/users
pool_mode = transaction
default_pool_size = 4
END
    $pooler->{arguments} = [$conf];
    $pooler->start;
    return { variables => { TALKS_CONNECTION => talks_url($port) }, restart => sub { $pooler->restart }, how => 'restarted', version => said_by($program, '--version') };
}

sub part_pgpool {
    my ($program) = @_;
    my $port   = $first + 10;
    my $pooler = Matrix::Process->new(directory => directory('pgpool'), program => $program, port => $port);
    my $here   = $pooler->{directory};
    $pooler->write_file('pool_passwd', "postgres:TEXTpostgres\n");
    my $hba  = $pooler->write_file('pool_hba.conf', "host all all 127.0.0.1/32 scram-sha-256\n");
    my $pcp  = $pooler->write_file('pcp.conf',      '');
    my $conf = $pooler->write_file('pgpool.conf', <<"END");
backend_clustering_mode = 'raw'
listen_addresses = '127.0.0.1'
port = $port
pcp_listen_addresses = '127.0.0.1'
pcp_port = @{[ $first + 11 ]}
socket_dir = '$here'
unix_socket_directories = '$here'
pcp_socket_dir = '$here'
wd_ipc_socket_dir = '$here'
logdir = '$here'
pid_file_name = '$here/pid'
backend_hostname0 = '127.0.0.1'
backend_port0 = @{[ stack_port($ENV{TALKS_CONNECTION} =~ s/\?.*//r) ]}
enable_pool_hba = on
pool_passwd = '$here/pool_passwd'
num_init_children = 32
END
    $pooler->{arguments} = [ '-n', '-f', $conf, '-a', $hba, '-F', $pcp ];
    $pooler->start;
    my ($version) = RatingsTest::run_program($program, '--version')->{err} =~ /version (\S+)/;
    return { variables => { TALKS_CONNECTION => talks_url($port) }, restart => sub { $pooler->restart }, how => 'restarted', version => 'Pgpool-II ' . ($version // '') };
}

# ---- Kafka and its like ----

sub kafka_version { my ($jars) = @_; my ($jar) = glob "$jars/kafka_2.13-*.jar"; return 'Kafka ' . (($jar // '') =~ /kafka_2\.13-(.*)\.jar$/ ? $1 : '') }

sub part_kafka {
    my ($jars) = @_;
    my %variables = (KAFKA_JARS => $jars);
    own_stack(\%variables, qw(start kafka));
    return { variables => { STREAMS_CONNECTION => '127.0.0.1:' . ($first + 22) }, restart => sub { own_stack(\%variables, qw(restart kafka)) }, how => 'restarted', version => kafka_version($jars) };
}

# Three nodes, one of which is killed: two have what is acknowledged.
sub part_cluster {
    my ($jars) = @_;
    my %variables = (KAFKA_JARS => $jars);
    own_stack(\%variables, qw(start cluster));
    return { variables => { STREAMS_CONNECTION => join ',', map { '127.0.0.1:' . ($first + 26 + 2 * $_) } 0 .. 2 }, before => "RatingsTopicReplication 3\n",
        restart => sub { own_stack(\%variables, qw(kill kafka-2)) }, how => 'one node killed', version => kafka_version($jars) };
}

# Clients come in by SASL over TLS, with this mechanism.
sub part_login {
    my ($jars, $mechanism) = @_;
    $ENV{KAFKA_JARS} = $jars;
    my $part = Matrix::Login::part($mechanism, $first + 10);
    return { %$part, version => kafka_version($jars) . ', ' . librdkafka() };
}

sub in_memory {
    my ($process, $version) = @_;
    $process->start;
    return { variables => { STREAMS_CONNECTION => '127.0.0.1:' . $process->port }, keep => $process, forgets => 1, client_times => 1, version => $version };
}

sub part_kfake {
    my ($program) = @_;
    my $port = $first + 10;
    return in_memory(Matrix::Process->new(directory => directory('kfake'), program => $program, port => $port, arguments => [$port]), 'kfake 2026-09-18');
}

sub part_tansu {
    my ($program) = @_;
    my $port = $first + 10;
    my @arguments = ('broker', '--listener-url', "tcp://127.0.0.1:$port", '--advertised-listener-url', "tcp://127.0.0.1:$port", '--storage-engine', 'memory://tansu/');
    my $process = Matrix::Process->new(directory => directory('tansu'), program => $program, port => $port, arguments => \@arguments);
    return in_memory($process, said_by($program, '--version') =~ s/^t/T/r);
}

# ---- AWS ----

sub part_ministack { my ($program) = @_; return Matrix::Lambda::ministack($program, $first + 10) }

sub part_botocore { my ($python) = @_; return Matrix::Lambda::botocore($python, $first + 10) }

# ---- HAProxy ----

# name => port of one; a part of the configuration for each
sub haproxy {
    my ($program, $timeout, $sections) = @_;
    my $process = Matrix::Process->new(directory => directory('haproxy'), program => $program, port => $first + 10);
    my $conf = $process->write_file('haproxy.cfg', <<"END");
global
    maxconn 400
defaults
    mode tcp
    timeout connect 2s
    timeout client $timeout
    timeout server $timeout
$sections
END
    $process->{arguments} = [ '-db', '-f', $conf ];
    return $process->start;
}

sub haproxy_version { my ($program) = @_; return said_by($program, '-v') =~ /version (\S+)/ ? "HAProxy $1" : '' }

sub section { my ($number, $port, @more) = @_; return "listen to-$port\n    bind 127.0.0.1:@{[ $first + 10 + $number ]}\n" . join '', map { "    $_\n" } @more }

# Closes each connection that has been idle for a second.
sub part_haproxy_idle {
    my ($program) = @_;
    my %advertised = (KAFKA_ADVERTISED_PORT => $first + 10);
    own_stack(\%advertised, qw(start kafka));
    my %behind = (TALKS_CONNECTION => stack_port($ENV{TALKS_CONNECTION} =~ s/\?.*//r), RATINGS_CONNECTION => stack_port($ENV{RATINGS_CONNECTION}), RATINGS_LAMBDA_URL => stack_port($ENV{RATINGS_LAMBDA_URL}));
    my ($number, %variables) = (0, STREAMS_CONNECTION => '127.0.0.1:' . ($first + 10));
    my $sections = section(0, $first + 24, "server one 127.0.0.1:@{[ $first + 24 ]}");
    for my $name (sort keys %behind) {
        $sections .= section(++$number, $behind{$name}, "server one 127.0.0.1:$behind{$name}");
        $variables{$name} = $ENV{$name} =~ s/:$behind{$name}\b/':' . ($first + 10 + $number)/er;
    }
    my $process = haproxy($program, '1s', $sections);
    return { variables => \%variables, idle => 4, restart => sub { $process->restart }, how => 'restarted', version => haproxy_version($program) };
}

# Sends clients to the one that says that it is a master.
sub part_haproxy_moved {
    my ($program) = @_;
    my @redis = map { redis_server($_, '/usr/bin/redis-check-rdb') } 1, 2;
    $redis[1]->call('REPLICAOF', '127.0.0.1', $redis[0]->port);
    my $process = haproxy($program, '60s', section(0, 'redis', 'option tcp-check', 'tcp-check connect', 'tcp-check send info\ replication\r\n', 'tcp-check expect string role:master',
        'default-server inter 200ms fall 2 rise 1', map { "server redis-$_ 127.0.0.1:@{[ $redis[$_]->port ]} check" } 0, 1));
    RatingsTest::wait_until(sub { $redis[1]->call(qw(INFO replication)) =~ /master_link_status:up/ }, 20) or die "the replica does not follow\n";
    my $move = sub {
        $redis[1]->call(qw(REPLICAOF NO ONE));
        $redis[0]->call('REPLICAOF', '127.0.0.1', $redis[1]->port);
    };
    return { variables => { RATINGS_CONNECTION => 'redis://127.0.0.1:' . ($first + 10) }, restart => $move, how => 'the primary demoted, the replica promoted', within => 3,
        version => haproxy_version($program), keep => [ @redis, $process ] };
}

# ---- httpd's modules ----

sub part_modules { my ($program, $mpm) = @_; return Matrix::Modules::part($program, $mpm) }

1;
