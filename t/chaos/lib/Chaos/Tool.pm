# The tools of scenarios. They end with the scenario, after httpd.
package Chaos::Tool;

use strict;
use warnings;
use parent 'RatingsTest::Tool';

# The ports of tools, beyond those of the scenarios' other servers
my %port = (STREAMS_CONNECTION => 30, RATINGS_CONNECTION => 31, TALKS_CONNECTION => 32, RATINGS_LAMBDA_URL => 33);
my %direct = (STREAMS_CONNECTION => 'KAFKA_PROXIED_PORT', RATINGS_CONNECTION => 'REDIS_PORT', TALKS_CONNECTION => 'PG_PORT',
    RATINGS_LAMBDA_URL => 'LAMBDA_PORT');

# httpd is to go to the tool's port instead of where the connection string points.
sub _divert {
    my ($stage, $connection) = @_;
    my $port = $stage->port($port{$connection});
    $stage->environment($connection => $ENV{$connection} =~ s/(127\.0\.0\.1):\d+/$1:$port/r);
    return $port;
}

# A proxy in front of the backend that a connection string names, for a scenario's setup
sub proxy {
    my ($stage, $connection) = @_;
    my $port = _divert($stage, $connection);
    _advertise($stage, $port) if $connection eq 'STREAMS_CONNECTION';
    return $stage->{tool} = Chaos::Tool->new('proxy', $port, $ENV{ $direct{$connection} });
}

# A broker tells its clients where to go: those that come in through the proxy, to the proxy. It goes on
# so to the end; others are not concerned.
sub _advertise {
    my ($stage, $port) = @_;
    return if ($ENV{KAFKA_ADVERTISED_PORT} // '') eq $port;
    $ENV{KAFKA_ADVERTISED_PORT} = $port;
    $ENV{KAFKA_PROXIED_PORT} //= $ENV{KAFKA_PORT} + 2;
    $stage->stack('restart', 'kafka');
}

# A statistics function that misbehaves, in the place of the Lambda
sub function {
    my ($stage) = @_;
    return $stage->{tool} = Chaos::Tool->new('function', _divert($stage, 'RATINGS_LAMBDA_URL'));
}

1;
