# The functions on LocalStack.

# LocalStack, where nobody asks who one is, and the functions there as the local gateway calls them. They send their mails to port 8025.
LOCALSTACK          := http://127.0.0.1:4566
LOCALSTACK_CDK       = AWS_REGION=eu-central-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_ENDPOINT_URL=$(LOCALSTACK) \
	AWS_ENDPOINT_URL_S3=http://s3.localhost.localstack.cloud:4566 scripts/node_modules/.bin/cdk
LOCALSTACK_SETTINGS  = -c target=localstack
LOCALSTACK_BEHIND    = BACKEND=lambda AWS_ENDPOINT_URL_LAMBDA=$(LOCALSTACK) AWS_ENDPOINT_URL_DYNAMODB=$(LOCALSTACK) MAIL_LISTEN=0.0.0.0:8025 IDENTITY=none

.PHONY: localstack
localstack: ## start LocalStack (needs Docker and LOCALSTACK_AUTH_TOKEN; LOCALSTACK_VERSION=4.14.0 needs no token)
	docker compose -f scripts/local/localstack/compose.yaml up --detach --wait

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
	$(LOCALSTACK_BEHIND) SERVICE_URL= go test -count=1 -timeout 10m ./scripts/prove/e2e

.PHONY: localstack-stop
localstack-stop: ## stop LocalStack, and forget what was in it
	docker compose -f scripts/local/localstack/compose.yaml down --volumes
