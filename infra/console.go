package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfrontorigins"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3deployment"
	"github.com/aws/jsii-runtime-go"

	"partneraccess/shared/console"
)

// addConsole puts the console's pages, which were built into the folder, behind CloudFront, with the pool's sign-in page or the operator's
// own.
//
// The API is there under /v1, too, as on the local stack. So the pages need no leave from the API (its settings would name CloudFront's
// address, and CloudFront's headers the API's: neither could be made first), browsers ask for none, and the page may send requests to
// itself and the login alone.
func (v *service) addConsole(folder string) {
	files := v.consoleBucket()
	login, to := v.login()
	distribution := v.distribution(files, v.headers(to), v.paths(folder))
	address := "https://" + *distribution.DistributionDomainName()
	if v.consoleDomain != "" {
		address = "https://" + v.consoleDomain
		v.output("ConsoleTarget", distribution.DistributionDomainName(), "point the console's domain here, with a CNAME or an alias record")
	}
	v.output("Console", &address, "where the console is")
	if v.pool != nil {
		back := append(*pointers(v.pageURL), jsii.String(address+console.SignIn))
		v.pool.pages.SetCallbackUrLs(&back)
		v.pool.pages.SetLogoutUrLs(&back)
	}
	v.upload(files, folder, console.Settings{Login: login, Product: v.letters.Product, Embed: v.embedOrigins})
}

// login is where the console signs people in, and to where the page sends requests for that.
func (v *service) login() (_ *console.Login, origin string) {
	scopes := []string{"openid", "email"}
	if v.pool == nil {
		l := v.consoleLogin
		return &console.Login{Authorize: l.authorize, Token: l.token, Logout: l.logout, ClientID: l.client, Scopes: scopes}, originOf(l.token)
	}
	at, client := v.pool.address, *v.pool.pages.Ref()
	return &console.Login{
		Authorize: at + "/oauth2/authorize", Token: at + "/oauth2/token", ClientID: client, Scopes: scopes,
		Logout: at + "/logout?client_id=" + client + "&logout_uri={origin}" + strings.ReplaceAll(console.SignIn, "/", "%2F"),
	}, at
}

// consoleBucket is where the files lie, for CloudFront alone.
func (v *service) consoleBucket() awss3.Bucket {
	b := awss3.NewBucket(v.in, jsii.String("ConsoleFiles"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(), ObjectOwnership: awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		Encryption: awss3.BucketEncryption_S3_MANAGED, EnforceSSL: jsii.Bool(true), MinimumTLSVersion: jsii.Number(1.2),
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY, AutoDeleteObjects: jsii.Bool(true), // make console makes them again
	})
	suppress(b,
		reason{"S1", "it holds the pages, which anybody may have, and CloudFront alone reads it: there is nothing to find out from a log", nil})
	return b
}

// headers are those of shared/console, and that a browser is to come over TLS alone, which the local stack cannot say.
func (v *service) headers(origin string) awscloudfront.IResponseHeadersPolicy {
	security := &awscloudfront.CfnResponseHeadersPolicy_SecurityHeadersConfigProperty{
		StrictTransportSecurity: &awscloudfront.CfnResponseHeadersPolicy_StrictTransportSecurityProperty{
			AccessControlMaxAgeSec: jsii.Number(365 * 24 * 3600), Override: jsii.Bool(true),
			IncludeSubdomains: jsii.Bool(false), Preload: jsii.Bool(false), // what is under the console's domain is the operator's
		},
	}
	var others []any
	for _, h := range console.Headers([]string{origin}, v.embedOrigins) {
		value := jsii.String(h.Value)
		switch h.Name { // CloudFront takes these in their own places alone
		case "Content-Security-Policy":
			security.ContentSecurityPolicy = &awscloudfront.CfnResponseHeadersPolicy_ContentSecurityPolicyProperty{
				ContentSecurityPolicy: value,
				Override:              jsii.Bool(true),
			}
		case "X-Content-Type-Options":
			security.ContentTypeOptions = &awscloudfront.CfnResponseHeadersPolicy_ContentTypeOptionsProperty{Override: jsii.Bool(true)}
		case "Referrer-Policy":
			security.ReferrerPolicy = &awscloudfront.CfnResponseHeadersPolicy_ReferrerPolicyProperty{
				ReferrerPolicy: value,
				Override:       jsii.Bool(true),
			}
		case "X-Frame-Options":
			security.FrameOptions = &awscloudfront.CfnResponseHeadersPolicy_FrameOptionsProperty{FrameOption: value, Override: jsii.Bool(true)}
		default:
			others = append(others,
				&awscloudfront.CfnResponseHeadersPolicy_CustomHeaderProperty{Header: jsii.String(h.Name), Value: value, Override: jsii.Bool(true)})
		}
	}
	policy := awscloudfront.NewCfnResponseHeadersPolicy(v.in, jsii.String("ConsoleHeaders"), &awscloudfront.CfnResponseHeadersPolicyProps{
		ResponseHeadersPolicyConfig: &awscloudfront.CfnResponseHeadersPolicy_ResponseHeadersPolicyConfigProperty{
			Name: v.edgeName("headers"), SecurityHeadersConfig: security,
			CustomHeadersConfig: &awscloudfront.CfnResponseHeadersPolicy_CustomHeadersConfigProperty{Items: &others},
		},
	})
	return awscloudfront.ResponseHeadersPolicy_FromResponseHeadersPolicyId(v.in, jsii.String("ConsoleHeadersPolicy"), policy.Ref())
}

// paths is the function in CloudFront that gives the page itself for each path which is none of the files: those are the console's own to
// understand. It goes by the files that there are, since ids in paths may hold dots.
func (v *service) paths(folder string) awscloudfront.Function {
	files := []string{"/" + console.SettingsFile}
	for _, e := range topFiles(folder) {
		files = append(files, "/"+e)
	}
	list, err := json.Marshal(files)
	if err != nil { // strings alone
		panic(err)
	}
	code := fmt.Sprintf(`function handler(event) {
  var request = event.request;
  if (!request.uri.startsWith('/%s/') && !%s.includes(request.uri)) request.uri = '/index.html';
  return request;
}
`, console.Assets, list)
	return awscloudfront.NewFunction(v.in, jsii.String("ConsolePaths"), &awscloudfront.FunctionProps{
		FunctionName: v.edgeName("paths"), Comment: jsii.String("the page itself for each path of the console"),
		Runtime: awscloudfront.FunctionRuntime_JS_2_0(), Code: awscloudfront.FunctionCode_FromInline(&code),
	})
}

// topFiles are the files that lie in the folder itself.
func topFiles(folder string) []string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		panic(fmt.Sprintf("the folder of the built console was there a moment ago: %v", err))
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}

func (v *service) distribution(files awss3.Bucket, headers awscloudfront.IResponseHeadersPolicy,
	paths awscloudfront.Function,
) awscloudfront.Distribution {
	access := awscloudfront.NewS3OriginAccessControl(v.in, jsii.String("ConsoleAccess"), &awscloudfront.S3OriginAccessControlProps{
		OriginAccessControlName: v.edgeName("access"), Signing: awscloudfront.Signing_SIGV4_ALWAYS(),
	})
	props := &awscloudfront.DistributionProps{
		Comment: v.named("console"), DefaultRootObject: jsii.String("index.html"), HttpVersion: awscloudfront.HttpVersion_HTTP2_AND_3,
		DefaultBehavior: &awscloudfront.BehaviorOptions{
			Origin: awscloudfrontorigins.S3BucketOrigin_WithOriginAccessControl(files,
				&awscloudfrontorigins.S3BucketOriginWithOACProps{OriginAccessControl: access}),
			// As long as each file's Cache-Control says: what has to be asked for each time CloudFront keeps for a second.
			CachePolicy:          awscloudfront.CachePolicy_CACHING_OPTIMIZED(),
			Compress:             jsii.Bool(true),
			ViewerProtocolPolicy: awscloudfront.ViewerProtocolPolicy_REDIRECT_TO_HTTPS, ResponseHeadersPolicy: headers,
			FunctionAssociations: &[]*awscloudfront.FunctionAssociation{{
				Function:  paths,
				EventType: awscloudfront.FunctionEventType_VIEWER_REQUEST,
			}},
		},
		AdditionalBehaviors: &map[string]*awscloudfront.BehaviorOptions{"/v1/*": {
			Origin: awscloudfrontorigins.NewHttpOrigin(v.apiHost(), &awscloudfrontorigins.HttpOriginProps{
				ProtocolPolicy:     awscloudfront.OriginProtocolPolicy_HTTPS_ONLY,
				OriginSslProtocols: &[]awscloudfront.OriginSslPolicy{awscloudfront.OriginSslPolicy_TLS_V1_2},
				ReadTimeout:        seconds(gatewayPatience),
			}),
			AllowedMethods: awscloudfront.AllowedMethods_ALLOW_ALL(),
			// All headers pass but the host's, and nothing is compressed on the way, which would make an ETag a weak one.
			CachePolicy: v.nothingKept(), OriginRequestPolicy: awscloudfront.OriginRequestPolicy_ALL_VIEWER_EXCEPT_HOST_HEADER(),
			Compress: jsii.Bool(false),
			// Not sent elsewhere: whoever asks without TLS has shown the token already.
			ViewerProtocolPolicy: awscloudfront.ViewerProtocolPolicy_HTTPS_ONLY,
		}},
	}
	if v.webACL != "" {
		props.WebAclId = &v.webACL
	}
	var errors []*awscloudfront.ErrorResponse
	for _, status := range []float64{400, 403, 404, 405, 414, 500, 501, 502, 503, 504} {
		// CloudFront keeps them for ten seconds, whatever they say of it
		errors = append(errors, &awscloudfront.ErrorResponse{HttpStatus: jsii.Number(status), Ttl: seconds(0)})
	}
	props.ErrorResponses = &errors
	if v.consoleDomain != "" {
		props.DomainNames = jsii.Strings(v.consoleDomain)
		props.Certificate = awscertificatemanager.Certificate_FromCertificateArn(v.in, jsii.String("ConsoleCertificate"), &v.consoleCertificate)
		props.MinimumProtocolVersion = awscloudfront.SecurityPolicyProtocol_TLS_V1_2_2021
	}
	d := awscloudfront.NewDistribution(v.in, jsii.String("Console"), props)
	reasons := []reason{
		{"CFR1", "partners and customers may be anywhere", nil},
		{
			"CFR2",
			"the files are the same for everybody, and the API checks each token and is throttled; a firewall, at a price, is the operator's choice",
			nil,
		},
		{
			"CFR3",
			"CloudFront's log names whole paths, which under /v1 hold people's addresses and invitations' tokens; the API's own log has these " +
				"requests without them", nil,
		},
	}
	if v.consoleDomain == "" {
		reasons = append(reasons,
			reason{
				"CFR4", "CloudFront's own address comes with its own certificate, whose oldest protocol nobody can choose: consoleDomain does",
				nil,
			})
	}
	suppress(d, reasons...)
	return d
}

// nothingKept is for the API's answers, which say no-store. The token is in the key all the same, or CloudFront would give the answer of
// one person to another who asks for the same at that moment (it calls that request collapsing); a key is for caches that may keep
// something, hence the second.
func (v *service) nothingKept() awscloudfront.CachePolicy {
	return awscloudfront.NewCachePolicy(v.in, jsii.String("ConsoleAnswers"), &awscloudfront.CachePolicyProps{
		CachePolicyName: v.edgeName("answers"), MinTtl: seconds(0), DefaultTtl: seconds(0), MaxTtl: seconds(time.Second),
		HeaderBehavior:      awscloudfront.CacheHeaderBehavior_AllowList(jsii.String("Authorization")),
		QueryStringBehavior: awscloudfront.CacheQueryStringBehavior_All(), CookieBehavior: awscloudfront.CacheCookieBehavior_None(),
		EnableAcceptEncodingGzip: jsii.Bool(false), EnableAcceptEncodingBrotli: jsii.Bool(false),
	})
}

// apiHost is what CloudFront calls the API: its own domain, which is its only address then, or API Gateway's.
func (v *service) apiHost() *string {
	if v.domain != "" {
		return &v.domain
	}
	return jsii.String(*v.api.ApiId() + ".execute-api." + *v.in.Region() + "." + *v.in.UrlSuffix())
}

// upload puts the files into the bucket, with how long each may be kept: first those with new names, then the page, which names them. Files
// of older pages stay, as long as there are people who have these open.
func (v *service) upload(to awss3.Bucket, folder string, s console.Settings) {
	log := awslogs.NewLogGroup(v.in, jsii.String("ConsoleUploadLog"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/lambda/" + *v.named("console-upload")), Retention: v.retention(),
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	role := awsiam.NewRole(v.in, jsii.String("ConsoleUploadRole"), &awsiam.RoleProps{
		Description: jsii.String("The CDK's own function puts the console's files into their bucket"),
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	log.GrantWrite(role)
	deploy := func(id, prefix, keep string, sources ...awss3deployment.ISource) awss3deployment.BucketDeployment {
		d := awss3deployment.NewBucketDeployment(v.in, &id, &awss3deployment.BucketDeploymentProps{
			DestinationBucket: to, DestinationKeyPrefix: &prefix, Sources: &sources, Prune: jsii.Bool(false),
			CacheControl: &[]awss3deployment.CacheControl{awss3deployment.CacheControl_FromString(&keep)},
			Role:         role, LogGroup: log, MemoryLimit: jsii.Number(uploadMemory),
		})
		d.Node().AddDependency(role)
		return d
	}
	assets := deploy("ConsoleAssets", console.Assets, console.CacheForever,
		awss3deployment.Source_Asset(jsii.String(filepath.Join(folder, console.Assets)), nil))
	pages := deploy("ConsolePages", "", console.CacheRevalidate,
		awss3deployment.Source_Asset(&folder, &awss3assets.AssetOptions{Exclude: jsii.Strings(console.Assets)}),
		awss3deployment.Source_JsonData(jsii.String(console.SettingsFile), object(s), nil))
	pages.Node().AddDependency(assets)
	suppress(role,
		reason{
			"IAM5",
			"the CDK's own rights for its function: to read the files of the CDK's bucket of assets, whose names are digests, and to write this " +
				"bucket's", nil,
		})
	for _, c := range *v.in.Node().Children() {
		if strings.HasPrefix(*c.Node().Id(), "Custom::CDKBucketDeployment") {
			why := "the function is the CDK's own, and its runtime is the CDK's to choose"
			suppress(c, reason{"L1", why, nil}, reason{"Serverless-LambdaLatestVersion", why, nil},
				reason{"Serverless-LambdaTracing", "it runs during deployments alone, and they tell what failed", nil},
				reason{"Serverless-LambdaDLQ", "CloudFormation waits for its answer", nil})
		}
	}
}

// uploadMemory is the upload's, in MiB. The CDK's default is good for a tenth of a processor.
const uploadMemory = 512

// edgeName is the name of something of CloudFront's, whose names are of an account and all its regions.
func (v *service) edgeName(what string) *string {
	return jsii.String(*v.named("console-" + what) + "-" + *v.in.Region())
}

// originOf is the origin of an address that the settings have.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(fmt.Sprintf("the settings let %s through: %v", address, err))
	}
	return u.Scheme + "://" + u.Host
}

// object is a value as JSON has it.
func object(x any) map[string]any {
	out := map[string]any{}
	text, err := json.Marshal(x)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil { // structs of strings alone
		panic(err)
	}
	return out
}
