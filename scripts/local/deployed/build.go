// Package deployed has the service as it is deployed: its functions' binaries, and the template that the CDK app makes of it, so that both
// can be run on this machine.
package deployed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"partneraccess/scripts/local/child"
	"partneraccess/shared/manifest"
)

// Flags are those with which a function's binary is built: the same bytes from any folder, without what Lambda has no use for. `make build`
// has the same.
func Flags() []string {
	return []string{"-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags=-s -w -buildid="}
}

// Root is the folder of the project that the working directory belongs to.
func Root() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod in %s or above it: run this inside the project", wd)
		}
	}
}

// Build builds every function of the manifest for an operating system and a processor, in Go's names, as <folder>/<function>/bootstrap.
func Build(ctx context.Context, folder, system, processor string) error {
	var packages, names []string
	for _, f := range manifest.Functions() {
		packages, names = append(packages, "./functions/"+f.Name), append(names, f.Name)
	}
	return BuildPackages(ctx, folder, system, processor, packages, names)
}

// BuildPackages builds commands of the project the same way, as <folder>/<name>/bootstrap. All are built at once, which takes half as long.
func BuildPackages(ctx context.Context, folder, system, processor string, packages, names []string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	out, err := os.MkdirTemp(folder, "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out) //nolint:errcheck // what is left there is removed with the folder
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	args := append([]string{"build"}, Flags()...)
	args = append(append(args, "-o", out+string(filepath.Separator)), packages...)
	build := exec.CommandContext(ctx, "go", args...) //nolint:gosec // of the project's own packages
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+processor)
	if said, err := child.Output(build); err != nil {
		return fmt.Errorf("build the functions for %s on %s: %w: %s", system, processor, err, said)
	}
	for i, name := range names {
		binary := filepath.Join(out, filepath.Base(packages[i]))
		if system == "windows" {
			binary += ".exe"
		}
		to := filepath.Join(folder, name)
		if err := os.MkdirAll(to, 0o750); err != nil {
			return err
		}
		if err := os.Rename(binary, filepath.Join(to, "bootstrap")); err != nil {
			return err
		}
	}
	return nil
}
