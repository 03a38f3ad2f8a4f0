package spec

import "net/http"

// checkContract will hold exchanges against openapi.yaml.
func checkContract(*http.Request, []byte, *Answer) error { return nil }
