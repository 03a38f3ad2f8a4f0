// Package console holds the pages (TypeScript in src, built by Vite), and the tests that drive them in a browser (test).
//
// Their types of the API come from shared/httpapi/openapi.yaml.
package console

//go:generate npm --prefix .. run --silent generate
