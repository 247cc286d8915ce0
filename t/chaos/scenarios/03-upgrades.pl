# Graceful restarts with another configuration, and with another build of the module.
use strict;
use warnings;
use File::Copy qw(copy);

# By renaming: children that run keep the file that they have mapped.
sub install_module {
    my ($name) = @_;
    copy("$ENV{CHAOS_MODULES}/$name", "$ENV{TEST_MODULE}.new") or die "$name: $!";
    chmod 0755, "$ENV{TEST_MODULE}.new";
    rename "$ENV{TEST_MODULE}.new", $ENV{TEST_MODULE} or die "$ENV{TEST_MODULE}: $!";
}

sub version_is {
    my ($stage, $pattern) = @_;
    $stage->until("version $pattern", sub { $stage->get('/')->body =~ /"version":"$pattern"/ }, 10);
}

# The memory that the children share has a random number, which the lease's holder tells.
sub memory_of {
    my ($stage, %old) = @_;
    return $stage->until('a projector', sub {
        my ($memory, $pid) = split /:/, $stage->redis->call('GET', 'ratings:projector') // '';
        return $pid && !$old{$pid} && $stage->projector ? $memory : undef;
    }, 15);
}

# A graceful restart with another build, or with other modules mapped before it: the parent unloads the module
# and maps it anew, elsewhere, and what the children share must be found all the same.
sub upgrade {
    my ($stage, $file, $version, %options) = @_;
    my ($before, $after) = install_and_restart($stage, $file, $version, %options);
    die "$file: the children of before and after do not share their memory\n" if $after ne $before;
    return $stage->pause(1);
}

# The same between modules whose layouts of shared memory differ: each has a ring and a writer of its own, while the children
# of before have requests to end.
sub change_layout {
    my ($stage, $file, $version) = @_;
    my ($before, $after) = install_and_restart($stage, $file, $version);
    die "$file: the children of before and after share their memory\n" if $after eq $before;
    return $stage->pause(rand 1);
}

# The memory of before, and of after.
sub install_and_restart {
    my ($stage, $file, $version, %options) = @_;
    my $before = memory_of($stage);
    my %old    = map { $_ => 1 } $stage->httpd->children;
    install_module($file);
    $stage->configure($stage->httpd, %options);
    $stage->graceful($stage->httpd);
    version_is($stage, $version);
    return ($before, memory_of($stage, %old));
}

my $other_modules = join '', map { qq(LoadModule ${_}_module "$ENV{TEST_MODULES}/mod_$_.so"\n) } qw(env headers rewrite) if $ENV{TEST_MODULES};

# ---- another store ----

my $many = 150_000; # ratings: what a rebuild has to read, so that it takes a while

# Of talks that nobody asks for. They come before those of the load, so that all of the load's are missing
# from the new store for as long as it is being built.
sub fill_log {
    my ($stage) = @_;
    $stage->until('the topic', sub { $stage->rate($stage->{warm}, 5) == 200 }, 10);
    my @command = ('timeout', '60', 'kcat', '-P', '-q', '-b', $ENV{STREAMS_CONNECTION}, '-t', $stage->topic, '-K', "\t", '-X', 'topic.partitioner=murmur2');
    open my $kcat, '|-', @command or die "kcat: $!";
    for my $n (1 .. $many) {
        my $talk = 'chaos-many-' . $n % 200;
        print $kcat qq($talk\t{"version":1,"talkId":"$talk","value":), 1 + $n % 5, "}\n";
    }
    close $kcat or die "kcat could not write\n";
}

# The log goes on, the store is another one, which is empty.
sub change_store {
    my ($stage) = @_;
    $stage->use_database(1);
    $stage->configure($stage->httpd);
    $stage->graceful($stage->httpd);
    $stage->until('the new store', sub { $stage->redis->call('HGET', 'ratings:log', 'generation') }, 20);
}

my @settings = (
    "RatingsStorePool 4\nRatingsTalksPool 12\n",
    "RatingsVisibilityTimeout 2s\nRatingsBreakerFailures 3\n",
    "RatingsStreamTimeout 4s\nRatingsLease 2s\n",
    "RatingsStatsPool 4\nRatingsKafka linger.ms 1\n",
    '',
);

return (
    {
        name => 'reconfigured', number => 3, what => 'graceful restarts, each with other directives',
        fault => sub {
            my ($stage) = @_;
            for my $settings ($stage->short ? @settings[ 0, 2 ] : @settings) {
                $stage->configure($stage->httpd, after => $settings);
                $stage->graceful($stage->httpd);
                $stage->pause(1);
            }
        },
        clean => sub { $_[0]->configure($_[0]->httpd) if $_[0]->httpd },
        recover => 3, alone => 1,
    },
    {
        name => 'other-threads', number => 3, what => 'a graceful restart with another number of threads and children',
        fault => sub {
            my ($stage) = @_;
            for my $sizes ("StartServers 1\nThreadsPerChild 64\nMaxRequestWorkers 128\nServerLimit 12\n",
                "StartServers 4\nThreadsPerChild 24\nMaxRequestWorkers 96\nServerLimit 12\n")
            {
                $stage->configure($stage->httpd, sizes => $sizes);
                $stage->graceful($stage->httpd);
                $stage->pause(2);
            }
        },
        recover => 3, alone => 1,
    },
    {
        name => 'newer-module', number => 3, what => 'a newer module, installed by renaming, a larger one, one mapped after others; and back to the older',
        fault => sub {
            my ($stage) = @_;
            upgrade($stage, 'next.so',   '[^"]*-next');
            upgrade($stage, 'larger.so', '[^"]*-next');
            upgrade($stage, 'larger.so', '[^"]*-next', modules => $other_modules);
            upgrade($stage, 'this.so',   '[^"-]*');
        },
        clean => sub { install_module('this.so'); $_[0]->configure($_[0]->httpd) if $_[0]->httpd },
        recover => 3, alone => 1,
    },
    {
        name => 'other-layout', number => 3, what => 'a newer module whose layout of shared memory is another, and back to the older, five times',
        fault => sub {
            my ($stage) = @_;
            for (1 .. $stage->either(5, 1)) {
                change_layout($stage, 'other_layout.so', '[^"]*-next');
                change_layout($stage, 'this.so',         '[^"-]*');
            }
        },
        clean => sub { install_module('this.so'); $_[0]->configure($_[0]->httpd) if $_[0]->httpd },
        recover => 3, alone => 1,
    },
    {
        name => 'another-store', number => 3, what => "a graceful restart with another store, which is built from a log of $many ratings", short => 1,
        ready => \&fill_log, fault => \&change_store, allow => { POST => '503', GET => '503' }, recover => 10, alone => 1,
        expect => [qr/RT0301: the projector is stalled/], logged => [qr/ratings:warn.*RT0305: the store is rebuilt/],
    },
);
