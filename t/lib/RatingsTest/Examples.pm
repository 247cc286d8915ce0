# The examples of a document: commands in indented blocks, each with the output that follows it, and the document anew
# with the outputs of today.
#
#     $ curl 127.0.0.1:8080/healthz
#     {"status":"alive"}
#
# A block ends with the first line that is not indented; a command goes on where its line ends in \. A comment of
# Markdown before a block says what it needs: <!-- example: without postgres -->; that its output comes within seconds:
# <!-- example: soon -->; or why nothing runs it: <!-- example: not run, WHY -->.
package RatingsTest::Examples;

use strict;
use warnings;

# What differs from run to run, and is no difference: the whole of each match. "..." stands for anything.
my @varies = (
    qr/^Date: .*$/m,
    qr/^Server: .*$/m,
    qr/"revision":"[^"]*"/,
    qr/"instance":"urn:request:[^"]*"/,
    qr/"age":\d+/,
    qr/generation [0-9a-f]{16}/, # of a store
    qr/\b[0-9a-f]{32}\b/,       # of a voter
    qr/\d{4}-\d\d-\d\dT[\d:.]+Z/,
    qr/reached in [\d.]+ ms/,
    qr/table +ok {2,}[\d.]+ ms {2}\d+ talks/, # of ratingsctl check; so are the next ones
    qr/ {2,}[\d.]+ ms {2}/,
    qr/: Redis \d[\d.]*/,
    qr/PostgreSQL \d[^,]*, /,
    qr/for another \d+ ms/,
    qr/process \d+ of host [0-9a-f]{16}, its lease runs out in \d+ ms/,
);

sub new {
    my ($class, $path) = @_;
    open my $in, '<', $path or die "$path: $!";
    my @lines = <$in>;
    close $in;
    my $self = bless { path => $path, lines => \@lines, examples => [] }, $class;
    $self->_parse;
    return $self;
}

sub _parse {
    my ($self) = @_;
    my ($comment, $example);
    for my $number (0 .. $#{ $self->{lines} }) {
        my $line = $self->{lines}[$number];
        if ($line =~ /^<!-- example: (.*?) -->$/) { ($comment, $example) = ($1) }
        elsif ($line =~ /^ {4}\$ (.*)/) { push @{ $self->{examples} }, $example = { line => $number + 1, command => $1, from => $number + 1, output => '', needs => $comment // '' } }
        elsif ($line =~ /^\S/) { ($comment, $example) = (undef, undef) }
        elsif (!$example)      { next }
        elsif ($example->{command} =~ s/\\\z//) { $example->{command} .= $line =~ s/^\s+//r =~ s/\n//r; $example->{from} = $number + 1 }
        else { $example->{output} .= $line =~ s/^ {4}//r }
    }
    $_->{output} =~ s/\n*\z/\n/ for @{ $self->{examples} };
    return;
}

sub path { $_[0]{path} }

# Each: line (of the command), command, output (as the document has it), needs (what the comment says)
sub examples { my ($self, $programs) = @_; return grep { $_->{command} =~ /^(?:$programs)(?: |$)/ } @{ $self->{examples} } }

# The numbers of the lines that begin with a command of these programs after a prompt; of curl also without one.
sub lines_with {
    my ($self, $programs) = @_;
    return grep { $self->{lines}[ $_ - 1 ] =~ /^(?: {4})?(?:\$ (?:$programs)|curl) / } 1 .. @{ $self->{lines} };
}

# A pattern for what an example has to put out.
sub _pattern {
    my ($output) = @_;
    my $any = join '|', @varies;
    my $pattern = '';
    while ($output =~ /\G(?:(\.\.\.)|($any)|(.))/gms) {
        if    (defined $1) { $pattern .= '.*' }
        elsif (defined $2) { my $found = $2; my ($which) = grep { $found =~ /^$_\z/ } @varies; $pattern .= "(?:$which)" }
        else               { $pattern .= quotemeta $3 }
    }
    return qr/^$pattern\z/ms;
}

# Whether the output is what the document has, but for what varies.
sub agrees { my ($example, $output) = @_; return $output =~ _pattern($example->{output}) }

# Another output for the example; the text of the document is that of `text` from then on.
sub correct { my ($self, $example, $output) = @_; $example->{corrected} = $output; return }

sub text {
    my ($self) = @_;
    my @lines = @{ $self->{lines} };
    for my $example (reverse grep { defined $_->{corrected} } @{ $self->{examples} }) {
        my $count = $example->{output} =~ /\S/ ? () = $example->{output} =~ /\n/g : 0;    # a blank line is none of it
        splice @lines, $example->{from}, $count, map { length > 1 ? "    $_" : $_ } split /(?<=\n)/, $example->{corrected};
    }
    return join '', @lines;
}

1;
