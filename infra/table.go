package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
)

// addTable makes the table as dynamo.CreateTable does, and what keeps its data. It is a plain table and no global one: that a check sees
// every change is a promise of strongly consistent reading, which a replica in another region cannot keep.
//
// A table that was restored to a point in time is another one, with another stream, and takes its place as it is. The first one is kept.
func (v *service) addTable() {
	if v.restoredTable != "" {
		v.table = awsdynamodb.Table_FromTableAttributes(v.in, jsii.String("Table"), &awsdynamodb.TableAttributes{
			TableArn: &v.restoredTable, TableStreamArn: &v.restoredStream, GlobalIndexes: jsii.Strings("gsi1", "gsi2"),
		})
		return
	}
	attribute := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: &name, Type: awsdynamodb.AttributeType_STRING}
	}
	// A name of CloudFormation's own, since a table that a stack before this one has left would keep its name. On LocalStack the local gateway
	// has to know it.
	var name *string
	if v.target == onLocalStack {
		name = v.named("table")
	}
	encryption, key := awsdynamodb.TableEncryption_AWS_MANAGED, awskms.IKey(nil)
	if v.tableKey != "" {
		encryption, key = awsdynamodb.TableEncryption_CUSTOMER_MANAGED, awskms.Key_FromKeyArn(v.in, jsii.String("TableKey"), &v.tableKey)
	}
	table := awsdynamodb.NewTable(v.in, jsii.String("Table"), &awsdynamodb.TableProps{
		TableName:           name,
		PartitionKey:        attribute("pk"),
		SortKey:             attribute("sk"),
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		Stream:              awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES,
		TimeToLiveAttribute: jsii.String("ttl"),
		// 35 days, the most that there are.
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: jsii.Bool(true)},
		// With AWS's key for DynamoDB in this account, so that its use stands in CloudTrail, to which the functions need no right; or the
		// operator's.
		Encryption: encryption, EncryptionKey: key,
		DeletionProtection: jsii.Bool(v.protect),
		RemovalPolicy:      v.keep(),
	})
	table.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName: jsii.String("gsi1"), PartitionKey: attribute("gsi1pk"), SortKey: attribute("gsi1sk"),
		ProjectionType: awsdynamodb.ProjectionType_ALL,
	})
	table.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName: jsii.String("gsi2"), PartitionKey: attribute("gsi2pk"), SortKey: attribute("gsi2sk"),
		ProjectionType: awsdynamodb.ProjectionType_KEYS_ONLY,
	})
	v.table = table
}
