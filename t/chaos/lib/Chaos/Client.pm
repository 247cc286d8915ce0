# One client of the load: a process that rates or reads at a leisurely pace, checks the replies, and
# writes each request into its journal (see Chaos::Journal).
package Chaos::Client;

use strict;
use warnings;
use Time::HiRes qw(sleep time);

use Chaos::Journal      qw(is_refused);
use RatingsTest::Client ();

my $deadline  = 10;   # seconds for a request: longer than the service may ever take
# A kept connection closed within this, without a byte, crossed with our request: HTTP's own race. httpd
# may take a while to get to it; half of the clients keep no connection, and nothing of theirs may break off.
my $race      = 2;
my %behaviour = (
    rater  => \&rate_once,  # a key of its own for each rating, sent once
    plain  => \&rate_plain, # no key, a talk of its own
    stayer => \&rate_until_done, # the same key again until it is a 200
    reader => \&read_any,
    prober => \&probe,
    ready  => \&ask_ready,
);

# those of Chaos::Voters, too
sub kinds { return qw(rater plain stayer reader voters) }

# journal: a file; stop: a file whose being there ends it; kind, index, where (which httpd), port, talks
# (shared), own (a talk of its own), keyed (whether the service takes keys), think (mean pause, seconds),
# keep (whether connections are kept)
sub new {
    my ($class, %options) = @_;
    my $self = bless { %options, serial => 0, seen => {}, counted => {}, sent => {} }, $class;
    open $self->{out}, '>', $options{journal} or die "$options{journal}: $!";
    $self->{http} = RatingsTest::Client->new(port => $options{port}, timeout => $deadline);
    srand $options{seed} + $options{index};
    return $self;
}

sub run {
    my ($self) = @_;
    until ($self->_stopped) {
        $self->step;
        sleep rand 2 * $self->{think};
    }
    close $self->{out} or die "$self->{journal}: $!";
}

sub step { my $self = shift; return $behaviour{ $self->{kind} }->($self) }

sub _stopped { my $self = shift; return -e $self->{stop} }

# ---- one request ----

sub _outcome {
    my ($self, $response, $kept, $took) = @_;
    return $response->status if $response->status;
    my $error = $response->error;
    return 'refused' if $error =~ /not connected/;
    return 'timeout' if $error =~ /in time/;
    return $error eq 'closed' && $kept && $took < $race && !length $self->{http}{buffer} ? 'crossed' : 'broken';
}

# Asks, and gives back the outcome (a status, or refused, broken, crossed, timeout), the answer, and the
# line for the journal.
sub _ask {
    my ($self, $what, $method, $path, $headers, $body) = @_;
    my $http = $self->{http};
    my @headers = (@{ $headers || [] }, $self->{keep} ? () : (Connection => 'close'));
    # one that httpd has closed meanwhile is not used again
    $http->close if $http->is_open && $http->hears_within(0.0001);
    my $kept     = $http->is_open;
    my $begun    = time;
    my $response = $http->request($method, $path, \@headers, $body);
    my $ended    = time;
    my $outcome  = $self->_outcome($response, $kept, $ended - $begun);
    $http->close unless $response->status && $self->{keep};
    my %line = (begun => $begun, ended => $ended, what => $what, outcome => $outcome, notes => []);
    push @{ $line{notes} }, 'no-retry-after' if $outcome eq '503' && $what =~ /^(?:POST|DELETE|GET|MINE)$/ && !defined $response->header('Retry-After');
    return ($outcome, $response, \%line);
}

sub _write {
    my ($self, $line) = @_;
    my $text = join "\t", sprintf('%.6f', $line->{begun}), sprintf('%.6f', $line->{ended}), $line->{what}, $self->{where},
        $self->{kind}, $line->{talk} // '', $line->{value} // '', $line->{key} // '', $line->{voter} // '', $line->{outcome}, join ' ', @{ $line->{notes} };
    syswrite $self->{out}, "$text\n";
}

# ---- ratings ----

sub _post {
    my ($self, $talk, $value, $key) = @_;
    my @headers = ('Content-Type' => 'application/json', defined $key && $self->{keyed} ? ('Idempotency-Key' => qq("$key")) : ());
    my ($outcome, undef, $line) = $self->_ask('POST', 'POST', '/ratings', \@headers, qq({"talkId":"$talk","value":$value}));
    $self->{counted}{$talk}{$value}++ if $outcome eq '200';
    $self->{sent}{$talk}{$value}++ unless is_refused($outcome);
    @$line{qw(talk value key)} = ($talk, $value, $self->{keyed} ? $key : undef);
    $self->_write($line);
    return $outcome;
}

sub _new_key {
    my ($self) = @_;
    my @parts = map { int rand 65536 } 1 .. 6;
    return sprintf '%04x%04x-%04x-4%03x-8%03x-%06x%06x', @parts[ 0 .. 2 ], $parts[3] & 0xfff, $parts[4] & 0xfff,
        $$ & 0xffffff, ++$self->{serial} & 0xffffff;
}

sub _any_talk { my $self = shift; return $self->{talks}[ rand @{ $self->{talks} } ] }

sub rate_once {
    my ($self) = @_;
    my ($talk, $value) = ($self->_any_talk, 1 + int rand 5);
    my $outcome = $self->_post($talk, $value, $self->_new_key);
    $self->_read($talk) if $outcome eq '200' && rand() < 0.5;
}

sub rate_plain {
    my ($self) = @_;
    my $outcome = $self->_post($self->{own}, 1 + int rand 5);
    $self->_read($self->{own}) if $outcome eq '200';
}

# Again with the same key and value, until it is counted for sure. What it has seen counted is a floor
# for its own reads, as with the others: a key counts once, however many times it was sent.
sub rate_until_done {
    my ($self) = @_;
    my ($talk, $value, $key) = ($self->_any_talk, 1 + int rand 5, $self->_new_key);
    for (1 .. 100) {
        my $outcome = $self->_post($talk, $value, $key);
        last if $outcome eq '200' || $outcome =~ /^4(?!09)/ || $self->_stopped;
        sleep 0.05 + rand 0.1;
    }
}

# ---- reading ----

sub read_any { my $self = shift; $self->_read($self->_any_talk) }

sub _read {
    my ($self, $talk) = @_;
    # what was counted for this client before the request begins must be in the answer
    my %floor = %{ $self->{counted}{$talk} || {} };
    my ($outcome, $response, $line) = $self->_ask('GET', 'GET', "/ratings?talkId=$talk");
    $line->{talk} = $talk;
    $self->_judge($talk, \%floor, $line, $response->body) if $outcome eq '200';
    $self->_write($line);
}

# An answer must not show less than this client has seen, less than was acknowledged to it, or, of its
# own talk, more than it has sent.
sub _judge {
    my ($self, $talk, $floor, $line, $body) = @_;
    my %count = $body =~ /"([1-5])":(\d+)/g;
    my $seen  = $self->{seen}{$talk} ||= {};
    for my $value (1 .. 5) {
        my $count = $count{$value};
        if (!defined $count) { push @{ $line->{notes} }, 'malformed'; last }
        my $before = $seen->{$value} // 0;
        push @{ $line->{notes} }, "back:$value:$before:$count" if $count < $before;
        push @{ $line->{notes} }, "behind:$value:$floor->{$value}:$count" if $count < ($floor->{$value} // 0);
        push @{ $line->{notes} }, "above:$value:$count" if $talk eq $self->{own} && $count > ($self->{sent}{$talk}{$value} // 0);
        $seen->{$value} = $count if $count > $before;
    }
}

# ---- probes ----

sub probe {
    my ($self) = @_;
    my (undef, undef, $line) = $self->_ask('PROBE', 'GET', $self->{serial}++ % 2 ? '/' : '/healthz');
    $self->_write($line);
}

sub ask_ready {
    my ($self) = @_;
    my (undef, undef, $line) = $self->_ask('READY', 'GET', '/readyz');
    $self->_write($line);
}

1;
