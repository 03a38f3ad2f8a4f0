package main

import "time"

// List prices in us-east-1, in US dollars, without the free tiers and without discounts for volume, as AWS publishes them. Looked up on
// 2026-11-22.
const (
	// https://aws.amazon.com/api-gateway/pricing/: HTTP APIs, each 512 KB of a request.
	gatewayRequest = 1.00 / 1e6
	// https://aws.amazon.com/lambda/pricing/: Arm.
	lambdaRequest  = 0.20 / 1e6
	lambdaGBSecond = 0.0000133334
	// https://aws.amazon.com/dynamodb/pricing/on-demand/: Standard table class.
	readUnit  = 0.125 / 1e6
	writeUnit = 0.625 / 1e6
	// https://aws.amazon.com/ses/pricing/: outbound mail.
	mail = 0.10 / 1e3
)

// trip is what a call of DynamoDB takes within a region: more than DynamoDB needs for most, so that the billed time is rather too long. It
// is added to what the function took here, where the engine is a process of the same machine.
const trip = 5 * time.Millisecond
