package deployed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"partneraccess/scripts/local/child"
)

// Synth makes the template of a deployment, as `cdk deploy` would deploy it, with the settings of -c name=value. The binaries that it packs
// lie in functions, as Build has left them for the target's processor. It works in a folder of its own within scratch, so that nothing of
// .build is touched. It needs Node, for the CDK, and takes ten seconds.
func Synth(ctx context.Context, scratch, functions string, settings map[string]string) (*Template, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	cdk := filepath.Join(root, "scripts", "node_modules", ".bin", "cdk")
	if _, err := os.Stat(cdk); err != nil {
		return nil, errors.New("the CDK's command line is not in scripts/node_modules: run `make setup`")
	}
	dir, err := os.MkdirTemp(scratch, "synth-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what is left there is removed with scratch
	if functions, err = filepath.Abs(functions); err != nil {
		return nil, err
	}
	// The app looks for .build where it is started, and the command line for cdk.json.
	if err := os.Symlink(functions, filepath.Join(dir, ".build")); err != nil {
		return nil, err
	}
	project, err := os.ReadFile(filepath.Join(root, "cdk.json"))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "cdk.json"), project, 0o600); err != nil {
		return nil, err
	}
	app, out := filepath.Join(dir, "infra"), filepath.Join(dir, "out")
	build := exec.CommandContext(ctx, "go", "build", "-o", app, "./infra") //nolint:gosec // of the project's own package
	build.Dir = root
	if said, err := child.Output(build); err != nil {
		return nil, fmt.Errorf("build the CDK app: %w: %s", err, said)
	}
	args := []string{"synth", "--quiet", "--no-notices", "--app", app, "--output", out}
	for name, value := range settings {
		args = append(args, "--context", name+"="+value)
	}
	synth := exec.CommandContext(ctx, cdk, args...) //nolint:gosec // of the project's own tools
	synth.Dir = dir
	synth.Env = append(os.Environ(), "CDK_DISABLE_CLI_TELEMETRY=true", "AWS_EC2_METADATA_DISABLED=true",
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20")
	if said, err := child.Output(synth); err != nil {
		return nil, fmt.Errorf("synthesize the template: %w: %s", err, said)
	}
	found, err := filepath.Glob(filepath.Join(out, "*.template.json"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("the CDK app made %d templates, and not one (%w)", len(found), err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		return nil, err
	}
	return ParseTemplate(text)
}
