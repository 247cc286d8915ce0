# A server of a row, which is up when its port takes connections.
package Matrix::Process;

use strict;
use warnings;
use parent 'RatingsTest::Process';
use IO::Socket::INET;

use RatingsTest::File ();

# directory; program; arguments, which may be set later; port that it listens on when it is up; within: seconds until then
# (default: 20)
sub new {
    my ($class, %options) = @_;
    my $self = $class->SUPER::new(within => 20, %options);
    $self->{ready} = sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $options{port}, Timeout => 2) };
    return $self;
}

# A file beside its log, as a configuration; its path.
sub write_file {
    my ($self, $name, $text) = @_;
    return RatingsTest::File::write_file("$self->{directory}/$name", $text);
}

sub start {
    my ($self) = @_;
    $self->{command} = [ $self->{program}, @{ $self->{arguments} || [] } ];
    return $self->SUPER::start;
}

sub port { $_[0]{port} }

# Asked, and after five seconds killed; what has forked ends with it.
sub stop {
    my ($self) = @_;
    local $self->{within} = 5;
    return $self->SUPER::stop('TERM');
}

sub restart { my ($self) = @_; $self->stop; return $self->start }

1;
