# HTTP/1.1 over a socket, byte by byte as the test wants it: also what a good client would never send.
package RatingsTest::Client;

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

use RatingsTest::Response ();

sub new {
    my ($class, %options) = @_;
    my $self = {
        port    => $options{port} || $ENV{HTTP_PORT},
        host    => $options{host} || 'main.test',
        timeout => $options{timeout} || 30,
        buffer  => '',
    };
    return bless $self, $class;
}

sub connect {
    my ($self) = @_;
    $self->{buffer} = '';
    $self->{eof}    = 0;
    $self->{socket} = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Proto => 'tcp', Timeout => 5);
    $self->{socket}->setsockopt(IPPROTO_TCP, TCP_NODELAY, 1) if $self->{socket};
    return $self->{socket};
}

sub is_open { my $self = shift; return $self->{socket} && !$self->{eof} }

sub close {
    my ($self) = @_;
    CORE::close($self->{socket}) if $self->{socket};
    $self->{socket} = undef;
}

sub send {
    my ($self, $bytes) = @_;
    $self->connect or return 0 unless $self->{socket};
    while (length $bytes) {
        my $sent = syswrite $self->{socket}, $bytes;
        return 0 unless $sent;
        substr($bytes, 0, $sent) = '';
    }
    return 1;
}

sub half_close { my $self = shift; shutdown $self->{socket}, 1 }

# More bytes into the buffer; false at the end, and at the deadline.
sub _fill {
    my ($self, $until) = @_;
    return 0 if $self->{eof} || !$self->{socket};
    my $left = $until - time;
    return 0 unless $left > 0 && IO::Select->new($self->{socket})->can_read($left);
    my $got = sysread $self->{socket}, $self->{buffer}, 65536, length $self->{buffer};
    $self->{eof} = 1 unless $got;
    return $got;
}

# Whether anything comes within the time; nothing is taken.
sub hears_within { my ($self, $seconds) = @_; return length $self->{buffer} || $self->_fill(time + $seconds) }

# Whether the server closes within the time, without a byte more.
sub closed_within {
    my ($self, $seconds) = @_;
    $self->_fill(time + $seconds);
    return $self->{eof} && !length $self->{buffer};
}

sub _take_until {
    my ($self, $end, $until) = @_;
    my $at;
    while (($at = index $self->{buffer}, $end) < 0) { $self->_fill($until) or return }
    return substr $self->{buffer}, 0, $at + length $end, '';
}

sub _take {
    my ($self, $length, $until) = @_;
    while (length $self->{buffer} < $length) { $self->_fill($until) or return }
    return substr $self->{buffer}, 0, $length, '';
}

sub _take_chunks {
    my ($self, $until) = @_;
    my $body = '';
    for (;;) {
        my $line = $self->_take_until("\r\n", $until) // return;
        my $size = hex(($line =~ /^([0-9A-Fa-f]+)/)[0] // return);
        my $data = $self->_take($size + 2, $until) // return;
        return $body if $size == 0;
        $body .= substr $data, 0, $size;
    }
}

sub _body {
    my ($self, $response, $method, $until) = @_;
    return '' if $method eq 'HEAD' || $response->status =~ /^(1..|204|304)$/;
    return $self->_take_chunks($until) if lc($response->header('Transfer-Encoding') // '') eq 'chunked';
    my $length = $response->header('Content-Length');
    return $self->_take($length, $until) if defined $length;
    1 while $self->_fill($until);
    return substr $self->{buffer}, 0, length $self->{buffer}, '';
}

# The next answer; its status is 0 when there is none, and error then says why. 1xx are kept as interim.
sub receive {
    my ($self, $method) = @_;
    my $until = time + $self->{timeout};
    my @interim;
    for (;;) {
        my $head = $self->_take_until("\r\n\r\n", $until);
        return RatingsTest::Response->failed($self->{eof} ? 'closed' : $self->{socket} ? 'no answer in time' : 'not connected')
            unless defined $head;
        my $response = RatingsTest::Response->new($head);
        if ($response->status =~ /^1/) { push @interim, $response->status; next }
        my $body = $self->_body($response, $method || 'GET', $until);
        return RatingsTest::Response->failed('cut short') unless defined $body;
        $response->{body}    = $body;
        $response->{interim} = \@interim;
        $self->close if lc($response->header('Connection') // '') eq 'close';
        return $response;
    }
}

sub format {
    my ($self, $method, $path, $headers, $body) = @_;
    my @pairs = @{ $headers || [] };
    my $text  = "$method $path HTTP/1.1\r\n";
    my %given;
    for (my $i = 0; $i < @pairs; $i += 2) { $given{ lc $pairs[$i] } = 1 }
    $text .= "Host: $self->{host}\r\n" unless $given{host};
    for (my $i = 0; $i < @pairs; $i += 2) { $text .= "$pairs[$i]: $pairs[$i + 1]\r\n" }
    $text .= 'Content-Length: ' . length($body) . "\r\n"
        if defined $body && !$given{'content-length'} && !$given{'transfer-encoding'};
    return "$text\r\n" . ($body // '');
}

sub request {
    my ($self, $method, $path, $headers, $body) = @_;
    $self->close if $self->{eof};
    my $sent = $self->send($self->format($method, $path, $headers, $body));
    return $self->receive($method) if $sent || $self->{socket};
    return RatingsTest::Response->failed("not connected: $!");
}

1;
