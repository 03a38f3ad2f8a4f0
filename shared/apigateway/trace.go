package apigateway

import "strings"

// traceOf returns the trace that a request belongs to, by its traceparent (W3C Trace Context, "traceparent header"): version, trace-id,
// parent-id and flags, in small hexadecimal digits. "" when it names none. Of versions to come the same four parts are read.
func traceOf(parent string) string {
	const known, length = "00", len("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	if len(parent) < length || len(parent) > maxTraceparent || parent[2] != '-' || parent[35] != '-' || parent[52] != '-' {
		return ""
	}
	version, trace, span, flags := parent[:2], parent[3:35], parent[36:52], parent[53:length]
	for _, part := range [...]string{version, trace, span, flags} {
		if strings.Trim(part, "0123456789abcdef") != "" {
			return ""
		}
	}
	switch rest := parent[length:]; {
	case version == "ff", version == known && rest != "", rest != "" && rest[0] != '-':
		return ""
	case strings.Trim(trace, "0") == "", strings.Trim(span, "0") == "":
		return ""
	}
	return trace
}

// maxTraceparent is how long a traceparent of a version to come may be.
const maxTraceparent = 256
