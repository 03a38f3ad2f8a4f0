package stack

// NewFilter is for the test of the patterns, which would need a stack each otherwise.
func NewFilter(pattern string) (func(record any) bool, error) { return newFilter(pattern) }
