# What systems answer: for the floor, which repeats it; the entity tags for wrk; the length that an answer has.
package Bench::Answers;

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Bench::Store ();
use RatingsTest  ();

my $hot = '/ratings?talkId=talk-00001';
my %path = (root => '/', list => '/talks?sort=start&limit=20', ranked => '/talks?sort=score&include=ratings&limit=100'); # as in load.lua

# Of the module that runs: a hash of path and answer
sub of_module { my ($system) = @_; return { map { $_ => RatingsTest::get($_, port => $system->port) } '/', $hot } }

# The same as variables for conf/floor.conf
sub as_variables {
    my ($answers) = @_;
    my ($root, $ratings) = @$answers{ '/', $hot };
    return (BENCH_METADATA => $root->body, BENCH_METADATA_CACHING => $root->header('Cache-Control'), BENCH_RATINGS => $ratings->body,
        BENCH_RATINGS_CACHING => $ratings->header('Cache-Control'), BENCH_RATINGS_ETAG => $ratings->header('ETag'));
}

# Of a talk; a machine that is busy may take a second try
sub _etag {
    my ($client, $number) = @_;
    for (1 .. 5) {
        my $etag = $client->request('GET', '/ratings?talkId=' . Bench::Store::talk($number))->header('ETag');
        return $etag if defined $etag;
        sleep 0.5;
    }
    die 'GET of ' . Bench::Store::talk($number) . " gave no ETag\n";
}

# Asks for the first so many talks, each once: a hash of number and entity tag
sub etags {
    my ($system, $count) = @_;
    my $workers = 8;
    my @parts   = RatingsTest::in_children($workers, sub {
        my ($index) = @_;
        my $client = RatingsTest::client(port => $system->port);
        return { map { $_ => _etag($client, $_) } grep { $_ % $workers == $index } 1 .. $count };
    })->();
    $_->{died} and die $_->{died} for @parts;
    return map { %$_ } @parts;
}

# Writes those of all talks, as the system that runs tells them, for load.lua.
sub write_etags {
    my ($system, $path) = @_;
    unlink $path;
    my %etags = etags($system, Bench::Store::talks());
    open my $file, '>', $path or die "$path: $!\n";
    printf $file "%s %s\n", Bench::Store::talk($_), $etags{$_} for 1 .. Bench::Store::talks();
    close $file or die "$path: $!\n";
}

# The bytes of an answer, on average over what wrk will ask for: a run in which they are others has had others. undef:
# they differ too much, or change meanwhile
sub expected_bytes {
    my ($system, $case) = @_;
    return if $case =~ /^(?:search|post|mix|vote)$/;
    my $client = RatingsTest::client(port => $system->port);
    my ($bytes, $weight) = (0, 0);
    for my $rank (1 .. ($case =~ /zipf|revalidate/ ? 30 : 1)) {
        my $path = $path{$case} // '/ratings?talkId=' . Bench::Store::talk($rank);
        my $answer = $client->request('GET', $path);
        $answer = $client->request('GET', $path, [ 'If-None-Match' => $answer->header('ETag') ]) if $case =~ /^(?:unchanged|revalidate)$/;
        die "GET $path: " . $answer->status . "\n" unless $answer->status =~ /^(?:200|304)$/;
        $bytes  += length($answer->raw) / $rank;
        $weight += 1 / $rank;
    }
    return $bytes / $weight;
}

1;
