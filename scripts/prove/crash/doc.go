// Package crash kills the whole local stack in the middle of traffic, again and again, and looks at what is there afterwards.
//
// The stack is the program that `make run` starts, with its data in a folder: gateway and functions, engine and Cognito are processes, each
// ended by SIGKILL, in an order and at an instant that the seed chooses. Clients of a customer each grant, edit and revoke meanwhile, and
// note what they were answered. SES stands outside and is never killed. After the restart on the same data:
//
//   - every change that was answered is there, and whoever was taken out stays out;
//   - a request whose answer was lost is repeated, with its key, and has then been done once;
//   - each change has one event and each event is one change: the versions of a grant's events leave no gap, and end with the row's own;
//   - each mail was sent once, but for those that were being sent when the kill came: they may come once more for each such kill, and are
//     counted;
//   - each version of a grant is kept for questions about the past, a round later at the latest;
//   - each event came to a webhook, outside as SES is: again only with the same id, one stretch of events for each kill at most, which are
//     counted;
//   - user_count is the number of users that are listed, and of those in the model.
//
// RunBulk does the same in the middle of bulk jobs: each row has been made once when the job is done, however often it was interrupted.
package crash
