package main

import (
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"partneraccess/shared/manifest"
)

// addAPI makes the API without its routes, which need the functions, of which one needs the API's address.
func (v *service) addAPI() {
	var cors *awsapigatewayv2.CorsPreflightOptions
	if len(v.origins) > 0 {
		cors = &awsapigatewayv2.CorsPreflightOptions{ // as the local stack's gateway
			AllowOrigins: pointers(v.origins),
			AllowMethods: &[]awsapigatewayv2.CorsHttpMethod{
				awsapigatewayv2.CorsHttpMethod_GET, awsapigatewayv2.CorsHttpMethod_POST, awsapigatewayv2.CorsHttpMethod_PUT,
				awsapigatewayv2.CorsHttpMethod_PATCH, awsapigatewayv2.CorsHttpMethod_DELETE,
			},
			AllowHeaders: jsii.Strings("authorization", "content-type", "if-match", "if-none-match", "idempotency-key", "prefer",
				"traceparent", "x-request-id"),
			ExposeHeaders: jsii.Strings("etag", "location", "x-request-id", "retry-after", "idempotency-replayed", "evaluated-at",
				"preference-applied", "link", "content-disposition"),
			MaxAge: awscdk.Duration_Minutes(jsii.Number(10)),
		}
	}
	v.api = awsapigatewayv2.NewHttpApi(v.in, jsii.String("Api"), &awsapigatewayv2.HttpApiProps{
		ApiName: v.named("api"), Description: jsii.String("Partner Access (" + v.stage + ")"), CorsPreflight: cors,
		CreateDefaultStage:        jsii.Bool(false),
		DisableExecuteApiEndpoint: jsii.Bool(v.domain != ""), // one address alone: tokens and AuthZEN's metadata name it
	})
	if v.domain == "" {
		v.address = v.api.ApiEndpoint()
	}
	stage := &awsapigatewayv2.HttpStageProps{
		HttpApi: v.api, StageName: jsii.String("$default"), AutoDeploy: jsii.Bool(true), DetailedMetricsEnabled: jsii.Bool(false),
		Throttle: &awsapigatewayv2.ThrottleSettings{RateLimit: &v.throttles.Others.Rate, BurstLimit: &v.throttles.Others.Burst},
	}
	if v.domain != "" {
		domain := awsapigatewayv2.NewDomainName(v.in, jsii.String("Domain"), &awsapigatewayv2.DomainNameProps{
			DomainName: &v.domain, SecurityPolicy: awsapigatewayv2.SecurityPolicy_TLS_1_2,
			Certificate: awscertificatemanager.Certificate_FromCertificateArn(v.in, jsii.String("Certificate"), &v.certificate),
		})
		stage.DomainMapping = &awsapigatewayv2.DomainMappingOptions{DomainName: domain}
		v.address = jsii.String("https://" + v.domain)
		v.output("DomainTarget", domain.RegionalDomainName(), "point the domain here, with a CNAME or an alias record")
		v.output("DomainZone", domain.RegionalHostedZoneId(), "the zone of that target, for an alias record in Route 53")
	}
	v.httpStage = awsapigatewayv2.NewHttpStage(v.in, jsii.String("ApiStage"), stage)
	v.addAccessLog()
	v.output("Address", v.address, "the API's, and AuthZEN's policy_decision_point")
}

// addAccessLog has API Gateway log each request, unless the operator does without.
func (v *service) addAccessLog() {
	if !v.accessLog {
		why := "the operator does without (setting accessLog): the functions log what they answer"
		suppress(v.httpStage, reason{"APIG1", why, nil}, reason{"Serverless-APIGWAccessLogging", why, nil})
		return
	}
	log := awslogs.NewLogGroup(v.in, jsii.String("ApiLog"), &awslogs.LogGroupProps{
		// API Gateway is allowed to write under this prefix without an entry of its own in the account's policy for logs, which is short.
		LogGroupName: jsii.String("/aws/vendedlogs/" + *v.named("api")), Retention: v.retention(), RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	v.httpStage.Node().DefaultChild().(awsapigatewayv2.CfnStage).SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
		DestinationArn: log.LogGroupArn(), Format: jsii.String(manifest.AccessLog()),
	})
}

// addRoutes makes the routes that the manifest has, each for its function, with the token and the scopes that it says, and no other.
func (v *service) addRoutes() {
	issuer, audience := &v.issuer, pointers(v.audience)
	if v.pool != nil {
		issuer, audience = v.pool.issuer, &[]*string{}
		for _, c := range v.pool.audience {
			*audience = append(*audience, c.Ref())
		}
	}
	authorizer := awsapigatewayv2authorizers.NewHttpJwtAuthorizer(jsii.String("Authorizer"), issuer,
		&awsapigatewayv2authorizers.HttpJwtAuthorizerProps{
			JwtAudience: audience, AuthorizerName: v.named("tokens"),
		})
	var public []string
	limits := map[string]any{}
	stage := v.httpStage.Node().DefaultChild().(awsapigatewayv2.CfnStage)
	for _, f := range manifest.Functions() {
		if len(f.Routes) == 0 {
			continue
		}
		integration := awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String(f.Name), v.addAlias(f),
			&awsapigatewayv2integrations.HttpLambdaIntegrationProps{
				PayloadFormatVersion: awsapigatewayv2.PayloadFormatVersion_VERSION_2_0(), Timeout: seconds(gatewayPatience),
				ScopePermissionToRoute: jsii.Bool(false), // this API may invoke it; one statement for each route would fill the function's policy
			})
		for _, r := range f.Routes {
			options := &awsapigatewayv2.AddRoutesOptions{
				Path: jsii.String(r.Path), Methods: &[]awsapigatewayv2.HttpMethod{awsapigatewayv2.HttpMethod(r.Method)}, Integration: integration,
			}
			if t := v.throttles.Of(f.Name, r); t != v.throttles.Others { // the others have the stage's
				limits[r.Key()] = map[string]any{"ThrottlingRateLimit": t.Rate, "ThrottlingBurstLimit": t.Burst}
			}
			if r.Public {
				options.Authorizer = awsapigatewayv2.NewHttpNoneAuthorizer()
				public = append(public, r.Key())
			} else {
				options.Authorizer = authorizer
				if len(r.Scopes) > 0 {
					options.AuthorizationScopes = pointers(r.Scopes)
				}
			}
			for _, route := range *v.api.AddRoutes(options) {
				stage.Node().AddDependency(route) // a stage that limits a route which is not there yet is refused
			}
		}
	}
	stage.SetRouteSettings(limits)
	suppress(v.api,
		reason{"APIG4", "public on purpose: AuthZEN's metadata, what problems mean, what is nowhere, and an invitation's page, whose path " +
			"carries the secret (" + strings.Join(public, ", ") + ")", nil})
}

// gatewayPatience is the longest that API Gateway waits for a function.
const gatewayPatience = 29 * time.Second
