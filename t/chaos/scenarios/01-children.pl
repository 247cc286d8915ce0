# Children of httpd that die, and those that come and go all the time.
use strict;
use warnings;

my $killed = qr/AH0005[12]: child (?:pid|process) \d+ exit signal Killed/;
my %dying  = (
    # what a child had under way ends with it; its ratings may be visible late, until another projects
    allow  => { any => 'broken', POST => '503' },
    expect => [ $killed, qr/RT0301: the projector is stalled/, qr/AH00045|AH00046/ ],
);

# which one each time, with as much time between as a successor needs
sub killer {
    my ($times, @which) = @_;
    return sub {
        my ($stage) = @_;
        for my $n (1 .. $stage->either($times, 2)) {
            $stage->kill_child($which[ $n % @which ]);
            $stage->pause(1.5);
        }
    };
}

return (
    {
        name => 'kill-child', number => 1, what => 'kill -9 of a child that does not project, five times',
        fault => killer(5, 'other'), recover => 2, %dying,
    },
    {
        name => 'kill-projector', number => 1, what => 'kill -9 of the child that projects, five times', short => 1,
        fault => killer(5, 'projector'), recover => 4, %dying,
    },
    {
        name => 'kill-both', number => 1, what => 'kill -9 of the one and of the other in turn, eight times',
        fault => killer(8, 'projector', 'other'), recover => 4, %dying,
    },
    {
        name => 'turnover', number => 1, what => 'MaxConnectionsPerChild turns the children over all the time',
        httpd => { after => "MaxConnectionsPerChild 40\n" }, recover => 2,
        # of many generations at once
        expect => [ qr/AH0048[45]: |AH03490: / ],
    },
);
