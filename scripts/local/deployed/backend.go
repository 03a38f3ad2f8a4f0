package deployed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	lambdaservice "github.com/aws/aws-sdk-go-v2/service/lambda"

	"partneraccess/scripts/local/engine"
	"partneraccess/scripts/local/lambdahost"
	"partneraccess/scripts/local/stack"
)

// The targets of the CDK app.
const (
	AWS        = "aws"
	LocalStack = "localstack"
)

// Options say which deployment is to be run here.
type Options struct {
	Target   string            // AWS or LocalStack
	Accounts bool              // Cognito keeps people's accounts; LocalStack has none
	Settings map[string]string // of -c name=value, over those of infra/settings.example.json
	Output   io.Writer         // gets what the functions print, but for their metrics; nil: it is dropped
	Log      *slog.Logger      // nil: nothing is logged
}

// Backend is the functions of a deployment, built for this machine and run as Lambda runs them, with the environment of its template.
type Backend struct {
	host     *lambdahost.Host
	template *Template
	folder   string // of all that was built for it
	binaries string
	figures  io.Writer
}

// Start builds the functions, synthesizes the template, and starts a host. The functions are on it when Handlers has been called. It takes
// half a minute.
func Start(ctx context.Context, o Options) (_ *Backend, err error) {
	b := &Backend{}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if b.folder, err = os.MkdirTemp("", "deployed-"); err != nil {
		return nil, err
	}
	b.binaries = filepath.Join(b.folder, runtime.GOOS+"-"+runtime.GOARCH)
	if err := Build(ctx, b.binaries, runtime.GOOS, runtime.GOARCH); err != nil {
		return nil, err
	}
	processor := "arm64"
	settings := maps.Clone(o.Settings)
	if settings == nil {
		settings = map[string]string{}
	}
	settings["target"] = o.Target
	if o.Target == LocalStack {
		processor = "amd64"
	} else {
		root, err := Root()
		if err != nil {
			return nil, err
		}
		settings["settings"] = filepath.Join(root, "infra", "settings.example.json")
		settings["console"] = "false"
		if !o.Accounts { // an identity provider of the operator's own, and no page to come back to
			settings["issuer"], settings["audience"], settings["pageUrl"] = "https://id.cloud.example/", "partner-access", ""
		}
	}
	// What would be deployed is for Lambda's system and processor; what is run is for this machine's.
	packed := filepath.Join(b.folder, "linux-"+processor)
	if packed != b.binaries {
		if err := Build(ctx, packed, "linux", processor); err != nil {
			return nil, err
		}
	}
	if b.template, err = Synth(ctx, b.folder, packed, settings); err != nil {
		return nil, err
	}
	b.host, err = lambdahost.Start(ctx, lambdahost.Options{Region: engine.Region, Log: o.Log, Output: func(function, line string) {
		switch {
		case b.figures != nil && strings.HasPrefix(line, `{"_aws"`):
			_, _ = io.WriteString(b.figures, line+"\n")
		case o.Output != nil:
			_, _ = fmt.Fprintf(o.Output, "%s: %s\n", function, line)
		}
	}})
	return b, err
}

// Handlers puts the functions on the host, with an environment that points to the parts of that stack, and returns handlers that call them
// there.
func (b *Backend) Handlers(d stack.Deps) (map[string]lambda.Handler, error) {
	functions, err := b.template.Functions(valuesOf(b.template, d))
	if err != nil {
		return nil, err
	}
	b.figures = d.Figures
	prefix := ""
	for _, f := range functions {
		i := strings.LastIndexByte(f.Name, '-') + 1
		prefix = f.Name[:i]
		f.Env["AWS_ENDPOINT_URL_DYNAMODB"], f.Env["AWS_ENDPOINT_URL_SESV2"] = aws.ToString(d.Client.Options().BaseEndpoint), d.SES
		f.Env["AWS_ENDPOINT_URL_EVENTBRIDGE"] = d.BaseURL + stack.BusPath
		f.Env["AWS_ENDPOINT_URL_LAMBDA"], f.Env["WEBHOOKS_LOCAL"] = b.host.URL(), "true"
		if d.Cognito != "" {
			f.Env["AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"] = d.Cognito
		}
		b.host.Deploy(lambdahost.Function{
			Name: f.Name, Binary: filepath.Join(b.binaries, f.Name[i:], "bootstrap"), Env: f.Env, Timeout: f.Timeout, Memory: f.Memory,
		})
	}
	return stack.Invoked(Client(b.host.URL()), prefix), nil
}

// Host runs the functions.
func (b *Backend) Host() *lambdahost.Host { return b.host }

// Close ends the functions and removes what was built.
func (b *Backend) Close() error {
	var err error
	if b.host != nil {
		err = b.host.Close()
	}
	if b.folder != "" {
		err = errors.Join(err, os.RemoveAll(b.folder))
	}
	return err
}

// Client is a client of the Lambda that listens there. It asks no one for credentials.
func Client(endpoint string) *lambdaservice.Client {
	return lambdaservice.New(lambdaservice.Options{
		Region: engine.Region, BaseEndpoint: &endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

// valuesOf gives the resources of the template the names that they have in the stack.
func valuesOf(t *Template, d stack.Deps) Values {
	return func(id, typ, attribute string) (string, bool) {
		known := map[[2]string]string{
			{"AWS::DynamoDB::Table", ""}: d.Table, {"AWS::ApiGatewayV2::Api", "ApiEndpoint"}: d.BaseURL, {"AWS::Cognito::UserPool", ""}: d.Pool.ID,
			{"AWS::Events::EventBus", ""}: stack.BusName,
		}
		switch {
		case id == "AWS::Region":
			return engine.Region, true
		case typ == "AWS::SES::ConfigurationSet" && attribute == "":
			name, ok := t.Resources[id].Properties["Name"].(string)
			return name, ok
		case typ == "AWS::Cognito::UserPoolClient" && id == "PasswordsClient" && attribute == "":
			return d.Pool.Client, d.Pool.Client != ""
		}
		value := known[[2]string{typ, attribute}]
		return value, value != ""
	}
}
