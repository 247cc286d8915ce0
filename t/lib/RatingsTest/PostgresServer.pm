# A PostgreSQL of a test's own, with TLS: a cluster below its directory, on loopback. `postgres` owns it, and gets in without
# TLS and password; everybody else by the lines of pg_hba.conf that the test gives.
package RatingsTest::PostgresServer;

use strict;
use warnings;
use parent 'RatingsTest::Process';

use RatingsTest::File qw(write_file);

my ($programs) = reverse sort { ($a =~ /(\d+)/)[0] <=> ($b =~ /(\d+)/)[0] } glob '/usr/lib/postgresql/*/bin';

# directory; port; addresses (default: 127.0.0.1); certificate: without .crt and .key; authority: of clients; hba: lines; follows: the one whose data it takes
# over, and which it follows until it is promoted
sub new {
    my ($class, %options) = @_;
    my $data = "$options{directory}/data";
    my $self = $class->SUPER::new(
        %options, end => 'QUIT',
        command => [
            "$programs/postgres", '-D', $data, '-p', $options{port},
            map { ('-c', $_) } 'listen_addresses=' . ($options{addresses} // '127.0.0.1'), 'unix_socket_directories=', 'fsync=off', 'shared_buffers=16MB', 'ssl=on',
            "ssl_cert_file=$options{certificate}.crt", "ssl_key_file=$options{certificate}.key", "ssl_ca_file=$options{authority}",
        ],
        ready => sub { system("$programs/pg_isready", '-q', '-h', '127.0.0.1', '-p', $options{port}) == 0 },
    );
    $options{follows} ? $self->_copy($options{follows}) : $self->_create;
    return $self;
}

sub _run {
    my ($self, @words) = @_;
    my $log = "$self->{directory}/log";
    my $run = RatingsTest::run_program(@words);
    $run->{code} == 0 or die "$words[0]: $run->{out}$run->{err}";
    return $run->{out};
}

sub _create {
    my ($self) = @_;
    $self->_run("$programs/initdb", '-D', "$self->{directory}/data", qw(-U postgres -A reject -E UTF8 --locale=C.UTF-8 --no-sync --no-instructions));
    my @lines = ('hostnossl all,replication postgres 127.0.0.1/32 trust', @{ $self->{hba} });
    return write_file("$self->{directory}/data/pg_hba.conf", join '', map { "$_\n" } @lines);
}

sub _copy {
    my ($self, $from) = @_;
    return $self->_run("$programs/pg_basebackup", '-d', $from->conninfo, '-D', "$self->{directory}/data", qw(-R -X stream -c fast --no-sync));
}

sub port { return $_[0]{port} }

sub conninfo { my ($self, $database) = @_; return "host=127.0.0.1 port=$self->{port} user=postgres dbname=@{[ $database // 'postgres' ]} sslmode=disable" }

# As its owner: what the statements put out.
sub sql {
    my ($self, $database, @statements) = @_;
    return $self->_run("$programs/psql", qw(-X -q -A -t -v ON_ERROR_STOP=1), (map { ('-c', $_) } @statements), $self->conninfo($database));
}

1;
