package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbackup"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsbudgets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awswafv2"
	"github.com/aws/jsii-runtime-go"
)

// addAdditions makes what an operator adds around the service: backups, a budget, AWS WAF before the pool, a boundary of all roles.
func (v *service) addAdditions() {
	if v.backupDays > 0 {
		v.addBackups()
	}
	if v.budget > 0 {
		v.addBudget()
	}
	if v.poolWebACL != "" {
		awswafv2.NewCfnWebACLAssociation(v.in, jsii.String("PoolWebACL"), &awswafv2.CfnWebACLAssociationProps{
			ResourceArn: v.pool.arn, WebAclArn: &v.poolWebACL,
		})
	}
	if v.pipeline != "" {
		v.addPipeline()
	}
	if v.permissionsBoundary != "" {
		awsiam.PermissionsBoundary_Of(v.in).Apply(
			awsiam.ManagedPolicy_FromManagedPolicyArn(v.in, jsii.String("Boundary"), &v.permissionsBoundary))
	}
}

// addPipeline makes the role that GitHub's workflow takes to deploy: in the environment of the stage's name, of that repository alone,
// without a key that is kept anywhere. All that it may do is to take the roles of the CDK's bootstrap, and to see whether the stack is
// there.
// See "Configuring OpenID Connect in Amazon Web Services" in GitHub's documentation.
func (v *service) addPipeline() {
	const issuer = "token.actions.githubusercontent.com"
	arn := func(service, region, resource, name string) *string {
		return v.in.FormatArn(&awscdk.ArnComponents{Service: &service, Region: &region, Resource: &resource, ResourceName: &name})
	}
	role := awsiam.NewRole(v.in, jsii.String("Pipeline"), &awsiam.RoleProps{
		Description: jsii.String("GitHub deploys " + v.pipeline + " as this role"),
		AssumedBy: awsiam.NewWebIdentityPrincipal(arn("iam", "", "oidc-provider", issuer), &map[string]any{"StringEquals": map[string]any{
			issuer + ":aud": "sts.amazonaws.com", issuer + ":sub": "repo:" + v.pipeline + ":environment:" + v.stage,
		}}),
		MaxSessionDuration: awscdk.Duration_Hours(jsii.Number(1)),
	})
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("sts:AssumeRole"),
		Resources: &[]*string{
			arn("iam", "", "role", "cdk-*-deploy-role-*"), arn("iam", "", "role", "cdk-*-file-publishing-role-*"),
			arn("iam", "", "role", "cdk-*-lookup-role-*"),
		},
	}))
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("cloudformation:DescribeStacks"), Resources: &[]*string{v.in.StackId()},
	}))
	suppress(role, reason{"IAM5", "the roles of the CDK's bootstrap have a qualifier, the account and the region in their names", nil})
	v.output("PipelineRole", role.RoleArn(), "the role that .github/workflows/deploy.yml takes")
}

// addBackups has AWS Backup keep the table's state of each night, for longer than any instant can be restored, and out of reach of whoever
// can delete the table. The vault outlives the stack, like the table, and so has a name of its own for each stack that there ever was.
func (v *service) addBackups() {
	stack := awscdk.Fn_Select(jsii.Number(2), awscdk.Fn_Split(jsii.String("/"), v.in.StackId(), nil))
	vault := awsbackup.NewBackupVault(v.in, jsii.String("Backups"), &awsbackup.BackupVaultProps{
		BackupVaultName: awscdk.Fn_Join(jsii.String("-"), &[]*string{
			v.named("backups"), awscdk.Fn_Select(jsii.Number(0), awscdk.Fn_Split(jsii.String("-"), stack, nil)),
		}),
		RemovalPolicy: v.keep(),
	})
	days := awscdk.Duration_Days(jsii.Number(float64(v.backupDays)))
	rule := &awsbackup.BackupPlanRuleProps{RuleName: jsii.String("daily"), DeleteAfter: days}
	if v.backupCopyTo != "" {
		rule.CopyActions = &[]*awsbackup.BackupPlanCopyActionProps{{
			DestinationBackupVault: awsbackup.BackupVault_FromBackupVaultArn(v.in, jsii.String("BackupCopies"), &v.backupCopyTo), DeleteAfter: days,
		}}
	}
	plan := awsbackup.NewBackupPlan(v.in, jsii.String("BackupPlan"), &awsbackup.BackupPlanProps{
		BackupPlanName: v.named("backups"), BackupVault: vault, BackupPlanRules: &[]awsbackup.BackupPlanRule{awsbackup.NewBackupPlanRule(rule)},
	})
	selection := plan.AddSelection(jsii.String("Table"), &awsbackup.BackupSelectionOptions{
		Resources: &[]awsbackup.BackupResource{awsbackup.BackupResource_FromDynamoDbTable(v.table)},
	})
	suppress(selection, reason{"IAM4", "AWS Backup's own policy for backups, which AWS keeps in step with its service", nil})
}

// addBudget has AWS say when the account spends more on what has this service's tag than is meant.
func (v *service) addBudget() {
	told := func(kind string, percent float64) any {
		return &awsbudgets.CfnBudget_NotificationWithSubscribersProperty{
			Notification: &awsbudgets.CfnBudget_NotificationProperty{
				NotificationType: &kind, ComparisonOperator: jsii.String("GREATER_THAN"), Threshold: &percent, ThresholdType: jsii.String("PERCENTAGE"),
			},
			Subscribers: &[]any{&awsbudgets.CfnBudget_SubscriberProperty{SubscriptionType: jsii.String("EMAIL"), Address: &v.alarmEmail}},
		}
	}
	awsbudgets.NewCfnBudget(v.in, jsii.String("Budget"), &awsbudgets.CfnBudgetProps{
		Budget: &awsbudgets.CfnBudget_BudgetDataProperty{
			BudgetName: v.named("budget"), BudgetType: jsii.String("COST"), TimeUnit: jsii.String("MONTHLY"),
			BudgetLimit: &awsbudgets.CfnBudget_SpendProperty{Amount: jsii.Number(float64(v.budget)), Unit: jsii.String("USD")},
			CostFilters: map[string]any{"TagKeyValue": jsii.Strings("user:service$partner-access")},
		},
		NotificationsWithSubscribers: &[]any{told("ACTUAL", 80), told("FORECASTED", 100)},
	})
}
