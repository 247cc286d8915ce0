# What a scenario plays on: its httpds, the servers behind them, and the means to break them. Given to
# every function of a scenario.
package Chaos::Stage;

use strict;
use warnings;
use Time::HiRes qw(sleep time);

use Chaos::Audit       ();
use RatingsTest        ();
use RatingsTest::Httpd ();
use RatingsTest::Redis ();

use RatingsTest::RedisServer ();

# More threads than there are clients, so that a backend that hangs does not take them all; and room for
# the children of several generations.
my $sizes = <<'END';
<IfModule mpm_prefork_module>
StartServers 8
MinSpareServers 4
MaxSpareServers 30
MaxRequestWorkers 60
</IfModule>
<IfModule !mpm_prefork_module>
StartServers 2
ServerLimit 12
ThreadsPerChild 32
MaxRequestWorkers 128
MinSpareThreads 32
MaxSpareThreads 96
</IfModule>
END

sub new {
    my ($class, %options) = @_;
    return bless { %options, httpds => [], marks => {}, redis_servers => [], environment => {} }, $class;
}

# ---- what is there ----

sub row     { $_[0]{row} }
sub topic   { $_[0]{topic} }
sub short   { $_[0]{short} }
sub talks   { @{ $_[0]{talks} } }
sub httpd   { $_[0]{httpds}[ $_[1] // 0 ] }
sub httpds  { @{ $_[0]{httpds} } }
sub redis   { my $self = shift; return RatingsTest::Redis->new(database => $self->{database}, @_) }

# Another database of Redis, for httpd's next start or restart (see options) and for what looks into the
# store from here on, the audit too.
sub use_database { my ($self, $database) = @_; $self->{database} = $database }

# The stack's servers: stack(qw(stop redis)); dies when that fails
sub stack {
    my ($self, @arguments) = @_;
    my $output = qx($ENV{TEST_STACK} @arguments 2>&1);
    $? == 0 or die "stack @arguments: $output";
    return $output;
}

# the port with this number of those that are the suite's for servers of scenarios, 0 to 39
sub port { my ($self, $number) = @_; return $ENV{CHAOS_PORT} + $number }
sub directory { $_[0]{directory} }

# Ratings of a talk's own, past the load, by a voter if one is given: status of the answer
sub rate {
    my ($self, $talk, $value, $voter) = @_;
    return RatingsTest::rate($talk, $value, port => $self->httpd->port, headers => [ defined $voter ? ('X-Voter' => $voter) : () ])->status;
}

# The answer to GET of a path of httpd
sub get { my ($self, $path, $where) = @_; return RatingsTest::get($path, port => $self->httpd($where // 0)->port) }

# ---- time ----

# Names this moment.
sub mark { my ($self, $name) = @_; return $self->{marks}{$name} = time }

sub pause { my ($self, $seconds) = @_; sleep $seconds }

# The shorter number in the short form
sub either { my ($self, $long, $short) = @_; return $self->{short} ? $short : $long }

# Waits for a condition; dies at the deadline.
sub until {
    my ($self, $name, $condition, $seconds) = @_;
    my $until = time + $seconds * $ENV{CHAOS_SLACK};
    for (;;) {
        my $value = eval { $condition->() };
        return $value if $value;
        die "$name did not happen within $seconds s\n" if time > $until;
        sleep 0.02;
    }
}

# ---- httpd ----

# Variables of the environment for httpd alone (LD_PRELOAD, one of the four connection strings ...), for
# a scenario's setup: the audit goes on by the real ones.
sub environment { my ($self, %variables) = @_; $self->{environment} = { %{ $self->{environment} }, %variables } }

# Who votes says so in a header: the others are anonymous. Talks are ranked, which ratings-audit looks at.
sub _conf {
    my ($self) = @_;
    return RatingsTest::Httpd::backends(topic => $self->topic, database => $self->{database}) . RatingsTest::Httpd::locations()
        . qq(RatingsVoterSecret "file:@{[ $self->_secret_file ]}"\n<Location "/ratings">\nRatingsVoter expr=%{HTTP:X-Voter}\n</Location>\nRatingsRankingPrior 1,1,1,1,1\n);
}

sub _secret_file { my $self = shift; return $self->directory . '/voters.secret' }

sub _write_secret {
    my ($self) = @_;
    my $path = $self->_secret_file;
    open my $file, '>', $path or die "$path: $!";
    print $file $Chaos::Audit::secret;
    close $file or die "$path: $!";
    return chmod 0600, $path;
}

sub options { my ($self, %more) = @_; return (conf => $self->_conf, sizes => $sizes, %{ $self->row->{httpd} || {} }, %more) }

sub start_httpds {
    my ($self) = @_;
    $self->_write_secret;
    for my $number (1 .. $self->row->{httpds} || 1) {
        my $httpd = RatingsTest::Httpd->new(name => $self->row->{name} . ($number > 1 ? "-$number" : ''), port => $number, $self->options);
        push @{ $self->{httpds} }, $httpd;
        $self->start($httpd);
    }
}

sub start {
    my ($self, $httpd) = @_;
    local %ENV = (%ENV, %{ $self->{environment} });
    return $httpd->start;
}

# All answer, each of their children (they take connections by chance), and ratings are visible.
sub wait_ready {
    my ($self) = @_;
    for my $where (0 .. $#{ $self->{httpds} }) {
        my @at = (port => $self->httpd($where)->port);
        my $since;
        # each child keeps its own judgement for a second
        $self->until('readiness', sub {
            $since = RatingsTest::get('/readyz', @at)->status == 200 ? $since // time : undef;
            return $since && time > $since + 1.2;
        }, 30);
        $self->until('the first rating', sub { RatingsTest::rate($self->{warm}, 5, @at)->status == 200 }, 30);
    }
}

sub configure { my ($self, $httpd, %more) = @_; return $httpd->configure($self->options(%more)) }

# A graceful restart, until there is no child left of before that takes connections.
sub graceful {
    my ($self, $httpd) = @_;
    my %old = map { $_ => 1 } $httpd->children;
    $httpd->signal('USR1');
    $self->until('new children', sub { grep { !$old{$_} } $httpd->children }, 10);
}

# The pid that the lease tells, if it is one of this httpd's children
sub projector {
    my ($self) = @_;
    my (undef, $pid) = split /:/, $self->redis->call('GET', 'ratings:projector') // '';
    return $pid && (grep { $_ == $pid } map { $_->children } $self->httpds) ? $pid : undef;
}

# The children of an httpd that have threads of librdkafka's: the one that appends for its host, and those that did before
sub appenders { my ($self, $where) = @_; return grep { _uses_kafka($_) } $self->httpd($where)->children }

sub _uses_kafka {
    my ($pid) = @_;
    for my $path (glob "/proc/$pid/task/*/comm") {
        open my $file, '<', $path or next;
        return 1 if (<$file> // '') =~ /^rdk:/;
    }
    return 0;
}

# Kills a child: the projector's or another
sub kill_child {
    my ($self, $which, $signal) = @_;
    my $projector = $self->until('a projector', sub { $self->projector }, 10);
    my ($pid) = $which eq 'projector' ? $projector : grep { $_ != $projector } $self->httpd->children;
    kill $signal || 'KILL', $pid if $pid;
    return $pid;
}

# ---- other servers ----

# A Redis of the scenario's own: see RatingsTest::RedisServer. Ended with the scenario.
sub redis_server {
    my ($self, %options) = @_;
    my $server = RatingsTest::RedisServer->new(directory => $self->directory . '/redis-' . @{ $self->{redis_servers} }, %options);
    push @{ $self->{redis_servers} }, $server;
    return $server->start;
}

# ratings-audit, as its users call it: exit code and output
sub audit_program {
    my ($self, @options) = @_;
    my $store  = $self->{database} ? "--store $ENV{RATINGS_CONNECTION}/$self->{database}" : '';
    my $output = qx($ENV{RATINGS_AUDIT} --json --topic @{[ $self->topic ]} $store @options 2>&1);
    return ($? >> 8, $output);
}

# Where the stack's Redis keeps its files
sub redis_directory { return "$ENV{STACK_DIR}/redis" }

# SQL, by psql: what it printed
sub sql {
    my ($self, $text) = @_;
    open my $psql, '-|', 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', $text, $ENV{TALKS_CONNECTION} or die "psql: $!";
    my $output = join '', <$psql>;
    close $psql or die "psql: $text\n";
    return $output;
}

# ---- the end ----

# Ends all that the scenario has started; what was unexpected in the logs.
sub strike {
    my ($self) = @_;
    my @wrong;
    for my $httpd ($self->httpds) {
        push @wrong, $httpd->name . ' left processes behind when it was stopped' if $httpd->running && !defined $httpd->stop;
        $httpd->expect_log($self->expected);
        my @lines = $httpd->log->surprises;
        push @wrong, scalar(@lines) . ' unexpected lines in ' . $httpd->log->path . ", first: $lines[0]" if @lines;
    }
    $_->stop for @{ $self->{redis_servers} };
    return @wrong;
}

# Lines of the error log that the scenario's row allows
sub expected {
    my ($self) = @_;
    my %allow    = %{ $self->row->{allow} || {} };
    my @statuses = grep { /^\d+$/ } 202, map { split } values %allow;
    return (qr/RT0501: request \S+ answered with (?:@{[ join '|', @statuses ]})/, @{ $self->row->{expect} || [] }, @{ $self->row->{logged} || [] });
}

1;
