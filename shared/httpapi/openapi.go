package httpapi

import _ "embed" // for OpenAPI

// OpenAPI is the contract of the HTTP API, an OpenAPI 3.1 document in YAML. A binary that does not use it does not carry it.
//
//go:embed openapi.yaml
var OpenAPI []byte
