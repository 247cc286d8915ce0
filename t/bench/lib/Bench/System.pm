# The systems that are compared: how each is started, which cases it has an answer for, which processes are it.
package Bench::System;

use strict;
use warnings;
use File::Path qw(make_path);
use Time::HiRes qw(sleep time);

use Bench::Process   ();
use RatingsTest      ();
use RatingsTest::Log ();

my @reads = qw(root hot zipf);
my %cases = (
    module  => [ @reads, qw(unchanged revalidate list search ranked post mix vote) ],
    floor   => [ @reads, qw(unchanged revalidate) ],
    before  => [ @reads, qw(unchanged revalidate post mix) ], # those of the module that it has, too
    peer    => [ @reads, qw(post mix) ], # it has no entity tags
    proxied => [ @reads, qw(post mix) ],
);

my @rows = (
    # name, kind, MPM or flags of the peer, tuning, what else: partitions of its topic, the cases that it is there for
    [ 'event',               'module',  'event',   'installed' ],
    [ 'worker',              'module',  'worker',  'installed' ],
    [ 'event-speed',         'module',  'event',   'speed' ],
    [ 'worker-speed',        'module',  'worker',  'speed' ],
    [ 'floor-event',         'floor',   'event',   'installed' ],
    [ 'floor-worker',        'floor',   'worker',  'installed' ],
    [ 'floor-event-speed',   'floor',   'event',   'speed' ],
    [ 'floor-worker-speed',  'floor',   'worker',  'speed' ],
    [ 'peer-check',          'peer',    '-checktalk' ],
    [ 'peer',                'peer',    '' ],
    [ 'peer-full',           'peer',    '-cache -statscache' ],
    [ 'proxied-event',       'proxied', 'event',   'installed' ],
    [ 'proxied-worker',      'proxied', 'worker',  'installed' ],
    [ 'prefork',             'module',  'prefork', 'installed', cases => [qw(post)] ],
    [ 'proxied-prefork',     'proxied', 'prefork', 'installed', cases => [qw(post)] ],
    [ 'worker-speed-4',      'module',  'worker',  'speed',     cases => [qw(post)], partitions => 4 ],
    [ 'before-event',        'before',  'event',   'installed' ],
    [ 'before-worker',       'before',  'worker',  'installed', cases => [qw(post)] ],
    [ 'before-worker-speed', 'before',  'worker',  'speed' ],
    [ 'before-prefork',      'before',  'prefork', 'installed', cases => [qw(post)] ],
);
@rows = grep { $_->[1] ne 'before' } @rows unless $ENV{BENCH_BEFORE};

# Lines of the error log that a load brings about: all threads have something to do, and so a request was refused
# (which wrk counts)
my $expected = qr/AH00286|AH00287|AH00484|AH10159|RT0501: request \S+ answered with 503/;

# MaxRequestWorkers
my %threads = (
    installed => { event => 150, worker => 150, prefork => 150 },
    speed     => { event => 64, worker => 512 },
);

my %answers; # the module's, for the floor: variables of its environment

sub all { return map { $_->[0] } @rows }

sub named {
    my ($class, $name) = @_;
    my ($row) = grep { $_->[0] eq $name } @rows or die "there is no system $name: see --list\n";
    my (undef, $kind, $with, $tuning, %more) = @$row;
    return bless { partitions => 1, cases => $cases{$kind}, %more, name => $name, kind => $kind, with => $with, tuning => $tuning, port => $ENV{HTTP_PORT} }, $class;
}

# The same with as many children as it starts with, from begin to end
sub fixed {
    my ($class, $name) = @_;
    my $self = $class->named($name);
    @$self{qw(name tuning)} = ("$name-fixed", 'fixed');
    return $self;
}

sub name  { $_[0]{name} }
sub kind  { $_[0]{kind} }
sub port  { $_[0]{port} }
sub url   { "http://127.0.0.1:$_[0]{port}" }
sub plays { my ($self, $case) = @_; return scalar grep { $_ eq $case } @{ $self->{cases} } }

# Whether these are more connections than it has threads: event then closes kept ones, and requests wait, or are
# answered with 503 before they take the threads that others need
sub overloaded { my ($self, $connections) = @_; return $self->is_httpd && $connections > $threads{ $self->{tuning} }{ $self->{with} } }

# Whether it derives its ratings from its topic
sub is_service { return $_[0]{kind} =~ /^(?:module|before)$/ }

# The database of Redis and the topic that it writes to, one pair for each build of the service and number of partitions:
# an earlier build need not read what a later one appends
sub database   { my ($self) = @_; return !$self->is_service ? 0 : ($self->{kind} eq 'before' ? 2 : 1) + ($self->{partitions} > 1 ? 2 : 0) }
sub topic      { my ($self) = @_; return !$self->is_service ? 'ratings' : "ratings-$self->{kind}" . ($self->{partitions} > 1 ? "-$self->{partitions}" : '') }
sub partitions { $_[0]{partitions} }

# What the module answered, which the floor answers from now on
sub set_answers { my ($class, %variables) = @_; %answers = %variables }

sub describe {
    my ($self) = @_;
    my %what = (module => 'the module', before => 'the module of ' . ($ENV{BENCH_BEFORE} || 'before'), floor => 'the floor', proxied => 'mod_proxy_http before peer-full');
    return "the Go service $self->{with}" if $self->{kind} eq 'peer';
    my $parts = $self->{partitions} > 1 ? ", $self->{partitions} partitions" : '';
    return "$what{ $self->{kind} } under $self->{with}, conf/$self->{tuning}.conf$parts";
}

# ---- running ----

# What the module does beyond its defaults, by case: it asks who votes; it ranks the talks
my %define_of = (vote => 'VOTERS', ranked => 'RANKED');

# Runs the code while the system is up and ready; the lines of its logs that tell of trouble.
sub during {
    my ($self, $code, $case) = @_;
    my $define = $define_of{ $case // '' };
    $self->{defines} = $define ? [ '-D', $define ] : [];
    my $done = eval { $self->_start; $code->(); 1 };
    my $why  = $@;
    my @logs = map { $_->surprises } @{ $self->{logs} || [] };
    $self->_stop;
    die $why unless $done;
    return grep { !/$expected/ } @logs;
}

# The processes that are it, by the first of each tree; the first is httpd's, if there is one
sub roots { my ($self) = @_; return map { $_->pid } @{ $self->{processes} } }
sub is_httpd { $_[0]{kind} ne 'peer' }

# What its logs tell since it was started, by a pattern with a group
sub told {
    my ($self, $pattern) = @_;
    return map { map { /$pattern/ ? $1 : () } $_->lines } @{ $self->{logs} };
}

sub access_log { "$ENV{BENCH_DIR}/$_[0]{name}/access_log" } # httpd's

sub _start {
    my ($self) = @_;
    my $directory = "$ENV{BENCH_DIR}/$self->{name}";
    $self->{processes} = [];
    $self->{logs}      = [];
    if ($self->{kind} eq 'peer') {
        $self->_peer($directory, $self->{port}, split ' ', $self->{with});
    } else {
        $self->_peer("$directory/peer", $self->{port} + 1, '-cache', '-statscache') if $self->{kind} eq 'proxied';
        $self->_httpd($directory);
    }
    $self->_await_ready;
}

sub _stop {
    my ($self) = @_;
    $_->stop for @{ $self->{processes} };
    $self->{processes} = [];
}

sub _peer {
    my ($self, $directory, $port, @flags) = @_;
    push @{ $self->{processes} }, Bench::Process->start(directory => $directory, port => $port,
        command => [ "$ENV{BENCH_PROGRAMS}/peer-go", @flags ], environment => { PORT => $port });
    push @{ $self->{logs} }, RatingsTest::Log->new("$directory/output");
}

sub _httpd {
    my ($self, $directory) = @_;
    make_path("$directory/htdocs");
    push @{ $self->{logs} }, RatingsTest::Log->new("$directory/error_log");
    unlink "$directory/access_log";
    _write_secret("$directory/secret");
    my %environment = (%answers, BENCH_ROOT => $directory, BENCH_PORT => $self->{port}, BENCH_PEER_PORT => $self->{port} + 1,
        BENCH_MPM => $self->{with}, BENCH_TUNING => $self->{tuning}, BENCH_SERVES => $self->{kind}, $self->_variables);
    unshift @{ $self->{processes} }, Bench::Process->start(directory => $directory, port => $self->{port}, environment => \%environment,
        command => [ $ENV{BENCH_HTTPD}, '-D', 'FOREGROUND', @{ $self->{defines} }, '-f', "$ENV{BENCH_CONF}/httpd.conf" ]);
}

# What conf/service.conf asks for
sub _variables {
    my ($self) = @_;
    return (BENCH_DATABASE => $self->database, BENCH_TOPIC => $self->topic, BENCH_PARTITIONS => $self->{partitions});
}

# The same for all systems, which write to one topic
sub _write_secret {
    my ($path) = @_;
    open my $file, '>', $path or die "$path: $!\n";
    chmod 0600, $path;
    print $file 'voters of the bench ' x 2;
    close $file or die "$path: $!\n";
}

sub _await_ready {
    my ($self) = @_;
    my $path  = $self->is_service ? '/readyz' : '/ratings?talkId=talk-00001';
    my $until = time + 30;
    until (RatingsTest::get($path, port => $self->{port})->status == 200) {
        die "$self->{name} is not ready within 30 s: see $ENV{BENCH_DIR}/$self->{name}\n" if time > $until;
        sleep 0.05;
    }
}

1;
