# The load: one run of wrk.
package Bench::Wrk;

use strict;
use warnings;
use FindBin qw($Bin);
use Time::HiRes qw(sleep);

use Bench::Store ();
use RatingsTest  ();

my $exponent = '1.0';

# url, case, connections, seconds, etags (a file), during (code that runs when most of the time has passed): what wrk
# counted, and the microseconds that it took itself
sub run {
    my (%options) = @_;
    return _wrk('load.lua', \%options, $options{case}, Bench::Store::talks(), $exponent, $options{etags} // '');
}

# url, ratings, voters, talks, connections; seconds: no longer than so. The same of vote.lua
sub vote {
    my (%options) = @_;
    return _wrk('vote.lua', \%options, @options{qw(ratings voters talks)});
}

sub _wrk {
    my ($script, $options, @arguments) = @_;
    my @command = ('timeout', '--kill-after=5', $options->{seconds} + 30, 'wrk', '-t1', "-c$options->{connections}", "-d$options->{seconds}s",
        '--timeout', '2s', '-s', "$Bin/$script", $options->{url}, '--', @arguments);
    my @before = times;
    open my $wrk, '-|', @command or die "wrk: $!\n";
    if ($options->{during}) {
        sleep 0.8 * $options->{seconds};
        $options->{during}->();
    }
    my $output = join '', <$wrk>;
    close $wrk or die 'wrk failed (' . ($? >> 8) . "): $output\n";
    my @after = times;
    my ($result) = $output =~ /^RESULT (.*)$/m or die "wrk: $output\n";
    return { %{ RatingsTest::json($result) }, wrk_us => 1e6 * ($after[2] + $after[3] - $before[2] - $before[3]) };
}

1;
