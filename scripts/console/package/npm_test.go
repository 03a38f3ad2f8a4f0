package npm

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/stack"
	"partneraccess/scripts/prove/spec"
	"partneraccess/shared/httpapi"
)

func TestMain(m *testing.M) { os.Exit(engine.Main(m)) }

// maxSize is how large the tarball may be, in bytes. Most of it are the contract's types.
const maxSize = 250_000

const tools = "../../node_modules"

// project is a project outside of the repository that has the package installed, as its only dependency that is no framework.
type project struct {
	dir     string
	tarball struct {
		Filename     string `json:"filename"`
		Size         int    `json:"size"`
		UnpackedSize int    `json:"unpackedSize"`
		Files        []struct {
			Path string `json:"path"`
		} `json:"files"`
	}
}

// install builds and packs the package, and installs it into a new project, without a network. The frameworks are linked.
func install(t *testing.T) project {
	t.Helper()
	built, p := t.TempDir(), project{dir: t.TempDir()}
	run(t, ".", "node", "build.mjs", built)
	var packed []json.RawMessage
	if err := json.Unmarshal(run(t, built, "npm", "pack", "--json", "--pack-destination", p.dir), &packed); err != nil || len(packed) != 1 {
		t.Fatalf("npm pack: got %d packages, %v", len(packed), err)
	}
	if err := json.Unmarshal(packed[0], &p.tarball); err != nil {
		t.Fatal(err)
	}
	p.write(t, "package.json", `{"name": "elsewhere", "private": true}`)
	run(t, p.dir, "npm", "install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", "./"+p.tarball.Filename)
	installed, err := os.ReadDir(filepath.Join(p.dir, "node_modules"))
	if err != nil || slices.ContainsFunc(installed, func(e os.DirEntry) bool { return e.Name() != "partner-access" && e.Name()[0] != '.' }) {
		t.Fatalf("got %v installed (%v), want partner-access alone", installed, err)
	}
	from, err := filepath.Abs(tools)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"express", "fastify", "react", "react-test-renderer", "standardwebhooks", "typescript", "@types"} {
		if err := os.Symlink(filepath.Join(from, name), filepath.Join(p.dir, "node_modules", name)); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p project) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// copies puts files of test/ into the project.
func (p project) copies(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		p.write(t, name, read(t, filepath.Join("test", name)))
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func run(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	cmd := command(t.Context(), dir, name, args...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, &complaint)
	}
	return out
}

func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the tests' own
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	return cmd
}

// The steps share one project, since packing and installing is most of what they cost.
func TestThePackageInAProjectOfItsOwn(t *testing.T) {
	t.Parallel()
	p := install(t)
	t.Run("holds what it needs and nothing else", p.holdsWhatItNeeds)
	t.Run("loads, asks and guards", func(t *testing.T) {
		t.Parallel()
		p.copies(t, "service.mjs", "check.test.mjs", "guards.test.mjs", "entries.test.cjs")
		run(t, p.dir, "node", "--test", "--test-reporter=tap", "check.test.mjs", "guards.test.mjs", "entries.test.cjs")
	})
	t.Run("has types for both kinds of modules", p.hasTypes)
	t.Run("guards on the service's answers", p.guardsOnTheServicesAnswers)
	t.Run("does what its guides say", p.doesWhatItsGuidesSay)
	t.Run("has hooks that show what is", p.hasHooks)
}

func (p project) holdsWhatItNeeds(t *testing.T) {
	t.Logf("%s: %d bytes packed, %d unpacked, %d files", p.tarball.Filename, p.tarball.Size, p.tarball.UnpackedSize, len(p.tarball.Files))
	if p.tarball.Size > maxSize {
		t.Errorf("got %d bytes, want %d at most", p.tarball.Size, maxSize)
	}
	may := regexp.MustCompile(`^(LICENSE|NOTICE|README\.md|package\.json|(chunks/)?[a-z]+\.[mc]js|types/(api/)?[A-Za-z-]+\.d\.([mc])?ts)$`)
	for _, f := range p.tarball.Files {
		if !may.MatchString(f.Path) {
			t.Errorf("got %s in the tarball", f.Path)
		}
	}
	installed := filepath.Join(p.dir, "node_modules/partner-access")
	notice := read(t, filepath.Join(installed, "NOTICE"))
	for _, want := range []string{
		"\nopenapi-fetch ", "Drew Powers", "\n@tanstack/query-core ", "Tanner Linsley", "Permission is hereby granted",
	} {
		if !strings.Contains(notice, want) {
			t.Errorf("NOTICE does not say %q", want)
		}
	}
	var about map[string]any
	if err := json.Unmarshal([]byte(read(t, filepath.Join(installed, "package.json"))), &about); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dependencies", "scripts", "private"} {
		if about[name] != nil {
			t.Errorf("package.json: got %s %v, want none", name, about[name])
		}
	}
	for name := range strings.SplitSeq(".mjs .cjs", " ") {
		files, err := filepath.Glob(filepath.Join(installed, "*"+name))
		if err != nil || len(files) != 7 {
			t.Errorf("got the entries %v (%v), want seven", files, err)
		}
		for _, f := range files {
			for _, m := range regexp.MustCompile(`(?:from |require\()"([^".][^"]*)"`).FindAllStringSubmatch(read(t, f), -1) {
				if filepath.Base(f) != "react"+name || m[1] != "react" && m[1] != "react/jsx-runtime" {
					t.Errorf("%s needs %s", f, m[1])
				}
			}
		}
	}
}

func (p project) hasTypes(t *testing.T) {
	t.Parallel()
	programs, err := filepath.Glob("test/types/*.ts")
	if err != nil || len(programs) != 7 {
		t.Fatalf("got the programs %v (%v), want one for each entry", programs, err)
	}
	for _, file := range programs {
		for _, kind := range []string{".mts", ".cts"} {
			p.write(t, "types/"+strings.TrimSuffix(filepath.Base(file), ".ts")+kind, read(t, file))
		}
	}
	p.write(t, "tsconfig.json", `{"compilerOptions": {"module": "nodenext", "target": "es2022", "strict": true, "skipLibCheck": false, "noEmit": true,
		"esModuleInterop": true, "noUncheckedIndexedAccess": true, "lib": ["es2023"], "types": ["node"]}, "include": ["types"]}`)
	run(t, p.dir, "node", "node_modules/typescript/bin/tsc", "--project", ".")
}

func (p project) guardsOnTheServicesAnswers(t *testing.T) {
	t.Parallel()
	w, kim := granted(t)
	p.copies(t, "real.mjs")
	want := []string{
		kim + "|reports:read|acme 200",
		"kim@contoso.example|reports:read|acme 200",
		kim + "|reports:read|globex 403 no_grant",
		kim + "|users:write|acme 403 level_too_low",
		"nobody@contoso.example|reports:read|acme 403 unknown_subject",
		kim + "|reports:read|no/customer#1 403 no_grant",
		"|reports:read|acme 401 unauthenticated",
	}
	questions := []string{"real.mjs"}
	for _, line := range want {
		question, _, _ := strings.Cut(line, " ")
		questions = append(questions, question)
	}
	ask := func(env ...string) []string {
		cmd := command(t.Context(), p.dir, "node", questions...)
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	token := "TOKEN=" + w.Token(stack.TokenRequest{Scope: httpapi.ScopeCheck})
	if got := ask("BASE="+w.Stack.URL(), token); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for about, env := range map[string][]string{
		"no token":   {"BASE=" + w.Stack.URL(), "TOKEN=none"},
		"no service": {"BASE=http://127.0.0.1:1", token},
	} {
		for _, got := range ask(env...) {
			if !strings.HasSuffix(got, "503 unanswered") && !strings.HasSuffix(got, "401 unauthenticated") {
				t.Errorf("%s: got %s", about, got)
			}
		}
	}
}

// granted is a service where acme has granted support to contoso's user kim; globex has granted nothing.
func granted(t *testing.T) (w *spec.World, kim string) {
	t.Helper()
	w = spec.New(t)
	w.Customer("acme")
	w.Customer("globex")
	w.Partner("contoso")
	kim = w.User("contoso", "kim@contoso.example", "tech")
	w.Grant("acme", map[string]any{"partner": "contoso", "users": []string{kim}, "level": "support"}).Want(201)
	return w, kim
}

// inFrontOf runs tests in Node that ask this service, as a back end and as acme's admin.
func (p project) inFrontOf(t *testing.T, w *spec.World, kim, file string) {
	t.Helper()
	p.copies(t, file, "service.mjs")
	cmd := command(t.Context(), p.dir, "node", "--test-force-exit", file) // some of what they start has no end
	cmd.Env = append(os.Environ(), "BASE="+w.Stack.URL(), "KIM="+kim, "CHECK="+w.Token(stack.TokenRequest{Scope: httpapi.ScopeCheck}),
		"ADMIN="+w.Token(stack.TokenRequest{Email: "admin@acme.example"}))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func (p project) doesWhatItsGuidesSay(t *testing.T) {
	t.Parallel()
	w, kim := granted(t)
	p.inFrontOf(t, w, kim, "guides.test.mjs")
}

func (p project) hasHooks(t *testing.T) {
	t.Parallel()
	w, kim := granted(t)
	w.Partner("fabrikam")
	p.inFrontOf(t, w, kim, "hooks.test.mjs")
}
