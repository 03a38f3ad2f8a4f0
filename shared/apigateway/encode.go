package apigateway

import (
	"bytes"
	"strconv"

	"partneraccess/shared/rawjson"
)

// encode writes the response in API Gateway's format 2.0.
func encode(r Response, requestID string) []byte {
	size := 192 + len(r.Body)
	if !r.Escaped {
		size += bytes.Count(r.Body, []byte{'"'})
	}
	b := make([]byte, 0, size)
	b = append(b, `{"statusCode":`...)
	b = strconv.AppendInt(b, int64(r.Status), 10)
	b = append(b, `,"headers":{"X-Request-ID":`...)
	b = rawjson.AppendString(b, requestID)
	for name, value := range r.Header {
		b = append(b, ',')
		b = rawjson.AppendString(b, name)
		b = append(b, ':')
		b = rawjson.AppendString(b, value)
	}
	b = append(b, `},"body":`...)
	if r.Escaped {
		b = append(b, '"')
		b = append(b, r.Body...)
		b = append(b, '"')
	} else {
		b = rawjson.AppendJSON(b, r.Body)
	}
	return append(b, `,"isBase64Encoded":false}`...)
}
