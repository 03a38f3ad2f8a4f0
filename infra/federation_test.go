package main

import (
	"slices"
	"strings"
	"testing"

	"partneraccess/shared/access"
	"partneraccess/shared/manifest"
)

func TestFederationThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	oidc, saml := settingsOf("oidc"), settingsOf("saml")
	for _, c := range []struct {
		name     string
		settings map[string]string
		wrong    string // "" = nothing
	}{
		{"OpenID Connect", oidc, ""},
		{"SAML", saml, ""},
		{"a pool that is there", with(oidc, map[string]string{"userPool": existingPool}), ""},
		{"no name", with(oidc, map[string]string{"federationName": ""}), "federationName is \"\""},
		{"a name that ends early", with(oidc, map[string]string{"federationName": "co_rp"}), "letters, digits and hyphens"},
		{"a name like a partner's account", with(oidc, map[string]string{"federationName": "co:rp"}), "letters, digits and hyphens"},
		{"a long name", with(oidc, map[string]string{"federationName": strings.Repeat("a", 29)}), "28 at most"},
		{"Cognito's own", with(oidc, map[string]string{"federationName": "COGNITO"}), "a provider of its own"},
		{"a social one", with(saml, map[string]string{"federationName": "SignInWithApple"}), "a provider of its own"},
		{"no domains", with(oidc, map[string]string{"federationDomains": ""}), "federationDomains is missing"},
		{"a domain that is none", with(oidc, map[string]string{"federationDomains": "acme"}), "federationDomains"},
		{"half a domain", with(oidc, map[string]string{"federationDomains": "*.acme.example"}), "federationDomains"},
		{"neither kind", with(oidc, map[string]string{"federationIssuer": ""}), "give one of"},
		{"both kinds", with(oidc, map[string]string{"federationMetadata": "https://id.acme.example/m"}), "give one of"},
		{"an issuer without TLS", with(oidc, map[string]string{"federationIssuer": "http://id.acme.example"}), "openid-configuration"},
		{"no client", with(oidc, map[string]string{"federationClient": ""}), "federationClient is missing"},
		{"no secret", with(oidc, map[string]string{"federationSecret": ""}), "Secrets Manager"},
		{"the secret itself", with(oidc, map[string]string{"federationSecret": "hunter2hunter2"}), "in no file of settings"},
		{"a secret in braces", with(oidc, map[string]string{"federationSecret": federationSecret + "}}{{resolve:ssm:x"}), "Secrets Manager"},
		{"no address", with(oidc, map[string]string{"federationScopes": "openid profile"}), "openid and email"},
		{"metadata without TLS", with(saml, map[string]string{"federationMetadata": "http://id.acme.example/m"}), "federationMetadata is"},
		{"metadata in a file", with(saml, map[string]string{"federationMetadata": "metadata.xml"}), "federationMetadata is"},
		{"nothing that says verified", with(saml, map[string]string{"federationVerified": ""}), "federationVerified are missing"},
		{"SAML with a secret", with(saml, map[string]string{"federationSecret": federationSecret}), "leave one out"},
		{"no pool", with(variants()["outside"], map[string]string{"federationName": "corp"}), "there is none"},
	} {
		_, err := read(c.settings)
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.wrong)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got a sentence with the secret", c.name)
		}
	}
}

func TestAnIdentityProviderOfOthersIsInThePool(t *testing.T) {
	for variant, want := range map[string]struct {
		name, kind string
		details    map[string]any
		mapping    map[string]any
		setting    string
	}{
		"oidc": {
			"idp~Corp", "OIDC",
			map[string]any{
				"oidc_issuer": "https://id.acme.example", "client_id": "partner-access", "authorize_scopes": "openid email",
				"attributes_request_method": "GET", "client_secret": "{{resolve:secretsmanager:" + federationSecret + ":SecretString}}",
			},
			map[string]any{"email": "email", "email_verified": "email_verified"},
			"corp=acme.example,initech.example",
		},
		"saml": {
			"idp~corp", "SAML",
			map[string]any{"MetadataURL": "https://id.acme.example/metadata", "IDPSignout": "false", "IDPInit": "false"},
			map[string]any{"email": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "email_verified": "email_verified"},
			"corp=*",
		},
	} {
		tpl := synth(t, variant)
		id, provider := tpl.only(t, "AWS::Cognito::UserPoolIdentityProvider")
		p := provider.Properties
		same(t, variant+": name", []any{p["ProviderName"], p["ProviderType"]}, []string{want.name, want.kind})
		same(t, variant+": details", p["ProviderDetails"], want.details)
		same(t, variant+": attributes", p["AttributeMapping"], want.mapping)
		if name, ok := access.ParseAccountName(want.name + "_contoso:01J9Z3NDEKTSV4RRFFQ69G5FAV"); !ok || name.Kind != access.FederatedAccount {
			t.Errorf("%s: got an account of kind %q, want a federated one whatever its subject is", variant, name.Kind)
		}

		pages := tpl.of("AWS::Cognito::UserPoolClient")["PagesClient"]
		same(t, variant+": where people sign in", pages.Properties["SupportedIdentityProviders"], []string{"COGNITO", want.name})
		same(t, variant+": what sign-in writes", pages.Properties["WriteAttributes"], []string{"email", "locale"})
		same(t, variant+": scopes, none to change an account with", pages.Properties["AllowedOAuthScopes"], []string{"openid", "email"})
		if !slices.Contains(texted(pages.DependsOn), id) {
			t.Errorf("%s: got a client that does not wait for %s", variant, id)
		}
		told := 0
		for _, f := range tpl.of("AWS::Lambda::Function") {
			if setting := at(f.Properties, "Environment", "Variables", "FEDERATION"); setting != nil {
				same(t, variant+": what functions are told", setting, want.setting)
				told++
			}
		}
		people := slices.DeleteFunc(manifest.Functions(), func(f manifest.Function) bool { return !slices.Contains(f.Env, "FEDERATION") })
		same(t, variant+": functions that are told", told, len(people))
	}
	if n := len(synth(t, "pool").of("AWS::Cognito::UserPoolIdentityProvider")); n != 0 {
		t.Errorf("without settings: got %d identity providers, want none", n)
	}
}
