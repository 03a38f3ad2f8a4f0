package peer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"partneraccess/scripts/local/child"
	"partneraccess/scripts/measure/bench/fixture"
)

// openFGA is a server of OpenFGA (https://openfga.dev) that runs from its own binary.
type openFGA struct {
	process      *child.Process
	id           int // of the process
	url          string
	store, model string
	now          string // the instant that is asked about
	client       *http.Client
}

// startOpenFGA makes the store's tables, starts the server as it comes but for its log, and writes the model.
func startOpenFGA(ctx context.Context, binary, engine, uri string, now time.Time) (_ *openFGA, err error) {
	migrate := exec.CommandContext(ctx, binary, "migrate", "--datastore-engine", engine, "--datastore-uri", uri)
	if said, err := child.Output(migrate); err != nil {
		return nil, fmt.Errorf("%s migrate: %w: %s", binary, err, said)
	}
	var ports [2]int
	for i := range ports {
		if ports[i], err = child.FreePort(ctx); err != nil {
			return nil, err
		}
	}
	address := func(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
	said := &child.Tail{}
	cmd := exec.Command(binary, "run", "--datastore-engine", engine, "--datastore-uri", uri, //nolint:noctx // it runs until stop
		"--http-addr", address(ports[0]), "--grpc-addr", address(ports[1]), "--playground-enabled=false", "--metrics-enabled=false",
		"--log-level", "error")
	cmd.Stdout, cmd.Stderr = said, said
	o := &openFGA{url: "http://" + address(ports[0]), now: stored(now), client: newHTTPClient()}
	if o.process, err = child.Start(cmd); err != nil {
		return nil, err
	}
	o.id = cmd.Process.Pid
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("OpenFGA: %w: %s", err, said), o.stop())
		}
	}()
	if err := again(ctx, 30*time.Second, func() error { return o.send(ctx, http.MethodGet, "/healthz", nil, nil) }); err != nil {
		return nil, err
	}
	var made struct {
		ID    string
		Model string `json:"authorization_model_id"`
	}
	if err := o.send(ctx, http.MethodPost, "/stores", map[string]string{"name": "partner access"}, &made); err != nil {
		return nil, err
	}
	o.store = made.ID
	if err := o.send(ctx, http.MethodPost, "/stores/"+o.store+"/authorization-models", json.RawMessage(openFGAModel), &made); err != nil {
		return nil, err
	}
	o.model = made.Model
	return o, nil
}

func (o *openFGA) stop() error { return o.process.Stop(15 * time.Second) }

// openFGAModel is the same rule as ours: somebody can what a level gives who has access at this level or a higher one, while his partner's
// grant is open, and he is one of its people. A partner or an account that is disabled has no people, so that one write takes its access
// away everywhere, as with us.
const openFGAModel = `{
  "schema_version": "1.1",
  "type_definitions": [
    {"type": "user"},
    {"type": "partner",
     "relations": {"person": {"this": {}}},
     "metadata": {"relations": {"person": {"directly_related_user_types": [{"type": "user"}]}}}},
    {"type": "customer",
     "relations": {
       "partner": {"this": {}},
       "person": {"tupleToUserset": {"tupleset": {"relation": "partner"}, "computedUserset": {"relation": "person"}}},
       "given_view": {"this": {}}, "given_support": {"this": {}}, "given_manage": {"this": {}},
       "can_manage": {"intersection": {"child": [
         {"computedUserset": {"relation": "given_manage"}},
         {"computedUserset": {"relation": "person"}}]}},
       "can_support": {"intersection": {"child": [
         {"union": {"child": [{"computedUserset": {"relation": "given_support"}}, {"computedUserset": {"relation": "given_manage"}}]}},
         {"computedUserset": {"relation": "person"}}]}},
       "can_view": {"intersection": {"child": [
         {"union": {"child": [{"computedUserset": {"relation": "given_view"}}, {"computedUserset": {"relation": "given_support"}},
           {"computedUserset": {"relation": "given_manage"}}]}},
         {"computedUserset": {"relation": "person"}}]}}},
     "metadata": {"relations": {
       "partner": {"directly_related_user_types": [{"type": "partner", "condition": "open"}]},
       "given_view": {"directly_related_user_types": [{"type": "user"}]},
       "given_support": {"directly_related_user_types": [{"type": "user"}]},
       "given_manage": {"directly_related_user_types": [{"type": "user"}]}}}}],
  "conditions": {"open": {
    "name": "open", "expression": "now >= from && now < until",
    "parameters": {"now": {"type_name": "TYPE_NAME_TIMESTAMP"}, "from": {"type_name": "TYPE_NAME_TIMESTAMP"},
      "until": {"type_name": "TYPE_NAME_TIMESTAMP"}}}}
}`

// tuple is one of OpenFGA's records.
type tuple struct {
	User      string     `json:"user"`
	Relation  string     `json:"relation"`
	Object    string     `json:"object"`
	Condition *condition `json:"condition,omitempty"`
}

type condition struct {
	Name    string            `json:"name"`
	Context map[string]string `json:"context"`
}

// load writes what our table holds, a hundred tuples at a time, which is all that it takes in one request.
func (o *openFGA) load(ctx context.Context, now time.Time) error {
	var tuples []tuple
	for p := range peerPartners {
		for u := range 2 {
			if partnerIsActive(p) && userIsActive(p, u) {
				tuples = append(tuples, tuple{User: openFGAUser(p, u), Relation: "person", Object: "partner:" + peerPartnerID(p)})
			}
		}
	}
	for c := range peerCustomers {
		for j := range grantsEach {
			g, object := grantOf(c, j, now), "customer:"+fixture.CustomerID(c)
			tuples = append(tuples, tuple{
				User: "partner:" + peerPartnerID(g.partner), Relation: "partner", Object: object,
				Condition: &condition{"open", map[string]string{"from": stored(g.from), "until": stored(g.until)}},
			})
			for u := range 2 {
				if u == 0 || g.second {
					tuples = append(tuples, tuple{User: openFGAUser(g.partner, u), Relation: "given_" + g.level.String(), Object: object})
				}
			}
		}
	}
	for part := range slices.Chunk(tuples, 100) {
		body := map[string]any{"authorization_model_id": o.model, "writes": map[string]any{"tuple_keys": part}}
		if err := o.send(ctx, http.MethodPost, "/stores/"+o.store+"/write", body, nil); err != nil {
			return err
		}
	}
	return nil
}

// openFGAUser is a user's id, which may hold no second colon.
func openFGAUser(partner, user int) string {
	return "user:" + strings.Replace(userID(partner, user), ":", ".", 1)
}

// question is the body of a check.
func (o *openFGA) question(q question) []byte {
	return fmt.Appendf(nil,
		`{"tuple_key":{"user":"%s","relation":"can_%s","object":"customer:%s"},"authorization_model_id":"%s","context":{"now":"%s"}}`,
		openFGAUser(q.partner, q.user), q.level, fixture.CustomerID(q.customer), o.model, o.now)
}

// check asks over HTTP with JSON, as OpenFGA's own SDKs do.
func (o *openFGA) check(ctx context.Context, question []byte) (allowed bool, err error) {
	var answer struct{ Allowed *bool }
	if err := o.send(ctx, http.MethodPost, "/stores/"+o.store+"/check", json.RawMessage(question), &answer); err != nil {
		return false, err
	}
	if answer.Allowed == nil {
		return false, errors.New("it made no decision")
	}
	return *answer.Allowed, nil
}

func (o *openFGA) send(ctx context.Context, method, path string, body, into any) error {
	return send(ctx, o.client, method, o.url+path, "", body, into)
}

// postgres is a server of PostgreSQL with its data in a folder of its own, for as long as it is measured.
type postgres struct {
	process *child.Process
	id      int
	port    int
	folder  string
}

// startPostgres starts the server that is on the PATH or in Debian's place for it. It does not run as root: then it is the user postgres.
func startPostgres(ctx context.Context) (_ *postgres, err error) {
	folder, err := os.MkdirTemp("", "bench-postgres")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	server, err := program("postgres")
	if err != nil {
		return nil, err
	}
	command := exec.Command //nolint:gosec // what it runs is named here
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
		}
		chown := exec.CommandContext(ctx, "chown", u.Uid+":"+u.Gid, folder) //nolint:gosec // it was made for this
		if said, err := chown.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("chown: %w: %s", err, said)
		}
		command = func(name string, args ...string) *exec.Cmd {
			as := []string{"--reuid", u.Uid, "--regid", u.Gid, "--clear-groups", "--", name}
			return exec.Command("setpriv", append(as, args...)...) //nolint:gosec,noctx // the same
		}
	}
	data := filepath.Join(folder, "data")
	if said, err := command(initdb, "-D", data, "-U", "peer", "-A", "trust", "--no-sync", "-E", "UTF8",
		"--locale=C").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, said)
	}
	port, err := child.FreePort(ctx)
	if err != nil {
		return nil, err
	}
	// What is written is not what is measured: hence no fsync. All of the data fits into the buffers.
	cmd := command(server, "-D", data, "-p", strconv.Itoa(port), "-k", "", "-c", "fsync=off", "-c", "shared_buffers=512MB")
	said := &child.Tail{}
	cmd.Stdout, cmd.Stderr = said, said
	p := &postgres{port: port, folder: folder}
	if p.process, err = child.Start(cmd); err != nil {
		return nil, err
	}
	p.id = cmd.Process.Pid
	return p, nil
}

func (p *postgres) address() string { return "127.0.0.1:" + strconv.Itoa(p.port) }

// uri names the server, behind whatever stands at this address.
func (p *postgres) uri(address string) string {
	return "postgres://peer@" + address + "/postgres?sslmode=disable"
}

func (p *postgres) stop() error {
	return errors.Join(p.process.Stop(15*time.Second), os.RemoveAll(p.folder))
}

func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("there is no %s on the PATH: install PostgreSQL", name)
	}
	return found[len(found)-1], nil
}
