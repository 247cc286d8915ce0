# Whether a system answers as it should, before it is measured.
package Bench::Check;

use strict;
use warnings;

use Bench::Store ();
use RatingsTest  ();

# What is wrong with the system that runs: a list. number: of a talk that nobody else rates meanwhile; answers: what
# the module answered (see Bench::Answers), for the floor
sub faults {
    my ($system, $number, $answers) = @_;
    return $system->kind eq 'floor' ? _floor($system, $answers) : _service($system, $number);
}

sub _get { my ($system, $path, @headers) = @_; return RatingsTest::get($path, port => $system->port, headers => \@headers) }

sub _service {
    my ($system, $number) = @_;
    my $talk   = Bench::Store::talk($number);
    my %counts = map { $_ => Bench::Store::seeded($number, $_) } 1 .. 5;
    my @faults;
    my $metadata = (RatingsTest::json(_get($system, '/')->body) || {})->{metadata} || {};
    push @faults, 'GET / lacks metadata' if grep { !defined $metadata->{$_} } qw(ratings_lambda ratings streams talks);
    push @faults, _histogram('GET', $system, $talk, %counts);
    my $answer = RatingsTest::rate($talk, 5, port => $system->port);
    push @faults, 'POST: ' . $answer->status . ' ' . $answer->body
        if $answer->status != 200 || $answer->body ne qq({"rating":{"talk_uuid":"$talk","value":5}});
    $counts{5}++;
    push @faults, _histogram('GET after a POST', $system, $talk, %counts);
    push @faults, 'POST to no talk is not a 404' if RatingsTest::rate('no-such-talk', 5, port => $system->port)->status != 404;
    push @faults, 'POST of a 6 is not a 400' if RatingsTest::rate($talk, 6, port => $system->port)->status != 400;
    push @faults, _revalidation($system, "/ratings?talkId=$talk") if $system->plays('revalidate');
    push @faults, _lists($system, $number, \%counts) if $system->plays('list');
    return @faults;
}

sub _lists {
    my ($system, $number, $counts) = @_;
    my $talk  = Bench::Store::talk($number);
    my $first = RatingsTest::json(_get($system, '/talks?sort=start&limit=20')->body) || {};
    my $found = RatingsTest::json(_get($system, "/talks?limit=20&include=ratings&q=talk+$number")->body) || {};
    my ($one) = grep { $_->{talkId} eq $talk } @{ $found->{talks} || [] };
    my @faults;
    push @faults, 'GET /talks does not list 20 talks, and a cursor' if @{ $first->{talks} || [] } != 20 || !$first->{next};
    push @faults, "GET /talks does not find $talk" unless $one;
    push @faults, "GET /talks: $talk has other ratings" if $one && grep { $one->{ratings}{$_} != $counts->{$_} } 1 .. 5;
    return @faults;
}

sub _histogram {
    my ($what, $system, $talk, %counts) = @_;
    my $answer = RatingsTest::histogram_of($talk, port => $system->port) or return "$what is not a 200";
    my ($sum, $total) = (0, 0);
    for my $value (1 .. 5) {
        $sum   += $value * $counts{$value};
        $total += $counts{$value};
        my $count = $answer->{ratings}{$value} // 0;
        return "$what: $talk has $count times $value, not $counts{$value}" if $count != $counts{$value};
    }
    my $stats = $answer->{stats} or return "$what: no stats";
    return "$what: wrong stats" if $stats->{totalCount} != $total || abs($stats->{avg} - $sum / $total) > 1e-9;
    return;
}

sub _revalidation {
    my ($system, $path) = @_;
    my $etag = _get($system, $path)->header('ETag') // return 'no ETag';
    my $answer = _get($system, $path, 'If-None-Match' => $etag);
    return $answer->status == 304 ? () : 'If-None-Match gives a ' . $answer->status;
}

# The floor must write what the module wrote.
sub _floor {
    my ($system, $answers) = @_;
    my @faults;
    for my $path (sort keys %$answers) {
        my $answer = _get($system, $path);
        my ($is, $must) = map { RatingsTest::to_json({ %{ $_->stable_headers }, body => $_->body }) } $answer, $answers->{$path};
        push @faults, "GET $path: $is, not $must" if $is ne $must;
    }
    push @faults, _revalidation($system, '/ratings?talkId=talk-00001');
    return @faults;
}

1;
