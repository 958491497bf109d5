package token

// KnownHeaders is how many header segments the verifier remembers.
func (v *Verifier) KnownHeaders() int {
	if known := v.headers.known.Load(); known != nil {
		return len(*known)
	}
	return 0
}

// TableEntries are the names in the tables of headers and claims. Remove takes one
// out of its table and returns what puts it back.
func TableEntries() map[string]func() (restore func()) {
	entries := map[string]func() func(){}
	add := func(table map[string]bool) {
		for name := range table {
			entries[name] = func() func() {
				delete(table, name)
				return func() { table[name] = true }
			}
		}
	}
	add(forbiddenHeaders)
	add(otherTokenClaims)
	for name, kind := range claimTypes {
		entries[name] = func() func() {
			delete(claimTypes, name)
			return func() { claimTypes[name] = kind }
		}
	}
	return entries
}
