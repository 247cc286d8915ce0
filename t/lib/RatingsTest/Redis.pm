# Redis, as little of its protocol as the tests need.
package RatingsTest::Redis;

use strict;
use warnings;
use IO::Socket::INET;

sub new {
    my ($class, %options) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => $options{address} // '127.0.0.1', PeerPort => $ENV{REDIS_PORT}, Timeout => 5) or die "Redis: $@";
    my $self = bless { socket => $socket }, $class;
    $self->call('SELECT', $options{database}) if $options{database};
    return $self;
}

sub _line {
    my ($self) = @_;
    local $/ = "\r\n";
    my $line = readline($self->{socket}) // die "Redis closed the connection\n";
    chomp $line;
    return $line;
}

sub _reply {
    my ($self) = @_;
    my ($type, $rest) = $self->_line =~ /^(.)(.*)$/s;
    return $rest if $type eq '+' || $type eq ':';
    die "Redis: $rest\n" if $type eq '-';
    return if $rest < 0;
    return [ map { scalar $self->_reply } 1 .. $rest ] if $type eq '*';
    read $self->{socket}, my $bulk, $rest + 2;
    return substr $bulk, 0, $rest;
}

sub call {
    my ($self, @words) = @_;
    print { $self->{socket} } '*' . @words . "\r\n", map { '$' . length($_) . "\r\n$_\r\n" } @words;
    $self->{socket}->flush;
    return scalar $self->_reply;
}

# The next line of a MONITOR.
sub line { return $_[0]->_line }

sub hash { my ($self, $key) = @_; return { @{ $self->call('HGETALL', $key) } } }

1;
