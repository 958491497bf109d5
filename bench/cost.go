package main

import (
	"math"
	"time"

	"account-api/bench/function"
	"account-api/bench/report"
)

// List prices in US dollars, us-east-1, first tier, without the free tier. Frankfurt
// charges the same for Lambda and a little more for API Gateway and logs.
const (
	// https://aws.amazon.com/lambda/pricing/ (arm64)
	gigabyteSecond = 0.0000133334
	lambdaRequest  = 0.20 / 1e6
	// https://aws.amazon.com/api-gateway/pricing/ (REST APIs, first 333 million a month)
	gatewayRequest = 3.50 / 1e6
	// https://aws.amazon.com/cloudwatch/pricing/ (ingestion, standard class)
	logByte = 0.50 / (1 << 30)

	// pricesOf is where and when these prices held.
	pricesOf = "us-east-1, 2026"
)

// Assumptions where nothing can be measured here.
const (
	// platformLogBytes is what Lambda itself logs for an invocation in JSON: a start
	// and a report record.
	platformLogBytes = 700
	// cacheMisses is the share of requests for which API Gateway asks the authorizer
	// although it caches answers: a client that sends a hundred requests within the
	// time that an answer is kept.
	cacheMisses = 0.01
)

// measured is what the cost model needs, in nanoseconds of processor time.
type measured struct {
	rawRSA        float64
	startCPU      map[string]float64
	invocationCPU map[string]float64
	logBytes      map[string]float64
}

// costs adds what a million requests cost for the memory sizes in question.
func (b *bench) costs() error {
	b.report.PricesOf = pricesOf
	for _, memory := range []int{128, 256, 512} {
		for _, cached := range []bool{false, true} {
			b.report.Costs = append(b.report.Costs, b.cost.million(memory, cached))
		}
	}
	return nil
}

// million is the cost of a million requests, each of which invokes the profile function
// and, unless its answer is cached, the authorizer.
func (m measured) million(memoryMB int, cached bool) report.Cost {
	const requests = 1e6
	runs := 1.0
	if cached {
		runs = cacheMisses
	}
	authorizer := duration(m.invocationCPU["authorizer"], memoryMB)
	profile := duration(m.invocationCPU["profile"], memoryMB)
	c := report.Cost{
		MemoryMB: memoryMB, Cached: cached,
		Durations: [2]float64{milliseconds(authorizer), milliseconds(profile)},
		Requests:  requests * (1 + runs) * lambdaRequest,
	}
	gigabytes := float64(memoryMB) / 1024
	c.Compute = requests * gigabytes * (runs*billed(authorizer) + billed(profile)) * gigabyteSecond
	logs := runs*(m.logBytes["authorizer"]+platformLogBytes) + m.logBytes["profile"] + platformLogBytes
	c.Everything = c.Compute + c.Requests + requests*(gatewayRequest+logs*logByte)
	return c
}

// duration is how long an invocation takes that needs this much processor time, in
// nanoseconds, when it begins with a whole slice of the processor. Once that is spent
// it waits for the next period, and so on.
func duration(cpu float64, memoryMB int) time.Duration {
	const period = 20 * time.Millisecond
	need, slice := time.Duration(cpu), function.Slice(memoryMB)
	waits := max(0, (need-1)/slice)
	return waits*period + need - waits*slice
}

// billed is a duration in seconds, rounded up to a millisecond as Lambda bills it.
func billed(d time.Duration) float64 { return math.Ceil(milliseconds(d)) / 1000 }

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }
