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
	for name := range forbiddenHeaders {
		entries[name] = func() func() {
			delete(forbiddenHeaders, name)
			return func() { forbiddenHeaders[name] = true }
		}
	}
	for i := range marks {
		name := marks[i].claim
		entries[name] = func() func() {
			marks[i].claim = ""
			return func() { marks[i].claim = name }
		}
		for text, kind := range marks[i].kinds {
			entries[name+" "+text] = func() func() {
				delete(marks[i].kinds, text)
				return func() { marks[i].kinds[text] = kind }
			}
		}
	}
	return entries
}
