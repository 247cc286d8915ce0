// Command peer-go is the talk-rating service as a tuned Go program: the bar
// that the module is measured against. It counts a rating in Redis by itself,
// beside the event that it appends to Kafka; the module's projector derives
// the counts from the log. PORT and the four connection strings come from the
// environment. Without flags each GET reads Redis and calls the Lambda.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/rueidis"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"
)

const (
	topic     = "ratings"
	talkQuery = "SELECT 1 FROM talks WHERE uuid = $1 LIMIT 1"
	timeout   = 5 * time.Second
	cacheTTL  = time.Minute
	maxStats  = 1 << 16 // entries of the stats cache
)

var parsers fastjson.ParserPool

type service struct {
	talks     *pgxpool.Pool
	ratings   rueidis.Client
	streams   *kgo.Client
	lambda    *fasthttp.HostClient
	lambdaURL string
	metadata  []byte

	cache, checkTalk bool       // flags
	stats            *statCache // nil unless -statscache
}

// statCache maps a histogram (the request body for the Lambda) to the answer
// to give for it. It is bounded: when full it starts anew.
type statCache struct {
	answers sync.Map
	count   atomic.Int64
}

func (c *statCache) put(key, answer []byte) {
	if c.count.Add(1) > maxStats {
		c.count.Store(0)
		c.answers.Clear()
	}
	c.answers.Store(string(key), answer)
}

func (s *service) handle(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("application/json")
	switch path := string(ctx.Path()); {
	case path == "/" && ctx.IsGet():
		ctx.SetBody(s.metadata)
	case path == "/ratings" && ctx.IsGet():
		s.getRatings(ctx)
	case path == "/ratings" && ctx.IsPost():
		s.addRating(ctx)
	default:
		fail(ctx, fasthttp.StatusNotFound, "not found")
	}
}

// addRating answers only after the brokers have the event (acks=all) and
// Redis has counted it.
func (s *service) addRating(ctx *fasthttp.RequestCtx) {
	p := parsers.Get()
	defer parsers.Put(p)
	body, err := p.ParseBytes(ctx.PostBody())
	if err != nil {
		fail(ctx, fasthttp.StatusBadRequest, "the body is not valid JSON")
		return
	}
	talk := string(body.GetStringBytes("talkId")) // the parser's memory is reused
	value := body.GetInt("value")
	if !validTalk(talk) || value < 1 || value > 5 {
		fail(ctx, fasthttp.StatusBadRequest, "talkId and a value from 1 to 5 are required")
		return
	}
	if !s.talkExists(ctx, talk) {
		return
	}
	event := append(make([]byte, 0, 64+len(talk)), `{"talk_uuid":`...)
	event = append(appendString(event, talk), `,"value":`...)
	event = append(strconv.AppendInt(event, int64(value), 10), '}')
	record := &kgo.Record{Topic: topic, Key: []byte(talk), Value: event}
	if err := s.streams.ProduceSync(context.Background(), record).FirstErr(); err != nil {
		log.Printf("produce: %v", err)
		fail(ctx, fasthttp.StatusServiceUnavailable, "the rating could not be streamed")
		return
	}
	incr := s.ratings.B().Hincrby().Key("ratings/" + talk).Field(strconv.Itoa(value)).Increment(1).Build()
	if err := s.ratings.Do(context.Background(), incr).Error(); err != nil {
		log.Printf("hincrby: %v", err)
		fail(ctx, fasthttp.StatusServiceUnavailable, "the rating could not be counted")
		return
	}
	ctx.SetBody(append(append([]byte(`{"rating":`), event...), '}'))
}

func (s *service) getRatings(ctx *fasthttp.RequestCtx) {
	talk := string(ctx.QueryArgs().Peek("talkId"))
	if !validTalk(talk) {
		fail(ctx, fasthttp.StatusBadRequest, "talkId is required")
		return
	}
	if s.checkTalk && !s.talkExists(ctx, talk) {
		return
	}
	var res rueidis.RedisResult
	if cmd := s.ratings.B().Hgetall().Key("ratings/" + talk); s.cache {
		res = s.ratings.DoCache(context.Background(), cmd.Cache(), cacheTTL)
	} else {
		res = s.ratings.Do(context.Background(), cmd.Build())
	}
	counts, err := res.AsStrMap()
	if err != nil {
		log.Printf("hgetall: %v", err)
		fail(ctx, fasthttp.StatusServiceUnavailable, "the ratings could not be read")
		return
	}
	ratings, numbers := histogram(counts)
	if s.stats != nil {
		if answer, ok := s.stats.answers.Load(string(numbers)); ok {
			ctx.SetBody(answer.([]byte))
			return
		}
	}
	out := append(append(make([]byte, 0, 256), `{"ratings":`...), ratings...)
	if stats, err := s.callLambda(numbers); err != nil {
		log.Printf("lambda: %v", err) // degrade: ratings without stats
		out = append(out, '}')
	} else {
		out = append(append(append(out, `,"stats":`...), stats...), '}')
		if s.stats != nil {
			s.stats.put(numbers, out)
		}
	}
	ctx.SetBody(out)
}

// callLambda returns the stats as JSON, in our own spelling.
func (s *service) callLambda(ratings []byte) ([]byte, error) {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(s.lambdaURL)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetContentType("application/json")
	req.SetBodyRaw(append(append([]byte(`{"ratings":`), ratings...), '}'))
	if err := s.lambda.Do(req, resp); err != nil {
		return nil, err
	}
	if code := resp.StatusCode(); code != fasthttp.StatusOK {
		return nil, errors.New("status " + strconv.Itoa(code))
	}
	p := parsers.Get()
	defer parsers.Put(p)
	v, err := p.ParseBytes(resp.Body())
	if err != nil {
		return nil, err
	}
	if !v.Exists("avg") || !v.Exists("totalCount") {
		return nil, errors.New("no stats in the answer")
	}
	out := strconv.AppendFloat(append(make([]byte, 0, 64), `{"avg":`...), v.GetFloat64("avg"), 'g', -1, 64)
	out = append(out, `,"totalCount":`...)
	return append(strconv.AppendInt(out, v.GetInt64("totalCount"), 10), '}'), nil
}

// talkExists answers the request itself when the talk is not there.
func (s *service) talkExists(ctx *fasthttp.RequestCtx, talk string) bool {
	var one int
	err := s.talks.QueryRow(context.Background(), talkQuery, talk).Scan(&one)
	if errors.Is(err, pgx.ErrNoRows) {
		fail(ctx, fasthttp.StatusNotFound, "talk with UUID "+talk+" does not exist")
	} else if err != nil {
		log.Printf("talks: %v", err)
		fail(ctx, fasthttp.StatusServiceUnavailable, "the talk could not be looked up")
	}
	return err == nil
}

// histogram renders the Redis hash twice: as the answer's strings and as the
// Lambda's numbers.
func histogram(counts map[string]string) (quoted, numbers []byte) {
	quoted, numbers = append(make([]byte, 0, 128), '{'), append(make([]byte, 0, 128), '{')
	for _, value := range [...]string{"1", "2", "3", "4", "5"} {
		count := counts[value]
		if _, err := strconv.ParseUint(count, 10, 64); err != nil {
			continue // nobody rated so
		}
		if len(quoted) > 1 {
			quoted, numbers = append(quoted, ','), append(numbers, ',')
		}
		quoted = append(append(append(append(append(quoted, '"'), value...), `":"`...), count...), '"')
		numbers = append(append(append(append(numbers, '"'), value...), `":`...), count...)
	}
	return append(quoted, '}'), append(numbers, '}')
}

func validTalk(talk string) bool {
	return talk != "" && len(talk) <= 255 && utf8.ValidString(talk) && strings.IndexByte(talk, 0) < 0
}

func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(dst, quoted...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

func fail(ctx *fasthttp.RequestCtx, code int, message string) {
	ctx.SetStatusCode(code)
	ctx.SetBody(append(appendString([]byte(`{"message":`), message), '}'))
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func connect() *service {
	lambdaURL, streams := os.Getenv("RATINGS_LAMBDA_URL"), os.Getenv("STREAMS_CONNECTION")
	talks, ratings := os.Getenv("TALKS_CONNECTION"), os.Getenv("RATINGS_CONNECTION")
	s := &service{lambdaURL: lambdaURL, metadata: must(json.Marshal(map[string]any{"metadata": map[string]string{
		"ratings_lambda": lambdaURL, "ratings": ratings, "streams": streams, "talks": talks}}))}

	pg := must(pgxpool.ParseConfig(talks))
	pg.MaxConns, pg.MinConns = 8, 2
	pg.ConnConfig.ConnectTimeout = timeout
	pg.ConnConfig.RuntimeParams["statement_timeout"] = strconv.FormatInt(timeout.Milliseconds(), 10)
	s.talks = must(pgxpool.NewWithConfig(context.Background(), pg))

	rd := must(rueidis.ParseURL(ratings))
	rd.AlwaysPipelining, rd.PipelineMultiplex, rd.ConnWriteTimeout = true, 0, timeout
	rd.MaxFlushDelay = 100 * time.Microsecond // measured: fewer system calls, 10% more GETs
	s.ratings = must(rueidis.NewClient(rd))

	s.streams = must(kgo.NewClient(kgo.SeedBrokers(strings.Split(streams, ",")...), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(0), kgo.RecordDeliveryTimeout(timeout), kgo.ProduceRequestTimeout(timeout),
		kgo.ProducerBatchCompression(kgo.NoCompression())))

	uri := must(url.Parse(lambdaURL))
	tls := uri.Scheme == "https"
	s.lambda = &fasthttp.HostClient{Addr: fasthttp.AddMissingPort(uri.Host, tls), IsTLS: tls,
		NoDefaultUserAgentHeader: true, ReadTimeout: timeout, WriteTimeout: timeout,
		RetryIfErr: func(_ *fasthttp.Request, attempts int, err error) (bool, bool) {
			return false, attempts < 2 && errors.Is(err, fasthttp.ErrConnectionClosed) // idle connection dropped
		}}
	return s
}

func main() {
	cache := flag.Bool("cache", false, "keep the hashes of Redis in client-side caching")
	statsCache := flag.Bool("statscache", false, "call the Lambda once per distinct histogram, not on every GET")
	checkTalk := flag.Bool("checktalk", false, "look the talk up in PostgreSQL on GET too (404)")
	flag.Parse()
	s := connect()
	s.cache, s.checkTalk = *cache, *checkTalk
	if *statsCache {
		s.stats = new(statCache)
	}
	srv := &fasthttp.Server{Handler: s.handle, Name: "peer-go", MaxRequestBodySize: 64 << 10,
		NoDefaultContentType: true, ReadTimeout: time.Minute}
	failed, stop := make(chan error, 1), make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() { failed <- srv.ListenAndServe("127.0.0.1:" + os.Getenv("PORT")) }()
	select {
	case err := <-failed:
		log.Fatal(err)
	case <-stop:
		_ = srv.Shutdown() // after the requests in flight
	}
}
