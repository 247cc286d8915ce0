// Command stub-lambda stands in for the function URL of the ratings Lambda:
// POST {"ratings":{"1":n,..,"5":n}} answers {"avg":x,"totalCount":n}.
// It is deliberately as cheap as possible, and every system under test calls
// the same one, so what it costs is the same for all. An emulator of Lambda
// would be what limits those systems that call it on each GET, and make the
// others look better than they are.
package main

import (
	"flag"
	"log"
	"math"
	"os"
	"strconv"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fastjson"
)

var parsers fastjson.ParserPool

func handle(ctx *fasthttp.RequestCtx) {
	p := parsers.Get()
	defer parsers.Put(p)
	v, err := p.ParseBytes(ctx.PostBody())
	if err != nil {
		ctx.Error(`{"message":"the body is not JSON"}`, fasthttp.StatusBadRequest)
		return
	}
	sum, count, bad := int64(0), int64(0), false
	v.GetObject("ratings").Visit(func(key []byte, n *fastjson.Value) {
		rating, errKey := strconv.ParseInt(string(key), 10, 64)
		times, errN := n.Int64()
		bad = bad || errKey != nil || errN != nil
		sum, count = sum+rating*times, count+times
	})
	if bad || v.GetObject("ratings") == nil {
		ctx.Error(`{"message":"ratings is not a histogram"}`, fasthttp.StatusBadRequest)
		return
	}
	out := append(make([]byte, 0, 64), `{"avg":`...)
	out = strconv.AppendFloat(out, float64(sum)/math.Max(float64(count), 1), 'g', -1, 64)
	out = append(out, `,"totalCount":`...)
	out = append(strconv.AppendInt(out, count, 10), '}')
	ctx.SetContentType("application/json")
	ctx.SetBody(out)
}

func main() {
	addr := flag.String("addr", "127.0.0.1:9000", "address to listen on")
	flag.Parse()
	log.SetFlags(0)
	log.SetOutput(os.Stderr)
	s := fasthttp.Server{Handler: handle, Name: "stub-lambda", MaxRequestBodySize: 64 << 10}
	log.Fatal(s.ListenAndServe(*addr))
}
