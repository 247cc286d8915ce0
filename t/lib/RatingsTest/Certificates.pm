# Certificates of a test's own, by the program openssl: two authorities, ca and other-ca, and what they have signed.
package RatingsTest::Certificates;

use strict;
use warnings;
use File::Path qw(make_path);

use RatingsTest::File qw(read_file write_file);

my @key = qw(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes);

sub new {
    my ($class, $directory) = @_;
    make_path($directory);
    my $self = bless { directory => $directory }, $class;
    for my $name ('ca', 'other-ca') {
        $self->_openssl(qw(req -x509), @key, '-days', 2, '-subj', "/CN=$name of the tests", '-keyout', $self->path("$name.key"), '-out', $self->path("$name.crt"));
    }
    return $self;
}

sub path { my ($self, $file) = @_; return "$self->{directory}/$file" }

sub _openssl {
    my ($self, @words) = @_;
    my $log = $self->path('log');
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>>', $log;
        open STDERR, '>&', \*STDOUT;
        exec 'openssl', @words or die "openssl: $!";
    }
    waitpid $pid, 0;
    $? == 0 or die "openssl @words: see $log\n";
    return;
}

# NAME.key, for the owner alone; NAME.crt; and NAME.pem with both. subject: its common name; host: a name that it is good for,
# as a server's; days: how long (0: it has expired a second later); by: who signs it
sub issue {
    my ($self, $name, %options) = @_;
    my $by      = $self->path($options{by} // 'ca');
    my @request = $options{host} ? ('-addext', "subjectAltName=DNS:$options{host}") : ();
    $self->_openssl(qw(req -new), @key, '-subj', '/CN=' . ($options{subject} // $options{host}), @request, '-keyout', $self->path("$name.key"), '-out', $self->path("$name.csr"));
    $self->_openssl(qw(x509 -req -copy_extensions copy -CAcreateserial), '-in', $self->path("$name.csr"), '-CA', "$by.crt", '-CAkey', "$by.key", '-days', $options{days} // 2,
        '-out', $self->path("$name.crt"));
    $self->_join("$name.pem", "$name.key", "$name.crt");
    chmod 0600, map { $self->path($_) } "$name.key", "$name.pem";
    return $self;
}

sub _join {
    my ($self, $name, @parts) = @_;
    return write_file($self->path($name), join '', map { read_file($self->path($_)) } @parts);
}

1;
