package access

// SetMostCallers bounds the callers of each comparison.
func SetMostCallers(n int) (restore func()) {
	before := mostCallers
	mostCallers = n
	return func() { mostCallers = before }
}
