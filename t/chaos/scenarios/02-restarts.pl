# Restarts of httpd, ten in a row of each kind.
use strict;
use warnings;

my $late = qr/RT0301: the projector is stalled/;

sub ten_times {
    my ($step) = @_;
    return sub {
        my ($stage) = @_;
        for (1 .. $stage->either(10, 3)) { $step->($stage, $stage->httpd) }
    };
}

sub answers { my $stage = shift; $stage->until('an answer', sub { $stage->get('/healthz')->status == 200 }, 10) }

return (
    {
        name => 'graceful', number => 2, what => 'ten graceful restarts: no request is broken or refused',
        fault => ten_times(sub {
            my ($stage, $httpd) = @_;
            $stage->graceful($httpd);
            $stage->pause(0.7);
        }),
        recover => 2,
    },
    {
        name => 'restart', number => 2, what => 'ten restarts, which cut off what is under way',
        fault => ten_times(sub {
            my ($stage, $httpd) = @_;
            my %old = map { $_ => 1 } $httpd->children;
            $httpd->signal('HUP');
            $stage->until('new children', sub { my @now = $httpd->children; @now && !grep { $old{$_} } @now }, 15);
            $stage->pause(0.5);
        }),
        allow => { any => 'broken refused', POST => '503', GET => '503' }, recover => 3, expect => [$late],
    },
    {
        name => 'stop-start', number => 2, what => 'stopped and started ten times',
        fault => ten_times(sub {
            my ($stage, $httpd) = @_;
            defined $httpd->stop or die "processes were left behind\n";
            $stage->pause(0.2);
            $stage->start($httpd);
            answers($stage);
            $stage->pause(0.5);
        }),
        allow => { any => 'broken refused', POST => '503', GET => '503' }, recover => 4, expect => [$late], alone => 1,
    },
    {
        name => 'kill-httpd', number => 2, what => 'kill -9 of all of httpd, and started again',
        fault => ten_times(sub {
            my ($stage, $httpd) = @_;
            kill 'KILL', $httpd->pid, $httpd->children;
            $stage->pause(0.2);
            unlink $httpd->{pid_file};
            $stage->start($httpd);
            answers($stage);
            $stage->pause(0.5);
        }),
        allow => { any => 'broken refused', POST => '503', GET => '503' }, recover => 4, expect => [$late], alone => 1,
    },
);
