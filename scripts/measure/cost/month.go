package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// monthOfMinutes is a month of 30 days.
const monthOfMinutes = 30 * 24 * 60

// counted is what of the stack is billed by the month, as infra's tests hold it against the template.
//
//go:embed stack.json
var counted []byte

// parts is how many of each there are.
type parts struct {
	AlarmMetrics   int `json:"alarm_metrics"`  // of all alarms: one that computes counts each metric that it reads
	AnomalyAlarms  int `json:"anomaly_alarms"` // with a band
	Composites     int `json:"composites"`
	Dashboards     int `json:"dashboards"`
	MachineClients int `json:"machine_clients"`
	BackupDays     int `json:"backup_days"`
}

// expense is a line of what a month costs.
type expense struct {
	what    string
	dollars float64
}

// kept is the data of the table at rest, in GB: a hundred thousand rows.
const kept = 0.1

// atRest is what the stack costs in a month in which nobody uses it: what is billed by the month, and the sweeps. Idle is one minute's,
// and figures how many metrics the functions write in it.
func atRest(idle use, figures int) []expense {
	p := stackParts()
	// DynamoDB asks for a table's key every five minutes for each of the functions that use it: those of the schedule
	// (https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html).
	keys := idle.invocations * monthOfMinutes / 5
	return []expense{
		{fmt.Sprintf("%d metrics of alarms", p.AlarmMetrics), float64(p.AlarmMetrics) * alarmMetric},
		{fmt.Sprintf("%d alarms with a band", p.AnomalyAlarms), float64(p.AnomalyAlarms) * anomalyAlarm},
		{fmt.Sprintf("%d alarms of alarms", p.Composites), float64(p.Composites) * composite},
		{fmt.Sprintf("%d dashboard", p.Dashboards), float64(p.Dashboards) * dashboard},
		{fmt.Sprintf("%d of the pool's clients of machines", p.MachineClients), float64(p.MachineClients) * machineClient},
		{fmt.Sprintf("%d metric of the functions' own", figures), float64(figures) * metric},
		{"sweeps that find nothing, with their logs", idle.times(monthOfMinutes).dollars()},
		{"requests for the table's key", keys * keyRequest},
		{
			fmt.Sprintf("%.1f GB of data, any instant of 35 days, %d nights", kept, p.BackupDays),
			kept * (tableGB + anyInstant + float64(p.BackupDays)*nightBackup),
		},
	}
}

func stackParts() parts {
	var p parts
	if err := json.Unmarshal(counted, &p); err != nil {
		panic(err) // the tests read it, too
	}
	return p
}

func sum(all []expense) float64 {
	total := 0.0
	for _, e := range all {
		total += e.dollars
	}
	return total
}

// beside is what comes beside the stack and the checks, by how much of it there is.
func beside() []expense {
	const monthOfHours = 30 * 24
	return []expense{
		{"a back end that keeps its token for an hour", monthOfHours * machineToken},
		{"a back end that asks for one every minute", monthOfMinutes * machineToken},
		{"a hundred people who sign in", 100 * activePerson},
		{"a GB of data more", tableGB + anyInstant + float64(stackParts().BackupDays)*nightBackup},
		{"a value more of a figure's dimension", metric},
		{"traces of a million checks, of which 5% have one", 0.05 * 1e6 * trace},
	}
}

// restGoal is what a month at rest may cost, in dollars, with the settings that save most of it: see sparing.
const restGoal = 15.00

// sparing is at rest without what the settings anomalies, dashboard and sharedMachine leave out: the alarms with a band, the page of
// CloudWatch, and all clients of machines but one.
func sparing(rest []expense) float64 {
	p := stackParts()
	return sum(rest) - float64(p.AnomalyAlarms)*anomalyAlarm - float64(p.Dashboards)*dashboard - float64(p.MachineClients-1)*machineClient
}

const sparingly = "the stack at rest, with anomalies and dashboard false, sharedMachine true"

func tableOfMonth(w io.Writer, rest []expense) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	lines := []string{"", "| a month at rest\t| costs\t| goal\t|", "|---\t|---\t|---\t|"}
	for _, e := range rest {
		lines = append(lines, fmt.Sprintf("| %s\t| %s\t| -\t|", e.what, money(e.dollars)))
	}
	lines = append(lines, fmt.Sprintf("| the stack at rest\t| %s\t| -\t|", money(sum(rest))),
		fmt.Sprintf("| %s\t| %s\t| $%.2f\t|", sparingly, money(sparing(rest)), restGoal))
	lines = append(lines, "", "| beside, a month\t| costs\t|", "|---\t|---\t|")
	for _, e := range beside() {
		lines = append(lines, fmt.Sprintf("| %s\t| %s\t|", e.what, money(e.dollars)))
	}
	if _, err := fmt.Fprintln(t, strings.Join(lines, "\n")); err != nil {
		return err
	}
	return t.Flush()
}
