package main

import (
	"net/mail"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"partneraccess/shared/access"
	"partneraccess/shared/httpapi"
)

// addPool makes the user pool that shared/cognito asks for, in its own words: the comment of that package says why each of them.
func (v *service) addPool() {
	v.pool = v.existingPool()
	if v.pool == nil {
		users := v.addUserPool()
		v.pool = &pool{id: users.Ref(), arn: users.AttrArn(), issuer: users.AttrProviderUrl()}
	}
	v.addGroups()
	scopes := v.addScopes()
	v.pool.backEnd = v.client("Passwords", &awscognito.CfnUserPoolClientProps{
		// The function directory asks it whether a password is right. Cognito refuses a list without the second (aws-cdk #7625).
		ExplicitAuthFlows: jsii.Strings("ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"),
		GenerateSecret:    jsii.Bool(false),
		ReadAttributes:    jsii.Strings("email"), WriteAttributes: jsii.Strings("locale"), // no list at all would mean every attribute
	})
	v.addPagesClient(v.addFederation())
	v.addMachines(scopes)
	domain := awscognito.NewCfnUserPoolDomain(v.in, jsii.String("SignIn"), &awscognito.CfnUserPoolDomainProps{
		UserPoolId: v.pool.id, ManagedLoginVersion: jsii.Number(1), // the classic pages: the others need a tier above
		Domain: jsii.String(*v.named(*v.in.Account())), // of all accounts in the region
	})
	v.pool.address = "https://" + *domain.Ref() + ".auth." + *v.in.Region() + ".amazoncognito.com"
	v.output("SignInAddress", &v.pool.address, "where people sign in, and machines get their tokens (/oauth2/token)")
	v.output("PagesClient", v.pool.pages.Ref(), "the id of the client with which pages sign people in")
	v.output("PoolId", v.pool.id, "the user pool's id")
	switch f := v.federation; {
	case f.issuer != "":
		v.output("FederationCallback", jsii.String(v.pool.address+"/oauth2/idpresponse"), "where federationIssuer sends people back to")
	case f.metadata != "":
		v.output("FederationCallback", jsii.String(v.pool.address+"/saml2/idpresponse"), "where federationMetadata's provider posts its "+
			"assertions (ACS); their audience is urn:amazon:cognito:sp: and the output PoolId")
	}
}

// existingPool is the pool that the settings name: one that a stack before this one has left. Its clients, its groups and its domain went
// with that stack, and are made again. It is nil when they name none.
func (v *service) existingPool() *pool {
	if v.userPool == "" {
		return nil
	}
	return &pool{
		id: &v.userPool,
		arn: v.in.FormatArn(
			&awscdk.ArnComponents{Service: jsii.String("cognito-idp"), Resource: jsii.String("userpool"), ResourceName: &v.userPool}),
		issuer: jsii.String("https://cognito-idp." + *v.in.Region() + ".amazonaws.com/" + v.userPool),
	}
}

func (v *service) addUserPool() awscognito.CfnUserPool {
	texts := v.textingRole()
	p := awscognito.NewCfnUserPool(v.in, jsii.String("Pool"), &awscognito.CfnUserPoolProps{
		UserPoolName: v.named("people"),
		UserPoolTier: jsii.String("LITE"), // nothing here needs what the others cost

		// These three cannot be changed later.
		AliasAttributes:       jsii.Strings("email"),
		UsernameConfiguration: &awscognito.CfnUserPool_UsernameConfigurationProperty{CaseSensitive: jsii.Bool(false)},
		Schema: &[]any{&awscognito.CfnUserPool_SchemaAttributeProperty{
			Name: jsii.String("email"), AttributeDataType: jsii.String("String"), Mutable: jsii.Bool(true), Required: jsii.Bool(false),
		}},

		AdminCreateUserConfig: &awscognito.CfnUserPool_AdminCreateUserConfigProperty{AllowAdminCreateUserOnly: jsii.Bool(true)},
		Policies: &awscognito.CfnUserPool_PoliciesProperty{PasswordPolicy: &awscognito.CfnUserPool_PasswordPolicyProperty{
			// As access.CheckPassword: length counts, classes make people write passwords down (NIST SP 800-63B).
			MinimumLength:    jsii.Number(12),
			RequireLowercase: jsii.Bool(false), RequireUppercase: jsii.Bool(false), RequireNumbers: jsii.Bool(false),
			RequireSymbols:                jsii.Bool(false),
			TemporaryPasswordValidityDays: jsii.Number(7),
		}},
		MfaConfiguration: jsii.String("OPTIONAL"),
		EnabledMfas:      jsii.Strings("SMS_MFA", "SOFTWARE_TOKEN_MFA"),
		SmsConfiguration: &awscognito.CfnUserPool_SmsConfigurationProperty{SnsCallerArn: texts.RoleArn(), ExternalId: v.named("texts")},
		AccountRecoverySetting: &awscognito.CfnUserPool_AccountRecoverySettingProperty{RecoveryMechanisms: &[]any{
			// Not by text message: the telephone is the second factor.
			&awscognito.CfnUserPool_RecoveryOptionProperty{Name: jsii.String("verified_email"), Priority: jsii.Number(1)},
		}},
		EmailConfiguration: v.poolMail(),
		DeletionProtection: jsii.String(map[bool]string{true: "ACTIVE", false: "INACTIVE"}[v.protect]),
	})
	p.Node().AddDependency(texts) // with its policy, which Cognito tries
	p.ApplyRemovalPolicy(v.keep(), nil)
	suppress(p,
		reason{
			"COG1",
			"the policy asks for 12 characters and for no classes, as NIST SP 800-63B does; the API asks for the same (access.CheckPassword)", nil,
		},
		reason{"COG2", "a second factor is switched on for each user by those who manage a partner's people", nil},
		reason{"COG3", "threat protection needs the Plus tier, at a price for each user: the operator's choice", nil},
		reason{"COG8", "threat protection needs the Plus tier, at a price for each user: the operator's choice", nil},
	)
	return p
}

// addScopes declares what the tokens of machines may say.
func (v *service) addScopes() awscognito.CfnUserPoolResourceServer {
	return awscognito.NewCfnUserPoolResourceServer(v.in, jsii.String("Scopes"), &awscognito.CfnUserPoolResourceServerProps{
		UserPoolId: v.pool.id, Identifier: jsii.String("partner-access"), Name: jsii.String("Partner Access"),
		Scopes: &[]any{
			&awscognito.CfnUserPoolResourceServer_ResourceServerScopeTypeProperty{
				ScopeName:        jsii.String("directory"),
				ScopeDescription: jsii.String("keep partners and customers, as the provider"),
			},
			&awscognito.CfnUserPoolResourceServer_ResourceServerScopeTypeProperty{
				ScopeName:        jsii.String("check"),
				ScopeDescription: jsii.String("ask for decisions"),
			},
			&awscognito.CfnUserPoolResourceServer_ResourceServerScopeTypeProperty{
				ScopeName:        jsii.String("audit"),
				ScopeDescription: jsii.String("ask what was decided at an instant of the past"),
			},
		},
	})
}

// addPagesClient makes the client with which the console signs people in; other is another identity provider of the pool, nil for none.
func (v *service) addPagesClient(other awscognito.CfnUserPoolIdentityProvider) {
	providers, writes := jsii.Strings("COGNITO"), jsii.Strings("locale") // not the address, which says who one is
	if other != nil {
		// Cognito writes what it maps with the rights of the client (WriteAttributes). Nobody else can: that takes a token with the scope
		// aws.cognito.signin.user.admin, which this client does not give.
		providers, writes = jsii.Strings("COGNITO", *other.ProviderName()), jsii.Strings("email", "locale")
	}
	page := v.client("Pages", &awscognito.CfnUserPoolClientProps{
		// Pages send people to Cognito's own, and get a code for their tokens (RFC 7636). They cannot sign people in themselves: such a
		// session may change its account, and delete it.
		AllowedOAuthFlowsUserPoolClient: jsii.Bool(true), AllowedOAuthFlows: jsii.Strings("code"),
		AllowedOAuthScopes:         jsii.Strings("openid", "email"), // never the scopes of the machines: who has one is the provider
		CallbackUrLs:               pointers(v.pageURL),
		LogoutUrLs:                 pointers(v.pageURL),
		SupportedIdentityProviders: providers,
		ExplicitAuthFlows:          jsii.Strings("ALLOW_REFRESH_TOKEN_AUTH"), // none at all would mean Cognito's defaults
		GenerateSecret:             jsii.Bool(false),
		ReadAttributes:             jsii.Strings("email", "email_verified"), WriteAttributes: writes,
		// A working day, after which people sign in again. What they may do the table says at each request.
		RefreshTokenValidity: jsii.Number(12), IdTokenValidity: jsii.Number(60), AccessTokenValidity: jsii.Number(60),
		TokenValidityUnits: &awscognito.CfnUserPoolClient_TokenValidityUnitsProperty{
			RefreshToken: jsii.String("hours"), IdToken: jsii.String("minutes"), AccessToken: jsii.String("minutes"),
		},
		EnableTokenRevocation: jsii.Bool(true),
	})
	if other != nil {
		page.Node().AddDependency(other)
	}
	v.pool.pages, v.pool.audience = page, append(v.pool.audience, page)
}

// addMachines makes a client for each scope, or one for both: its secret gets tokens without a person. The provider's own systems may ask
// about the past, too, which their scope shows them anyway; who else audits gets a client of his own, made by hand and paid for monthly.
func (v *service) addMachines(scopes awscognito.CfnUserPoolResourceServer) {
	var machine awscognito.CfnUserPoolClient
	for _, m := range []struct {
		id, scope string
		says      []string
	}{
		{"Directory", httpapi.ScopeDirectory, []string{httpapi.ScopeDirectory, httpapi.ScopeAudit}},
		{"Check", httpapi.ScopeCheck, []string{httpapi.ScopeCheck}},
	} {
		says := m.says
		if v.sharedMachine {
			says = []string{httpapi.ScopeDirectory, httpapi.ScopeCheck, httpapi.ScopeAudit}
		}
		if !v.sharedMachine || machine == nil {
			machine = v.addMachine(m.id, scopes, says)
		}
		v.output(m.id+"Client", machine.Ref(),
			"the id of the client whose tokens have the scope "+m.scope+"; its secret: aws cognito-idp describe-user-pool-client")
	}
}

func (v *service) addMachine(id string, scopes awscognito.CfnUserPoolResourceServer, says []string) awscognito.CfnUserPoolClient {
	machine := v.client(id, &awscognito.CfnUserPoolClientProps{
		AllowedOAuthFlowsUserPoolClient: jsii.Bool(true), AllowedOAuthFlows: jsii.Strings("client_credentials"),
		AllowedOAuthScopes: jsii.Strings(says...), GenerateSecret: jsii.Bool(true),
		ExplicitAuthFlows:   jsii.Strings("ALLOW_REFRESH_TOKEN_AUTH"), // nobody signs in with it; likewise
		AccessTokenValidity: jsii.Number(60),
		TokenValidityUnits:  &awscognito.CfnUserPoolClient_TokenValidityUnitsProperty{AccessToken: jsii.String("minutes")},
	})
	machine.Node().AddDependency(scopes)
	v.pool.audience = append(v.pool.audience, machine)
	return machine
}

func (v *service) client(id string, props *awscognito.CfnUserPoolClientProps) awscognito.CfnUserPoolClient {
	props.UserPoolId = v.pool.id
	props.ClientName = v.named(id)
	props.PreventUserExistenceErrors = jsii.String("ENABLED")
	return awscognito.NewCfnUserPoolClient(v.in, jsii.String(id+"Client"), props)
}

// addGroups makes the groups that people's accounts are put into, for the provider's pages, triggers
// and apps (access.Groups). The service itself does not read them: the table says what people may do.
func (v *service) addGroups() {
	for _, g := range access.Groups() {
		awscognito.NewCfnUserPoolGroup(v.in, jsii.String(groupID(g.Name)), &awscognito.CfnUserPoolGroupProps{
			UserPoolId: v.pool.id, GroupName: &g.Name,
			Description: jsii.String(g.Who + ", for pages and triggers to tell: what they may do stands in the service's table"),
		})
	}
}

// groupID names a group in the stack: partner-sales_marketing is PartnerSalesMarketingGroup.
func groupID(name string) string {
	id := ""
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '_' }) {
		id += strings.ToUpper(word[:1]) + word[1:]
	}
	return id + "Group"
}

// poolMail is through what Cognito sends the mails of forgotten passwords: the service's identity, when the account had it before. One that
// this stack makes is not verified yet, and Cognito would refuse it; until then Cognito sends by itself, fifty a day at most.
func (v *service) poolMail() *awscognito.CfnUserPool_EmailConfigurationProperty {
	if v.createMailIdentity {
		return &awscognito.CfnUserPool_EmailConfigurationProperty{EmailSendingAccount: jsii.String("COGNITO_DEFAULT")}
	}
	c := &awscognito.CfnUserPool_EmailConfigurationProperty{
		EmailSendingAccount: jsii.String("DEVELOPER"), SourceArn: v.mail.identityARN, From: &v.letters.From, ConfigurationSet: v.mail.setName,
	}
	if a, err := mail.ParseAddress(v.letters.ReplyTo); err == nil {
		c.ReplyToEmailAddress = &a.Address
	}
	return c
}

// textingRole lets Cognito send text messages, and publish to no topic. It stays with its pool, which could not be changed any more without
// it (InvalidSmsRoleTrustRelationshipException).
func (v *service) textingRole() awsiam.Role {
	role := awsiam.NewRole(v.in, jsii.String("TextsRole"), &awsiam.RoleProps{
		Description: jsii.String("Cognito sends the second factor by text message"),
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("cognito-idp.amazonaws.com"), &awsiam.ServicePrincipalOpts{Conditions: &map[string]any{
			"StringEquals": map[string]any{"sts:ExternalId": v.named("texts"), "aws:SourceAccount": v.in.Account()},
		}}),
	})
	// A telephone number is no resource: what can be named is what is not allowed.
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("sns:Publish"),
		NotResources: &[]*string{v.in.FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("sns"), Region: jsii.String("*"), Account: jsii.String("*"), Resource: jsii.String("*"),
		})},
	}))
	for _, kept := range []awscdk.IResource{role, role.Node().FindChild(jsii.String("DefaultPolicy")).(awsiam.Policy)} {
		kept.ApplyRemovalPolicy(v.keep())
	}
	return role
}
