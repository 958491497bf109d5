package infra

// Keys are the names of all settings.
func Keys() map[string]any { return new(Config).keys() }

// Fixture is the program with endpoints of the tests' own: two methods that share a
// handler, and a path with a parameter.
func Fixture(bundle Bundler) *Program {
	return &Program{bundle: bundle, endpoints: []endpoint{
		{"GET", "items", "handlers/items", "Lists the items"},
		{"PUT", "items", "handlers/items", "Lists the items"},
		{"GET", "owners/{owner}/items", "handlers/owners", "Lists an owner's items"},
	}}
}
