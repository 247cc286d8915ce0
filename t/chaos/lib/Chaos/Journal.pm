# What the clients have written down: a line a request, times in seconds since 1970:
#   begun ended POST|DELETE|GET|MINE|PROBE|READY httpd kind talk value key voter outcome notes
# The outcome is the status, or refused (no connection), broken (closed before the answer was whole),
# crossed (a kept connection that httpd closed while the request was on its way), timeout (the client's).
package Chaos::Journal;

use strict;
use warnings;
use parent 'Exporter';

our @EXPORT_OK = qw(is_good is_refused is_taken outcome_class);

my @columns = qw(begun ended what where kind talk value key voter outcome notes);

# What answers when all is as it should be; and the kind that a request counts for, where it is not its own
my %good    = (DELETE => qr/^204$/, MINE => qr/^(?:200|404)$/);
my %like    = (DELETE => 'POST', MINE => 'GET');

sub new {
    my ($class, $pattern) = @_;
    my @lines;
    for my $path (glob $pattern) {
        open my $file, '<', $path or die "$path: $!";
        while (my $text = <$file>) {
            chomp $text;
            my %line;
            @line{@columns} = split /\t/, $text, -1;
            $line{notes} = [ split / /, $line{notes} ];
            push @lines, \%line;
        }
    }
    return bless { lines => [ sort { $a->{ended} <=> $b->{ended} } @lines ] }, $class;
}

# Those that are of one of the kinds (POST, GET, ...); all without.
sub lines {
    my ($self, @what) = @_;
    return @{ $self->{lines} } unless @what;
    my %wanted = map { $_ => 1 } @what;
    return grep { $wanted{ $_->{what} } } @{ $self->{lines} };
}

# { POST => { 200 => 17, ... }, ... }
sub outcomes {
    my ($self) = @_;
    my %sum;
    $sum{ $_->{what} }{ $_->{outcome} }++ for @{ $self->{lines} };
    return \%sum;
}

sub like_what { my $line = shift; return $like{ $line->{what} } // $line->{what} }

sub is_good { my $line = shift; return $line->{outcome} =~ ($good{ $line->{what} } // qr/^200$/) }

# A rating that is durable, and an answer with the counts: there was service.
sub is_service { my $line = shift; return is_good($line) || like_what($line) eq 'POST' && $line->{outcome} eq '202' }

# What an outcome says of the log: the event is in it; it is not. Of others nobody knows.
sub is_taken   { my $outcome = shift; return $outcome =~ /^20[024]$/ }
sub is_refused { my $outcome = shift; return $outcome =~ /^(?:503|refused|4\d\d)$/ }

sub outcome_class { my $line = shift; return is_taken($line->{outcome}) ? 'taken' : is_refused($line->{outcome}) ? 'refused' : 'unknown' }

# The longest time without service, between two times.
sub longest_gap {
    my ($self, $what, $from, $to) = @_;
    my ($last, $gap) = ($from, 0);
    for my $line (grep { like_what($_) eq $what && is_service($_) } $self->lines) {
        next if $line->{ended} < $from || $line->{ended} > $to;
        $gap  = $line->{ended} - $last if $line->{ended} - $last > $gap;
        $last = $line->{ended};
    }
    return $to - $last > $gap ? $to - $last : $gap;
}

# The longest that a request took.
sub longest_request {
    my ($self, @what) = @_;
    my $longest = 0;
    for ($self->lines(@what)) { $longest = $_->{ended} - $_->{begun} if $_->{ended} - $_->{begun} > $longest }
    return $longest;
}

# The seconds from `since` to the first moment from which POST, GET and READY are 200 for a second
# without a failure; undef if there is none before `to`. Of one httpd alone, if it is given.
sub recovery {
    my ($self, $since, $to, $where) = @_;
    my ($moment, %first) = ($since);
    for my $line ($self->lines(qw(POST DELETE GET MINE READY))) {
        next if $line->{ended} < $since || $line->{ended} > $to || defined $where && $line->{where} != $where;
        if (!is_good($line)) {
            ($moment, %first) = ();
            next;
        }
        $first{ like_what($line) } //= $line->{ended};
        next if keys %first < 3;
        # after a failure, the service has recovered when each of the three has been good once
        $moment //= $line->{ended};
        return $moment - $since if $line->{ended} >= $moment + 1;
    }
    return;
}

1;
