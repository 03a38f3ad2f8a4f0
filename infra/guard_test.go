package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// guardRules are the files of rules that report on a type which the templates have.
func guardRules(t *testing.T, folder string, types map[string]bool) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(folder, func(file string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".guard" {
			return err
		}
		text, err := os.ReadFile(file)
		head, _, _ := strings.Cut(string(text), "Evaluates:")
		for _, kind := range regexp.MustCompile(`AWS::\w+::\w+`).FindAllString(head, -1) {
			if types[kind] {
				out = append(out, "--rules", file)
				break
			}
		}
		return err
	})
	if err != nil || len(out) < 2*30 {
		t.Fatalf("got %d rules (%v), want 30 at least: make setup fetches them", len(out)/2, err)
	}
	t.Logf("%d rules", len(out)/2)
	return out
}

// found are the rules that are broken in what cfn-guard reports, with the resources: its messages have both in their text.
func found(report any, rule string, add func(rule, id string)) {
	switch report := report.(type) {
	case []any:
		for _, part := range report {
			found(part, rule, add)
		}
	case map[string]any:
		says, _ := at(report, "messages", "custom_message").(string)
		if m := regexp.MustCompile(`\[(CT\.[\w.]+)\]`).FindStringSubmatch(says); m != nil {
			rule = m[1]
		}
		where, _ := at(report, "messages", "error_message").(string)
		for _, m := range regexp.MustCompile(`/Resources/(\w+)`).FindAllStringSubmatch(where, -1) {
			add(rule, m[1])
		}
		for _, part := range report {
			found(part, rule, add)
		}
	}
}

func TestNoRuleOfControlTowerIsBrokenWithoutAReason(t *testing.T) {
	text, err := os.ReadFile("guard_exceptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{} // by the exception's rule and pattern
	for line := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n") {
		if fields := strings.Fields(line); !strings.HasPrefix(line, "#") {
			if len(strings.Join(fields[2:], " ")) < 30 {
				t.Errorf("%s: want a reason", line)
			}
			used[fields[0]+" "+fields[1]] = false
		}
	}
	const guard = "../scripts/node_modules/@cdklabs/cdk-validator-cfnguard/"
	system := map[string]string{
		"linux/amd64": "ubuntu/x86_64", "linux/arm64": "ubuntu/aarch64", "darwin/amd64": "macos/x86_64", "darwin/arm64": "macos/aarch64",
	}[runtime.GOOS+"/"+runtime.GOARCH]
	if system == "" {
		t.Skip("there is no cfn-guard for this system")
	}
	args := []string{"validate", "--structured", "--output-format", "json", "--show-summary", "none"}
	types, variantOf := map[string]bool{}, map[string]string{}
	for variant := range variants() { // what the others have, these have too
		tpl := synth(t, variant)
		for _, r := range tpl.Resources {
			types[r.Type] = true
		}
		variantOf[tpl.file] = variant
		args = append(args, "--data", tpl.file)
	}
	cmd := exec.Command(guard+"bin/"+system+"/cfn-guard", append(args, guardRules(t, guard+"rules/control-tower/cfn-guard", types)...)...)
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) { // its report says what is wrong
		t.Fatal(err)
	}
	var reports []struct {
		Name         string
		NotCompliant []any `json:"not_compliant"`
		Compliant    []any
	}
	if err := json.Unmarshal(out, &reports); err != nil || len(reports) != len(variants()) {
		t.Fatalf("got %d reports of %d templates (%v)", len(reports), len(variants()), err)
	}
	for _, r := range reports {
		variant := variantOf[r.Name]
		if len(r.Compliant) == 0 {
			t.Errorf("%s (%s): no rule holds", r.Name, variant)
		}
		for _, broken := range r.NotCompliant {
			seen := map[string]bool{}
			found(broken, "", func(rule, id string) {
				if seen[rule+id] {
					return
				}
				seen[rule+id] = true
				for exception := range used {
					if name, pattern, _ := strings.Cut(exception, " "); name == rule {
						if ok, _ := path.Match(pattern, id); ok {
							used[exception] = true
							return
						}
					}
				}
				t.Errorf("%s: %s (%s) breaks %s", variant, id, synth(t, variant).Resources[id].Type, rule)
			})
			if len(seen) == 0 {
				t.Errorf("%s: a broken rule that names no resource: %s", variant, plain(broken))
			}
		}
	}
	for _, exception := range slices.Sorted(maps.Keys(used)) {
		if !used[exception] {
			t.Errorf("guard_exceptions.txt: nothing needs %s", exception)
		}
	}
}
