// Package turns shares the time of a worker among organisations: however much work one of them has, the next piece of another waits for one
// piece of each at most.
package turns

// Queue holds pieces of work by the organisation that they are done for, in the order in which organisations and pieces came. Its zero
// value is empty. It is not safe for use by several goroutines at once.
type Queue[T any] struct {
	Share int // how many pieces of one organisation it takes at most; 0 = any number

	order  []string // the organisations whose turn comes, the next one first
	pieces map[string][]T
}

// Add appends a piece of work. It returns false, and takes nothing, when the organisation has its share in the queue already.
func (q *Queue[T]) Add(organisation string, piece T) bool {
	has := q.pieces[organisation]
	if q.Share > 0 && len(has) >= q.Share {
		return false
	}
	if q.pieces == nil {
		q.pieces = map[string][]T{}
	}
	if len(has) == 0 {
		q.order = append(q.order, organisation)
	}
	q.pieces[organisation] = append(has, piece)
	return true
}

// Next takes out the next piece of the organisation whose turn it is; false when there is no work.
func (q *Queue[T]) Next() (organisation string, piece T, ok bool) {
	if len(q.order) == 0 {
		return "", piece, false
	}
	organisation = q.order[0]
	q.order = q.order[1:]
	has := q.pieces[organisation]
	piece, has = has[0], has[1:]
	if len(has) == 0 {
		delete(q.pieces, organisation)
	} else {
		q.pieces[organisation] = has
		q.order = append(q.order, organisation)
	}
	return organisation, piece, true
}
