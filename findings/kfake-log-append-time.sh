#!/usr/bin/env bash
# kfake (the in-process Kafka of franz-go that Go projects test against) accepts a topic with
# message.timestamp.type=LogAppendTime and reports that setting in DescribeConfigs, but what a consumer
# fetches carries the producer's time and says CreateTime. A real broker replaces the time and says
# LogAppendTime.
#
# Seen with: github.com/twmb/franz-go v1.22.3, pkg/kfake v0.0.0-20260918054303-01f206a7e32c, pkg/kadm v1.20.0.
# Consequence: whoever rests on append times (deduplication windows, retention, joins by time) has to go by
# the timestamp type of each record, not by the topic's configuration; and tests on kfake prove nothing of it.
# Needs: Go 1.26, and its module proxy.
set -euo pipefail

work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOPATH=$work/go

cat >go.mod <<'MOD'
module finding

go 1.26.0
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func must(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(2)
	}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	must(err)
	defer cluster.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("t"), kgo.DefaultProduceTopic("t"))
	must(err)
	defer client.Close()

	admin := kadm.NewClient(client)
	kind := "LogAppendTime"
	_, err = admin.CreateTopic(ctx, 1, 1, map[string]*string{"message.timestamp.type": &kind}, "t")
	must(err)
	configs, err := admin.DescribeTopicConfigs(ctx, "t")
	must(err)
	for _, c := range configs[0].Configs {
		if c.Key == "message.timestamp.type" {
			fmt.Println("DescribeConfigs:", c.MaybeValue())
		}
	}

	sent := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	must(client.ProduceSync(ctx, &kgo.Record{Value: []byte("v"), Timestamp: sent}).FirstErr())
	fetches := client.PollFetches(ctx)
	must(fetches.Err())
	record := fetches.Records()[0]
	kinds := map[int8]string{0: "CreateTime", 1: "LogAppendTime"}
	fmt.Println("record:", kinds[record.Attrs.TimestampType()], record.Timestamp.UTC().Format(time.RFC3339))
}
GO
go get github.com/twmb/franz-go@v1.22.3 github.com/twmb/franz-go/pkg/kadm@v1.20.0 \
    github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c >"$work/get.log" 2>&1 || { cat "$work/get.log" >&2; exit 2; }
seen=$(timeout 120 go run .)
printf '%s\n' "$seen"
expected='DescribeConfigs: LogAppendTime
record: CreateTime 2001-02-03T04:05:06Z'
[ "$seen" = "$expected" ] || { echo "this has changed; seen before:"; printf '%s\n' "$expected"; exit 1; }
