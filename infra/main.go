// Command infra is the CDK app: what the service consists of in AWS, and in LocalStack. What the functions are, what starts them and what
// they may do stands in shared/manifest, which the local stack reads as well.
//
// It needs no account and no network to synthesize. See settings for what it can be told.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"partneraccess/shared/settingsfile"
)

func main() {
	code := run()
	jsii.Close()
	os.Exit(code)
}

func run() int {
	app := awscdk.NewApp(nil)
	s, err := read(given(app))
	if err == nil {
		var code code
		var pages string
		if code, err = built(".build", s); err == nil {
			pages, err = builtConsole(".build", s)
		}
		if err == nil {
			newStack(app, s, code, pages)
			app.Synth(nil)
			return 0
		}
	}
	fmt.Fprintf(os.Stderr, "infra: %s\n", strings.ReplaceAll(err.Error(), "\n", "\ninfra: "))
	return 1
}

// given are the settings of -c. The CDK's own have a colon in their names.
func given(app awscdk.App) map[string]string {
	out := map[string]any{}
	context, _ := app.Node().GetAllContext(nil).(map[string]any)
	for name, v := range context {
		if !strings.Contains(name, ":") {
			out[name] = v
		}
	}
	return settingsfile.Texts(out)
}
