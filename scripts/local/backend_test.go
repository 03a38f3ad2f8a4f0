package main

import (
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"partneraccess/scripts/local/stack"
	"partneraccess/shared/manifest"
)

func TestWhereTheFunctionsRunIsSaidByTheEnvironment(t *testing.T) {
	t.Parallel()
	there := map[string]string{
		"BACKEND": "lambda", "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:1",
		"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:2",
	}
	with := func(name, value string) map[string]string {
		out := maps.Clone(there)
		out[name] = value
		return out
	}
	for _, c := range []struct {
		env   map[string]string
		table string
		wrong string
	}{
		{nil, "", ""},
		{with("BACKEND", "docker"), "", "BACKEND=docker"},
		{with("AWS_ENDPOINT_URL_DYNAMODB", ""), "", "AWS_ENDPOINT_URL_DYNAMODB"},
		{with("IDENTITY", "cognito"), "", "IDENTITY"},
		{there, "partner-access-dev-table", ""},
		{with("STAGE", "two"), "partner-access-two-table", ""},
	} {
		config := stack.Config{Accounts: true, Stream: true, Schedule: true}
		b, err := backendOf(t.Context(), func(name string) string { return c.env[name] }, &config, io.Discard)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%v: got %v, want an error about %s", c.env, err, c.wrong)
			}
			continue
		}
		if err != nil || config.Table != c.table {
			t.Errorf("%v: got the table %q (%v), want %q", c.env, config.Table, err, c.table)
			continue
		}
		if c.env == nil {
			if !config.Accounts || !config.Stream || !config.Schedule || config.RealClock || config.Handlers != nil {
				t.Errorf("no settings: got %+v, want nothing changed", config)
			}
			continue
		}
		// What starts functions is there as well, and so are the accounts not.
		if config.Accounts || config.Stream || config.Schedule || !config.RealClock {
			t.Errorf("%v: got %+v, want the gateway alone", c.env, config)
		}
		if err := config.CreateTable(context.Background(), nil, c.table, true); err == nil ||
			!strings.Contains(err.Error(), "localstack-deploy") {
			t.Errorf("%v: a table that is not there: got %v, want how to make it", c.env, err)
		}
		var want []string
		for _, f := range manifest.Functions() {
			want = append(want, f.Name)
		}
		slices.Sort(want)
		handlers, err := config.Handlers(stack.Deps{})
		if got := slices.Sorted(maps.Keys(handlers)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: got the functions %q, want %q", c.env, got, want)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestThrottlesAreThoseOfADeployment(t *testing.T) {
	t.Parallel()
	usual, file := manifest.DefaultThrottles(), filepath.Join(t.TempDir(), "settings.json")
	own := usual
	own.Check.Rate = 5
	for _, c := range []struct {
		flag, settings string
		want           *manifest.Throttles
	}{
		{"", "", nil},
		{"default", "", &usual},
		{file, `{"product": "Cloud", "checkRate": 5}`, &own},
		{file, `{"checkRate": 0}`, nil},
		{file, `{"checkBurst": "many"}`, nil},
		{file + ".none", "", nil},
	} {
		if err := os.WriteFile(file, []byte(c.settings), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := throttlesOf(c.flag)
		if !reflect.DeepEqual(got, c.want) || (err == nil) != (c.want != nil || c.flag == "") {
			t.Errorf("%s %s: got %v (%v), want %v", c.flag, c.settings, got, err, c.want)
		}
	}
}
