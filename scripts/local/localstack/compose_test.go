// Package localstack_test looks at what LocalStack is started with.
package localstack_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"
)

func TestTheComposeFileSaysWhatItShould(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	content, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Name     string
		Services map[string]struct {
			Image       string
			Ports       []string
			Environment map[string]string
			Volumes     []string
		}
	}
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	s, ok := file.Services["localstack"]
	if !ok || len(file.Services) != 1 {
		t.Fatalf("got the services %v, want localstack alone", file.Services)
	}
	if !regexp.MustCompile(`^localstack/localstack:\$\{LOCALSTACK_VERSION:-\d{4}\.\d{2}\.\d+\}$`).MatchString(s.Image) {
		t.Errorf("the image: got %s, want LocalStack's at an exact version that can be replaced", s.Image)
	}
	for _, p := range s.Ports {
		if !strings.HasPrefix(p, "127.0.0.1:") {
			t.Errorf("the port %s is open to everybody", p)
		}
	}
	if got := s.Environment["LOCALSTACK_AUTH_TOKEN"]; got != "${LOCALSTACK_AUTH_TOKEN-}" {
		t.Errorf("the token: got %q, want the environment's", got)
	}
	if got := s.Environment["LAMBDA_DOCKER_FLAGS"]; !strings.Contains(got, "host.docker.internal:host-gateway") {
		t.Errorf("the functions' containers: got %q, want a way to the host", got)
	}
	if !strings.Contains(string(text), "4.14.0") {
		t.Error("the last version that needs no token is not named")
	}
}

func TestDockerUnderstandsTheComposeFile(t *testing.T) {
	t.Parallel()
	if err := exec.CommandContext(t.Context(), "docker", "compose", "version").Run(); err != nil {
		t.Skipf("there is no Docker with compose on this machine: %v", err)
	}
	if said, err := exec.CommandContext(t.Context(), "docker", "compose", "-f", "compose.yaml", "config",
		"--quiet").CombinedOutput(); err != nil {
		t.Errorf("docker compose config: %v: %s", err, said)
	}
}
