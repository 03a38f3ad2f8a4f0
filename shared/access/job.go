package access

import "time"

// Job is a list of changes, its rows, that are made one after the other in the background, each as a request of its own: with the rights
// that whoever asked has at that moment. All instants are UTC.
type Job struct {
	ID          string
	Customer    string // whose job it is; "" = the provider's
	Caller      JobCaller
	State       JobState
	DryRun      bool // its rows change nothing: each result is what the row would do, after those before it
	StopOnError bool // the first row that fails is the last one
	Rows        int
	Succeeded   int
	Failed      int
	Attempts    int    // in a row that ended without a result, because something did not answer
	RetryOf     string // the job whose rows are tried again here; "" = none
	Request     string // the id of the request that asked for it
	Created     time.Time
	Updated     time.Time
	Finished    time.Time // zero = it is open
	Due         time.Time // when it can be continued
	Version     int64
}

// JobCaller is who asked for a job, as the token said it. It is authorised again for each row. It holds no secret.
type JobCaller struct {
	Issuer, Subject string
	Email           string // verified
	Account         string // the name of the account
	Scopes          []string
}

// JobState is how far a job has come.
type JobState string

// The states. An open job is queued or running.
const (
	JobQueued    JobState = "queued"    // no row has a result
	JobRunning   JobState = "running"   // some rows have one
	JobDone      JobState = "done"      // all rows have one
	JobStopped   JobState = "stopped"   // a row failed, and on_error is stop
	JobCancelled JobState = "cancelled" // by one of those whose job it is
)

// Open reports whether rows can still be done.
func (j *Job) Open() bool { return j.Finished.IsZero() }

// Pending is how many rows have no result. Of a job that is not open they were skipped.
func (j *Job) Pending() int { return j.Rows - j.Succeeded - j.Failed }

// Expires is when the job and its rows are deleted.
func (j *Job) Expires() time.Time { return j.Created.Add(JobLifetime) }

// Limits of jobs.
const (
	JobLifetime  = 30 * 24 * time.Hour // after which a job, its rows and the marks by which a row is made once are deleted
	MaxJobRows   = 1000
	MaxOpenJobs  = 5  // of one customer, and of the provider
	JobPiece     = 20 // rows that are done before their results are written, and before other organisations have their turn
	JobAttempts  = 10 // after which a row that gets no result fails
	jobPause     = 20 * time.Second
	MaxRowLength = 32 << 10 // bytes
)

// Op is what a row does to a grant.
type Op string

// The operations. The provider's rows establish relationships (W7) and end them: other terms are the customer's to set (W11).
const (
	OpGrant  Op = "grant"
	OpEdit   Op = "edit"
	OpExtend Op = "extend"
	OpRevoke Op = "revoke"
)

// JobRow is one change of a job.
type JobRow struct {
	Job      string
	Number   int // from 1
	Op       Op
	Customer string
	Partner  string // "" in a grant by e-mail
	Body     []byte // of the request that the row stands for; nil = it has none
	Seen     int64  // the grant's version that the caller has read; AnyVersion = whichever is there
	Key      string // that the change is made once under: the same for a row that is tried again
	Result   *RowResult
	Expires  time.Time
	Version  int64
}

// RowState is what became of a row.
type RowState string

// The states of a row.
const (
	RowPending RowState = "pending"
	RowDone    RowState = "done"
	RowFailed  RowState = "failed"
	RowSkipped RowState = "skipped" // the job was stopped or cancelled before its turn
)

// State returns what became of the row of that job.
func (r *JobRow) State(j *Job) RowState {
	switch {
	case r.Result == nil && j.Open():
		return RowPending
	case r.Result == nil:
		return RowSkipped
	case r.Result.Code != "":
		return RowFailed
	}
	return RowDone
}

// RowResult is what a row's request was answered. Of a dry run it is what it would be.
type RowResult struct {
	Status  int  // of HTTP
	Code    Code // of the problem; "" = it was not refused
	Detail  string
	Version int64 // of the grant afterwards; 0 = not known
	At      time.Time

	Gains, Loses, Mails int // of a dry run: how many people would gain and lose, how many mails would follow
}

// OpenJobs are the jobs of a customer, or of the provider, that are open.
type OpenJobs struct {
	Customer string // "" = the provider's
	Jobs     []string
	Version  int64
}

// DueJob is an open job that can be continued.
type DueJob struct {
	Position     string // its place in the list of those
	ID           string
	Due          time.Time
	Organisation string // whose it is
}
