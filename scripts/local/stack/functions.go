package stack

import (
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partneraccess/shared/access"
	"partneraccess/shared/dynamo"
	"partneraccess/shared/httpapi"
	"partneraccess/shared/setup"
)

// Deps is what a function's handler is wired with.
type Deps struct {
	Client  *dynamodb.Client
	Table   string
	Now     func() time.Time // the clock that /_local/clock moves
	BaseURL string           // where the gateway listens, without a slash at the end
	Log     *slog.Logger
}

// Functions wires the handler of every function, by its name in the manifest.
func Functions(d Deps) map[string]lambda.Handler {
	cfg := httpapi.Config{
		Store: dynamo.New(d.Client, d.Table), Now: d.Now, NewID: setup.IDs(d.Now),
		SignInURL: "https://{domain}/sign-in?as=partner", Log: d.Log,
	}
	return map[string]lambda.Handler{
		"check": httpapi.NewCheck(httpapi.CheckConfig{
			Facts: dynamo.NewReader(d.Client, d.Table), Catalogue: access.DefaultCatalogue(), Now: d.Now, BaseURL: d.BaseURL, Log: d.Log,
		}),
		"grant":     httpapi.NewGrant(cfg),
		"edit":      httpapi.NewEdit(cfg),
		"revoke":    httpapi.NewRevoke(cfg),
		"list":      httpapi.NewList(cfg),
		"directory": httpapi.NewDirectory(cfg),
	}
}
