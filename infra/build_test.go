package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partneraccess/shared/manifest"
)

// program is the head of a program for Linux on that processor.
func program(t *testing.T, machine elf.Machine) []byte {
	t.Helper()
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Ehsize: 64}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, h); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func build(t *testing.T, content []byte) string {
	t.Helper()
	folder := t.TempDir()
	for _, f := range manifest.Functions() {
		if err := os.Mkdir(filepath.Join(folder, f.Name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, f.Name, "bootstrap"), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestWhatIsNotBuiltForTheTargetIsNamed(t *testing.T) {
	arm, intel := build(t, program(t, elf.EM_AARCH64)), build(t, program(t, elf.EM_X86_64))
	gone := build(t, program(t, elf.EM_AARCH64))
	if err := os.Remove(filepath.Join(gone, "grant", "bootstrap")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, folder, target string
		want                 []string // in the error; none: no error
	}{
		{"for AWS", arm, onAWS, nil},
		{"for LocalStack", intel, onLocalStack, nil},
		{"Intel's in AWS", intel, onAWS, []string{"check/bootstrap", "another processor", "make build "}},
		{"ARM's in LocalStack", arm, onLocalStack, []string{"another processor", "make build ARCH=amd64"}},
		{"nothing built", t.TempDir(), onAWS, []string{"deliver/bootstrap: not there", "make build "}},
		{"one missing", gone, onAWS, []string{"grant/bootstrap: not there"}},
		{"no program", build(t, []byte("#!/bin/sh\n")), onAWS, []string{"no program for Linux", "make build"}},
	} {
		got, err := built(c.folder, settings{target: c.target})
		if len(c.want) == 0 && (err != nil || len(got) != len(manifest.Functions())) || len(c.want) > 0 && err == nil {
			t.Errorf("%s: got %v and error %v", c.name, got, err)
		}
		for _, w := range c.want {
			if err != nil && !strings.Contains(err.Error(), w) {
				t.Errorf("%s: got error %v, want one with %q", c.name, err, w)
			}
		}
	}
}

func TestAConsoleThatIsNotBuiltIsSaid(t *testing.T) {
	folder := t.TempDir()
	if _, err := builtConsole(folder, settings{console: true}); err == nil || !strings.Contains(err.Error(), "make console") ||
		!strings.Contains(err.Error(), "console=false") {
		t.Errorf("got error %v, want one that says how to build it, and how to leave it out", err)
	}
	if got, err := builtConsole(folder, settings{}); got != "" || err != nil {
		t.Errorf("left out: got %q (%v), want none", got, err)
	}
	if err := os.Mkdir(filepath.Join(folder, "console"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "console", "index.html"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := builtConsole(folder, settings{console: true}); got != filepath.Join(folder, "console") || err != nil {
		t.Errorf("built: got %q (%v), want the folder", got, err)
	}
}

func TestTheCatalogueIsPackedBesideCheck(t *testing.T) {
	folder := build(t, program(t, elf.EM_AARCH64))
	catalogue := filepath.Join(t.TempDir(), "mine.json")
	for range 2 { // also over what the last time has left
		if err := os.WriteFile(catalogue, []byte(`{"levels": {"view": ["a:read"]}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := built(folder, settings{target: onAWS, catalogue: catalogue})
		if err != nil {
			t.Fatal(err)
		}
		for name, from := range map[string]string{"bootstrap": filepath.Join(folder, "check", "bootstrap"), catalogueName: catalogue} {
			packed, err := os.ReadFile(filepath.Join(got["check"], name))
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(packed, want) {
				t.Errorf("%s: got %q, want %q", name, packed, want)
			}
		}
		if got["grant"] != filepath.Join(folder, "grant") {
			t.Errorf("got grant's package %s, want it as it was built", got["grant"])
		}
	}
}
