package console_test

import (
	"encoding/json"
	"os/exec"
	"testing"

	"partneraccess/shared/access"
)

// TestThePagesShowInternationalDomainsAsTheMailsDo runs src/api/idn.ts beside the service's own code.
func TestThePagesShowInternationalDomainsAsTheMailsDo(t *testing.T) {
	t.Parallel()
	addresses := []string{
		"kim@acme.example", "kim@xn--bcher-kva.example", "kim@xn--r8jz45g.xn--zckzah", "kim@xn--80aswg.example",
		"kim@xn--7dbc9a.example", "xn--it-zb4a439uzlb.example",
		"kim@xn--cme-5cd.example",      // letters of two scripts
		"kim@xn--80ak6aa92e.example",   // letters that look like Latin ones
		"kim@xn--zz.example", "xn--zz", // stand for nothing
	}
	input, err := json.Marshal(addresses)
	if err != nil {
		t.Fatal(err)
	}
	const run = `
		const ts = require('typescript');
		const source = require('fs').readFileSync('console/src/api/idn.ts', 'utf8');
		const { outputText } = ts.transpileModule(source, { compilerOptions: { module: 'commonjs', target: 'es2022' } });
		const module_ = { exports: {} };
		new Function('module', 'exports', outputText)(module_, module_.exports);
		console.log(JSON.stringify(JSON.parse(process.argv[1]).map(module_.exports.shown)));`
	cmd := exec.CommandContext(t.Context(), "node", "-e", run, string(input))
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	var got []string
	if err := json.Unmarshal(out, &got); err != nil || len(got) != len(addresses) {
		t.Fatalf("got %s, %v: want %d addresses", out, err, len(addresses))
	}
	for i, a := range addresses {
		if want := access.ShownEmail(a); got[i] != want {
			t.Errorf("%s: got %q, want %q as in the mails", a, got[i], want)
		}
	}
}
