# The CDK app: settings are in infra/README.md.

# What the stack is told: a file (infra/settings.example.json shows it); ARGS="-c name=value" goes before it.
SETTINGS ?=
CDK = scripts/node_modules/.bin/cdk --no-notices
CDK_SETTINGS = $(if $(SETTINGS),-c settings='$(SETTINGS)') $(ARGS)

.PHONY: synth
synth: SETTINGS := $(or $(SETTINGS),infra/settings.example.json)
synth: build console ## write the CloudFormation template into .build/cdk.out; needs no account (SETTINGS=file.json)
	$(CDK) synth -q $(CDK_SETTINGS)

.PHONY: synth-localstack
synth-localstack: ARCH := amd64
synth-localstack: build ## write the template for LocalStack
	$(CDK) synth -q -c target=localstack $(ARGS)

.PHONY: settings-given
settings-given:
	@test -n '$(SETTINGS)' || { echo "say what to deploy: make deploy SETTINGS=my.json (infra/settings.example.json shows one)" >&2; exit 1; }

.PHONY: diff
diff: settings-given build console ## show what a deployment would change; fails when it would destroy or replace something (SETTINGS=file.json)
	@$(CDK) diff $(CDK_SETTINGS) >.build/diff 2>&1; code=$$?; cat .build/diff; test $$code = 0
	@$(MAKE) -s harmless

# What a diff that was written down would destroy or replace, but for old versions of functions, of which each change of a function takes one
# away once its successor is in use.
DIFF ?= .build/diff
.PHONY: harmless
harmless:
	@! grep -nE '[[:space:]](destroy|replace)$$|requires replacement|may be replaced' '$(DIFF)' | grep -v '\[-\] AWS::Lambda::Version ' || \
		{ echo "the lines above destroy or replace something: look whether it holds data, and deploy all the same with make deploy" >&2; exit 1; }

# make smoke URL=https://… ARGS="-tokens https://…/oauth2/token -directory ID:SECRET -check ID:SECRET"; the local stack needs the URL alone.
URL ?= http://127.0.0.1:8080
.PHONY: smoke
smoke: setup ## go once through a service that runs: grant, check, revoke, mails (URL=http://127.0.0.1:8080)
	go run ./scripts/tools/smoke -url $(URL) $(ARGS)

# Nothing is protected until a deployment has succeeded: CloudFormation refuses to delete a protected stack that could not be made, and with it
# the next attempt. YES=1 asks nothing, for pipelines.
DEPLOY = $(CDK) deploy $(CDK_SETTINGS) $(if $(YES),--require-approval never)
.PHONY: deploy
deploy: settings-given build console ## deploy into the account of the AWS credentials (SETTINGS=file.json, YES=1: ask nothing)
	there=$$(go run ./scripts/tools/preflight -deployed $(CDK_SETTINGS)) && $(DEPLOY) -c protect=$$there && \
	if [ $$there = false ]; then $(DEPLOY) -c protect=true; fi

.PHONY: preflight
preflight: settings-given ## look with read-only calls whether a deployment can succeed, and say what to do (SETTINGS=file.json)
	go run ./scripts/tools/preflight $(CDK_SETTINGS)

.PHONY: destroy
destroy: settings-given build console ## take the stack away; the table, the user pool and the mail identity stay
	$(CDK) destroy $(CDK_SETTINGS)

.PHONY: unprotect
unprotect: settings-given build console ## let the stack, its table and its pool be deleted, before make destroy (SETTINGS=file.json)
	$(DEPLOY) -c protect=false
