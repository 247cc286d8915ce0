# A Kafka of a test's own, started as that of the stack is: one node, whose settings beyond the necessary are the test's.
# Whoever comes in at the first port, without TLS, may do all.
package RatingsTest::KafkaServer;

use strict;
use warnings;
use parent 'RatingsTest::Process';

use RatingsTest::File qw(write_file);

# directory; port: the first of two, for its owner and for the controller; listeners: name -> [ protocol, port ], each
# advertised as localhost; settings: lines; users: of SCRAM, name -> password
sub new {
    my ($class, %options) = @_;
    my $file = "$options{directory}/server.properties";
    my $self = $class->SUPER::new(
        %options, within => 60,
        command => [ $ENV{TEST_STACK}, qw(kafka-tool kafka.Kafka), $file ],
        ready   => sub { system("kcat -q -L -m 2 -b 127.0.0.1:$options{port} >/dev/null 2>&1") == 0 },
    );
    write_file($file, join '', $self->_settings);
    my %users = %{ $options{users} || {} };
    my @scram = map { my $user = $_; map { ('--add-scram', "$_=[name=$user,password=$users{$user}]") } qw(SCRAM-SHA-256 SCRAM-SHA-512) } sort keys %users;
    $self->tool('kafka.tools.StorageTool', qw(format -t AAAAAAAAAAAAAAAAAAAAAQ -c), $file, @scram);
    return $self;
}

sub _settings {
    my ($self) = @_;
    my ($port, $controller) = ($self->{port}, $self->{port} + 1);
    my %listeners = %{ $self->{listeners} };
    my @names     = sort keys %listeners;
    my $list      = sub { my ($host) = @_; return join ',', "OWNER://127.0.0.1:$port", map { "$_://$host:$listeners{$_}[1]" } @names };
    return map { "$_\n" } 'node.id=1', 'process.roles=broker,controller', "controller.quorum.voters=1\@127.0.0.1:$controller", 'controller.listener.names=CONTROLLER',
        'listeners=' . $list->('127.0.0.1') . ",CONTROLLER://127.0.0.1:$controller", 'advertised.listeners=' . $list->('localhost'),
        'listener.security.protocol.map=' . join(',', 'OWNER:PLAINTEXT', 'CONTROLLER:PLAINTEXT', map { "$_:$listeners{$_}[0]" } @names),
        'inter.broker.listener.name=OWNER', "log.dirs=$self->{directory}/data", 'auto.create.topics.enable=false', 'offsets.topic.num.partitions=1',
        'offsets.topic.replication.factor=1', 'transaction.state.log.replication.factor=1', 'transaction.state.log.min.isr=1',
        'group.initial.rebalance.delay.ms=0', 'super.users=User:ANONYMOUS', 'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        @{ $self->{settings} || [] };
}

# One of Kafka's tools, by its class: what it puts out.
sub tool {
    my ($self, @words) = @_;
    my $run = RatingsTest::run_program($ENV{TEST_STACK}, 'kafka-tool', @words);
    $run->{code} == 0 or die "@words: $run->{out}$run->{err}";
    return $run->{out};
}

1;
