// Package cognitolocal starts cognito-local, which stands for Amazon Cognito on one's own machine, as a child process that ends with its
// parent.
//
// It is no guard: it hands out the challenge for a new password without a look at the old one, lets disabled accounts in, knows no aliases,
// accepts whatever password, and its signing key is public. The stack's POST /_local/login does what it leaves out.
package cognitolocal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"partneraccess/scripts/local/ask"
	"partneraccess/scripts/local/child"
	"partneraccess/shared/access"
	"partneraccess/shared/cognito"
)

// Options say how to start a server.
type Options struct {
	DataDir string    // keeps the accounts in a folder of its own in here; empty: they go with the server
	Log     io.Writer // what the server prints; nil: dropped, but an error of Start quotes the end of it
}

// Server is a running cognito-local.
type Server struct {
	endpoint string
	process  *child.Process
	release  func() error // of the data folder
}

// Start starts a server on a free port of 127.0.0.1 and returns when it answers, after about a second. It lives until Stop, or until this
// process ends, however that happens; ctx bounds the start alone.
func Start(ctx context.Context, o Options) (*Server, error) {
	modules, err := child.NodeModules()
	if err != nil {
		return nil, err
	}
	script := filepath.Join(modules, "cognito-local", "lib", "bin", "start.js")
	if _, err := os.Stat(script); err != nil {
		return nil, fmt.Errorf("cognito-local is not in %s: run `make setup`, or set IDENTITY=none to do without people's passwords", modules)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil,
			errors.New(
				"cognito-local needs Node, and there is no node on the PATH: install it, or set IDENTITY=none to do without people's passwords")
	}
	dir, release, err := dataFolder(o.DataDir)
	if err != nil {
		return nil, err
	}
	// A free port can be taken by somebody else before the server binds it, hence a few attempts.
	for attempt := 1; ; attempt++ {
		s, err := launch(ctx, node, script, dir, o.Log)
		if err == nil {
			s.release = release
			return s, nil
		}
		if !errors.Is(err, errDied) || attempt == 3 {
			return nil, errors.Join(err, release())
		}
	}
}

// dataFolder makes the folder that the server works in. Usernames are ours to choose where there are no UsernameAttributes.
func dataFolder(root string) (dir string, release func() error, err error) {
	if root == "" {
		dir, err = os.MkdirTemp("", "cognito-local-")
		release = func() error { return os.RemoveAll(dir) }
	} else {
		dir, err = filepath.Abs(filepath.Join(root, "cognito-local"))
		release = func() error { return nil } // the engine's folder in the same root is locked against a second stack
	}
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, ".cognito"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, ".cognito", "config.json"), []byte(`{"UserPoolDefaults":{"UsernameAttributes":[]}}`), 0o600)
	}
	if err != nil {
		return "", nil, fmt.Errorf("the folder of cognito-local cannot be made: %w", err)
	}
	return dir, release, nil
}

func launch(ctx context.Context, node, script, dir string, log io.Writer) (*Server, error) {
	port, err := child.FreePort(ctx)
	if err != nil {
		return nil, err
	}
	last := &child.Tail{}
	cmd := exec.Command(node, script) //nolint:noctx // it lives until Stop
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOST=127.0.0.1", "PORT="+strconv.Itoa(port), "NODE_NO_WARNINGS=1")
	cmd.Stdout, cmd.Stderr = last, last
	if log != nil {
		w := io.MultiWriter(last, log)
		cmd.Stdout, cmd.Stderr = w, w // one and the same, so that exec writes to it from one goroutine
	}
	p, err := child.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("start cognito-local: %w", err)
	}
	s := &Server{endpoint: "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), process: p}
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	if err := s.waitUntilUp(ctx); err != nil {
		_ = p.Stop(time.Second)
		return nil, fmt.Errorf("cognito-local did not start: %w; it printed: %s", err, last)
	}
	return s, nil
}

var errDied = errors.New("its process ended")

func (s *Server) waitUntilUp(ctx context.Context) error {
	next := time.NewTicker(20 * time.Millisecond)
	defer next.Stop()
	for {
		up := s.answers(ctx)
		select {
		case <-s.process.Done(): // also when somebody else answers on the port that the server could not have
			return errDied
		default:
		}
		if up {
			return nil
		}
		select {
		case <-next.C:
		case <-s.process.Done():
			return errDied
		case <-ctx.Done():
			return errors.New("no answer in time")
		}
	}
}

func (s *Server) answers(ctx context.Context) bool {
	a, err := ask.Send(ctx, http.DefaultClient, ask.Request{Method: http.MethodGet, URL: s.endpoint + "/health"})
	return err == nil && a.Status == http.StatusOK
}

// Endpoint is the server's URL.
func (s *Server) Endpoint() string { return s.endpoint }

// Died is closed when the server's process ends, wanted or not.
func (s *Server) Died() <-chan struct{} { return s.process.Done() }

// Stop ends the server and returns when it is gone. Stopping twice is harmless.
func (s *Server) Stop() error { return errors.Join(s.process.Stop(5*time.Second), s.release()) }

// Client is a client of the server, made as a function makes its own.
func (s *Server) Client(change ...func(*cognitoidentityprovider.Options)) (*cognitoidentityprovider.Client, error) {
	env := map[string]string{
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": s.endpoint,
	}
	return cognito.NewClient(func(name string) string { return env[name] }, change...)
}

// Pool is a user pool, and the client that people sign in through.
type Pool struct {
	ID     string
	Client string
}

// Issuer is who issues the pool's tokens.
func (s *Server) Issuer(p Pool) string { return s.endpoint + "/" + p.ID }

// Pool is the pool of that name, made when there is none, with the groups that infra makes as well.
func (s *Server) Pool(ctx context.Context, name string) (Pool, error) {
	api, err := s.Client()
	if err != nil {
		return Pool{}, err
	}
	p, err := pool(ctx, api, name)
	if err != nil {
		return Pool{}, fmt.Errorf("user pool %s: %w", name, err)
	}
	return p, nil
}

func pool(ctx context.Context, api *cognitoidentityprovider.Client, name string) (Pool, error) {
	var p Pool
	pools, err := api.ListUserPools(ctx, &cognitoidentityprovider.ListUserPoolsInput{MaxResults: aws.Int32(60)})
	if err != nil {
		return p, err
	}
	for _, have := range pools.UserPools {
		if aws.ToString(have.Name) == name {
			p.ID = aws.ToString(have.Id)
		}
	}
	if p.ID == "" {
		made, err := api.CreateUserPool(ctx, &cognitoidentityprovider.CreateUserPoolInput{
			PoolName: &name, AliasAttributes: []types.AliasAttributeType{types.AliasAttributeTypeEmail},
			AdminCreateUserConfig: &types.AdminCreateUserConfigType{AllowAdminCreateUserOnly: true},
		})
		if err != nil {
			return p, err
		}
		p.ID = aws.ToString(made.UserPool.Id)
	}
	if err := groups(ctx, api, p.ID); err != nil {
		return p, err
	}
	clients, err := api.ListUserPoolClients(ctx, &cognitoidentityprovider.ListUserPoolClientsInput{UserPoolId: &p.ID})
	if err != nil {
		return p, err
	}
	if len(clients.UserPoolClients) > 0 {
		p.Client = aws.ToString(clients.UserPoolClients[0].ClientId)
		return p, nil
	}
	made, err := api.CreateUserPoolClient(ctx, &cognitoidentityprovider.CreateUserPoolClientInput{
		UserPoolId: &p.ID, ClientName: aws.String("local"), IdTokenValidity: aws.Int32(60), // minutes
		ExplicitAuthFlows: []types.ExplicitAuthFlowsType{
			types.ExplicitAuthFlowsTypeAllowAdminUserPasswordAuth,
			types.ExplicitAuthFlowsTypeAllowRefreshTokenAuth,
		},
	})
	if err != nil {
		return p, err
	}
	p.Client = aws.ToString(made.UserPoolClient.ClientId)
	return p, nil
}

// groups makes those that the pool has not yet. To make one anew would empty it: cognito-local refuses no name that is taken.
func groups(ctx context.Context, api *cognitoidentityprovider.Client, pool string) error {
	have := map[string]bool{}
	pages := cognitoidentityprovider.NewListGroupsPaginator(api, &cognitoidentityprovider.ListGroupsInput{UserPoolId: &pool})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, g := range page.Groups {
			have[aws.ToString(g.GroupName)] = true
		}
	}
	for _, g := range access.Groups() {
		if have[g.Name] {
			continue
		}
		if _, err := api.CreateGroup(ctx,
			&cognitoidentityprovider.CreateGroupInput{UserPoolId: &pool, GroupName: &g.Name, Description: &g.Who}); err != nil {
			return err
		}
	}
	return nil
}
