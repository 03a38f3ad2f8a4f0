package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"partneraccess/shared/manifest"
)

// code is where each function's package lies: a folder with its binary, by the function's name.
type code map[string]string

// catalogueName is what the catalogue is called in check's package, beside the binary. A layer would be one more thing to have versions.
const catalogueName = "catalogue.json"

// built finds what make build has left in the folder, for the target's processor. The catalogue, if there is one, is packed beside a copy
// of check's binary.
func built(folder string, s settings) (code, error) {
	out := code{}
	var missing, foreign []string
	target, machine := "make build", elf.EM_AARCH64
	if s.target == onLocalStack {
		target, machine = "make build ARCH=amd64", elf.EM_X86_64
	}
	for _, f := range manifest.Functions() {
		out[f.Name] = filepath.Join(folder, f.Name)
		binary := filepath.Join(out[f.Name], "bootstrap")
		e, err := elf.Open(binary)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, binary)
		case err != nil:
			return nil, fmt.Errorf("%s is no program for Linux (%w): %s builds the functions", binary, err, target)
		default:
			if e.Machine != machine {
				foreign = append(foreign, binary)
			}
			_ = e.Close() // it was only read
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s: not there: %s builds the functions", strings.Join(missing, ", "), target)
	}
	if len(foreign) > 0 { // Lambda would only say so at the first request
		return nil, fmt.Errorf("%s: built for another processor: %s builds the functions for this target", strings.Join(foreign, ", "), target)
	}
	if s.catalogue == "" {
		return out, nil
	}
	packed := filepath.Join(folder, "check.with-catalogue")
	if err := os.MkdirAll(packed, 0o750); err != nil {
		return nil, fmt.Errorf("pack the catalogue: %w", err)
	}
	for to, from := range map[string]string{"bootstrap": filepath.Join(out["check"], "bootstrap"), catalogueName: s.catalogue} {
		content, err := os.ReadFile(filepath.Clean(from))
		if err != nil {
			return nil, fmt.Errorf("pack the catalogue: %w", err)
		}
		if err := os.WriteFile(filepath.Join(packed, to), content, 0o755); err != nil { //nolint:gosec // Lambda runs the binary as another user
			return nil, fmt.Errorf("pack the catalogue: %w", err)
		}
	}
	out["check"] = packed
	return out, nil
}

// builtConsole finds the folder of the pages that make console has left in the folder; "" where they are left out.
func builtConsole(folder string, s settings) (string, error) {
	if !s.console {
		return "", nil
	}
	pages := filepath.Join(folder, "console")
	if _, err := os.Stat(filepath.Join(pages, "index.html")); err != nil {
		return "", fmt.Errorf("the console is not built (%w): make console builds it, and -c console=false leaves it out", err)
	}
	return pages, nil
}
