# An answer of httpd.
package RatingsTest::Response;

use strict;
use warnings;

sub new {
    my ($class, $head) = @_;
    my ($line, @lines) = split /\r\n/, $head;
    my %headers;
    for (@lines) { push @{ $headers{ lc $1 } }, $2 if /^([^:]+):\s*(.*?)\s*$/ }
    my ($status) = $line =~ m{^HTTP/1\.[01] (\d{3})};
    return bless { head => $head, status => $status || 0, headers => \%headers, body => '' }, $class;
}

sub failed { my ($class, $error) = @_; return bless { status => 0, headers => {}, body => '', head => '', error => $error }, $class }

sub status  { $_[0]{status} }
sub body    { $_[0]{body} }
sub error   { $_[0]{error} }
sub interim { $_[0]{interim} || [] }
sub raw     { $_[0]{head} . $_[0]{body} }

# The header's value, several of them joined as RFC 9110 does.
sub header {
    my ($self, $name) = @_;
    my $values = $self->{headers}{ lc $name } or return;
    return join ', ', @$values;
}

# The headers but those that differ from answer to answer.
sub stable_headers {
    my ($self) = @_;
    my %headers = map { $_ => $self->header($_) } grep { !/^(date|keep-alive)$/ } keys %{ $self->{headers} };
    return \%headers;
}

1;
