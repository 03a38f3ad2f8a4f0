package flow

import (
	"os"
	"os/exec"
	"testing"
)

// make generates the client, checks the types of it and of flow.ts, and compiles both to js.
func TestHeyAPIClientRunsTheFlow(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "node", "../js/out/flow.js")
	cmd.Env = append(os.Environ(), "BASE="+watched(t), "ADMIN="+adminToken(t), "BACK_END="+backEndToken(t), "CUSTOMER="+customer,
		"PARTNER="+partner, "SECOND="+second, "KIM="+kim, "OTHER="+other, "ACTION="+action)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
