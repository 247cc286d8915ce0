# An httpd of a test's own, with a configuration of its own.
package RatingsTest::Httpd;

use strict;
use warnings;
use File::Path qw(make_path);
use Time::HiRes qw(sleep time);

use RatingsTest::File  qw(lines_of);
use RatingsTest::Guard ();
use RatingsTest::Log   ();

my $sizes = <<'END';
<IfModule mpm_prefork_module>
StartServers 4
MinSpareServers 2
MaxSpareServers 20
MaxRequestWorkers 40
</IfModule>
<IfModule !mpm_prefork_module>
StartServers 2
ServerLimit 32
ThreadsPerChild 16
MaxRequestWorkers 64
MinSpareThreads 16
MaxSpareThreads 48
</IfModule>
END

# The four backends, and several partitions, which show more than one does; a topic and a database of Redis of its
# own may be given, so that tests keep apart.
sub backends {
    my (%options) = @_;
    my $database = $options{database} ? "/$options{database}" : '';
    my $text = "RatingsTalks  \"\${TALKS_CONNECTION}\"\nRatingsStore  \"\${RATINGS_CONNECTION}$database\"\n"
        . "RatingsStream \"\${STREAMS_CONNECTION}\"\nRatingsStats  \"\${RATINGS_LAMBDA_URL}\"\nRatingsTopicPartitions 4\n";
    $text .= "RatingsTopic $options{topic}\n" if $options{topic};
    return $text;
}

# As `make run` has them.
sub locations { return join '', map { qq(Include "$ENV{TEST_CONF}/$_.conf"\n) } qw(ratings-endpoints front-page) }

# The page, as `make run` has it, at /rate; files: where its files are (default: conf/www); codes: where QR codes are.
# Needs page_modules.
sub page {
    my (%options) = @_;
    my $files = $options{files} // "$ENV{TEST_CONF}/www";
    return qq(Define RATINGS_WWW "$files"\n) . ($options{codes} ? qq(Define RATINGS_QR "$options{codes}"\n) : '') . qq(Include "$ENV{TEST_CONF}/ratings-page.conf"\n);
}
sub page_modules { return load(qw(mime alias env setenvif filter deflate headers negotiation include)) . "TypesConfig /dev/null\n" }

# name; modules: lines that load other modules, before this one; late_modules: after it; conf: what comes after the modules
# (default: backends and locations); before: what comes before;
# after: what comes last; cores: false for no CoreDumpDirectory, without which nobody but root sees what children have in /proc; port: added to HTTP_PORT; user: lines for User and Group
sub new {
    my ($class, %options) = @_;
    my $directory = "$ENV{TEST_LOGS}/$options{name}";
    my $self = bless {
        name => $options{name}, directory => $directory, port => $ENV{HTTP_PORT} + ($options{port} || 1),
        config => "$directory/httpd.conf", pid_file => "$directory/httpd.pid",
    }, $class;
    make_path("$directory/htdocs");
    $self->{log} = RatingsTest::Log->new("$directory/error_log");
    return $self->configure(%options);
}

# The lines that load modules of httpd, by name.
sub load { return join '', map { "LoadModule ${_}_module \"$ENV{TEST_MODULES}/mod_$_.so\"\n" } @_ }

# Writes the configuration: again with other options, for the next start or restart.
sub configure {
    my ($self, %options) = @_;
    my $conf = $options{conf} // backends(%options) . locations();
    my ($directory, $port) = @$self{qw(directory port)};
    open my $file, '>', "$self->{config}.new" or die "$self->{config}.new: $!";
    print $file <<"END", $options{late_modules} // '', $options{sizes} // $sizes, $options{before} // '', $conf, $options{after} // '';
ServerRoot "$directory"
ServerName 127.0.0.1
Listen 127.0.0.1:$port
PidFile "$self->{pid_file}"
DefaultRuntimeDir "$directory"
ErrorLog "$directory/error_log"
LogLevel info ratings:debug
@{[ $options{cores} // 1 ? qq(CoreDumpDirectory "$directory") : '' ]}
DocumentRoot "$directory/htdocs"
LoadModule mpm_$ENV{TEST_MPM}_module "$ENV{TEST_MODULES}/mod_mpm_$ENV{TEST_MPM}.so"
LoadModule authz_core_module "$ENV{TEST_MODULES}/mod_authz_core.so"
LoadModule authz_host_module "$ENV{TEST_MODULES}/mod_authz_host.so"
LoadModule dir_module "$ENV{TEST_MODULES}/mod_dir.so"
@{[ $options{modules} // '' ]}LoadModule ratings_module "$ENV{TEST_MODULE}"
Include "@{[ $ENV{TEST_TIMEOUTS} // '/dev/null' ]}"
END
    close $file or die "$self->{config}.new: $!";
    rename "$self->{config}.new", $self->{config} or die "$self->{config}: $!";
    return $self;
}

sub name { $_[0]{name} }
sub port { $_[0]{port} }
sub log  { $_[0]{log} }
sub expect_log { my $self = shift; $self->{log}->expect(@_); return $self }

# `httpd -t`: the exit code and what it said
sub configtest {
    my ($self) = @_;
    my $output = qx($ENV{TEST_HTTPD} -t -f $self->{config} 2>&1);
    return ($? >> 8, $output);
}

sub start {
    my ($self) = @_;
    RatingsTest::Guard::watch($self->{config});
    my $until = time + 30;
    my $output;
    { # a child that was forked just as the httpd before was asked to end has the port for a moment
        $output = qx($ENV{TEST_HTTPD} -f $self->{config} -k start 2>&1);
        if ($? && $output =~ /AH00072/ && time < $until) { sleep 0.1; redo }
    }
    die "httpd $self->{name}: $output" if $?;
    sleep 0.02 until $self->pid || time > $until;
    $self->pid or die "httpd $self->{name} did not write its pid: " . join '', $self->{log}->lines;
    $self->{started} = $self->pid;
    return $self;
}

sub pid {
    my ($self) = @_;
    my ($pid) = lines_of($self->{pid_file}) or return;
    chomp $pid;
    return $pid;
}

sub running { my $self = shift; my $pid = $self->{started}; return $pid && -d "/proc/$pid" ? $pid : undef }

sub signal { my ($self, $signal) = @_; my $pid = $self->running or return; return kill $signal, $pid }

# The processes of this httpd: of the parent, children of children too.
sub processes {
    my ($self) = @_;
    my $parent = $self->{started} or return;
    my @found;
    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $file, '<', $stat or next;
        my ($pid, $state, $ppid) = (<$file> // next) =~ /^(\d+) \(.*\) (\S) (\d+)/ or next;
        push @found, $pid if $state ne 'Z' && ($pid == $parent || $ppid == $parent);
    }
    return @found;
}

sub children { my $self = shift; return grep { $_ != $self->{started} } $self->processes }

# Connections of clients, by the kernel's table: all but those that wait out their time after the end
sub connections {
    my ($self) = @_;
    open my $table, '<', '/proc/net/tcp' or return 0;
    my $here = sprintf ':%04X', $self->{port};
    return scalar grep { my (undef, $local, undef, $state) = split; $local =~ /$here$/ && $state ne '0A' && $state ne '06' } <$table>;
}

# Until the connections that clients have closed are closed here as well, for two seconds at most. httpd's event
# MPM, asked to end at once (SIGTERM), looks at the socket that each worker has last been given
# (close_worker_sockets), which another thread may have freed by then: while requests flow, one of a hundred such
# ends is a SIGSEGV, whatever the handler (apr_os_sock_get, called by mod_mpm_event).
sub settle {
    my ($self) = @_;
    my $until = time + 2;
    sleep 0.005 while $self->connections && time < $until;
    return;
}

# Asks it to end and waits: the seconds that it took, or undef when processes were left after `within`; busy: amid
# requests that wait; signal: in the place of TERM.
sub stop {
    my ($self, %options) = @_;
    $self->settle unless $options{busy};
    my @all   = $self->processes;
    my $begun = time;
    my $until = $begun + ($options{within} || 20);
    $self->signal($options{signal} || 'TERM');
    while (my @left = grep { -d "/proc/$_" && !zombie($_) } @all) {
        if (time > $until) { kill 'KILL', @left; return }
        sleep 0.02;
    }
    return time - $begun;
}

sub zombie {
    my ($pid) = @_;
    open my $file, '<', "/proc/$pid/stat" or return 1;
    return (<$file> // '') =~ /\) Z /;
}

1;
