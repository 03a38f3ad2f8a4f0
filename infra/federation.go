package main

import (
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/jsii-runtime-go"

	"partneraccess/shared/access"
)

// federation is an identity provider of the operator's own in the stack's user pool, for customers' people; the zero value is none. With
// issuer, client and secret it speaks OpenID Connect, with metadata SAML 2.0.
type federation struct {
	name    string
	domains []string // in which its addresses count; "*" alone = any

	issuer, client, scopes string
	secret                 string // the ARN of the Secrets Manager secret that holds the client's; never the secret itself
	metadata               string

	email, verified string // the names that the address, and whether it is verified, have there
}

func readFederation(all map[string]string) federation {
	f := federation{
		name: all["federationName"], domains: list(strings.ToLower(all["federationDomains"])), issuer: all["federationIssuer"],
		client: all["federationClient"], scopes: all["federationScopes"], secret: all["federationSecret"], metadata: all["federationMetadata"],
		email: all["federationEmail"], verified: all["federationVerified"],
	}
	if f.issuer != "" { // what OpenID Connect calls them
		for at, standard := range map[*string]string{&f.scopes: "openid email", &f.email: "email", &f.verified: "email_verified"} {
			if *at == "" {
				*at = standard
			}
		}
	}
	return f
}

func (f federation) given() bool {
	return f.name+f.issuer+f.client+f.scopes+f.secret+f.metadata+f.email+f.verified != "" || len(f.domains) > 0
}

// reserved are the names that Cognito has for providers of its own.
func reserved(name string) bool {
	switch strings.ToLower(name) {
	case "cognito", "google", "facebook", "amazon", "loginwithamazon", "signinwithapple", "apple":
		return true
	}
	return false
}

// checkFederation is about an identity provider of the operator's own in the stack's pool.
func (s settings) checkFederation(c *complaints) {
	f := s.federation
	if !f.given() {
		return
	}
	switch {
	case !s.ownPool():
		c.say("federationName and its like put an identity provider into the user pool, and there is none: leave issuer out, or them")
	case !access.ValidProviderName(f.name):
		c.say("federationName is %q: give letters, digits and hyphens, 28 at most, which become part of its accounts' names", f.name)
	case reserved(f.name):
		c.say("federationName is %q: Cognito has that name for a provider of its own", f.name)
	case (f.issuer == "") == (f.metadata == ""):
		c.say("give one of federationIssuer (OpenID Connect) and federationMetadata (SAML 2.0)")
	case f.issuer != "":
		s.checkOIDC(c)
	default:
		s.checkSAML(c)
	}
	if len(f.domains) == 0 {
		c.say("federationDomains is missing: list the domains whose addresses the identity provider may vouch for, or give * if it is trusted " +
			"with the people of all customers")
	} else if _, err := access.ParseFederation("x=" + strings.Join(f.domains, ",")); err != nil {
		c.say("federationDomains: %w", err)
	}
}

func (s settings) checkOIDC(c *complaints) {
	f := s.federation
	scopes := strings.Fields(f.scopes)
	has := func(scope string) bool {
		for _, s := range scopes {
			if s == scope {
				return true
			}
		}
		return false
	}
	switch {
	case !isAddress(f.issuer, false) || strings.Contains(f.issuer, "?"):
		c.say("federationIssuer is %q: give the https:// address under which /.well-known/openid-configuration is found", f.issuer)
	case f.client == "":
		c.say("federationClient is missing: the id of a client there, whose way back is SignInAddress/oauth2/idpresponse")
	case !regexp.MustCompile(`^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+$`).MatchString(f.secret):
		c.say("federationSecret is no ARN of a secret in AWS Secrets Manager: keep the client's secret there, and in no file of settings")
	case !has("openid") || !has("email"):
		c.say("federationScopes is %q: it has to hold openid and email, without which nobody has an address", f.scopes)
	}
}

func (s settings) checkSAML(c *complaints) {
	f := s.federation
	switch {
	case !isAddress(f.metadata, false):
		c.say("federationMetadata is %q: give the https:// address of its SAML metadata", f.metadata)
	case f.client != "" || f.secret != "" || f.scopes != "":
		c.say("federationClient, federationSecret and federationScopes are of OpenID Connect, and federationMetadata is of SAML: leave one out")
	case f.email == "" || f.verified == "":
		c.say("federationEmail and federationVerified are missing: the names of the attributes with the address, and with true where it is " +
			"verified; an address that is not verified counts for nothing, and Cognito takes it for one without the second")
	}
}

// setting is what the functions are told.
func (f federation) setting() string {
	if !f.given() {
		return ""
	}
	return access.Federation{{Name: strings.ToLower(f.name), Domains: f.domains}}.String()
}

// addFederation puts the identity provider into the pool.
func (v *service) addFederation() awscognito.CfnUserPoolIdentityProvider {
	f := v.federation
	if !f.given() {
		return nil
	}
	kind, details := "SAML", map[string]any{"MetadataURL": f.metadata, "IDPSignout": "false", "IDPInit": "false"}
	if f.issuer != "" {
		kind, details = "OIDC", map[string]any{
			"oidc_issuer": f.issuer, "client_id": f.client, "authorize_scopes": f.scopes, "attributes_request_method": "GET",
			"client_secret": "{{resolve:secretsmanager:" + f.secret + ":SecretString}}", // CloudFormation reads it when it deploys
		}
	}
	return awscognito.NewCfnUserPoolIdentityProvider(v.in, jsii.String("Federation"), &awscognito.CfnUserPoolIdentityProviderProps{
		UserPoolId: v.pool.id, ProviderName: jsii.String(access.FederatedName(f.name)), ProviderType: &kind, ProviderDetails: details,
		AttributeMapping: map[string]any{"email": f.email, "email_verified": f.verified},
	})
}
