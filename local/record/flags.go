package record

import "flag"

// LocalRun is the stack that the flags of a capture command name. The local runner starts
// that command with these flags.
func LocalRun(flags *flag.FlagSet) *Stack {
	s := &Stack{Override: Overrides{}, Local: true}
	flags.StringVar(&s.Root, "root", ".", "the project, the directory of Pulumi.yaml")
	flags.StringVar(&s.Name, "stack", "dev", "the stack, Pulumi.<stack>.yaml")
	flags.StringVar(&s.Outputs, "outputs", "", "a `file` that pulumi stack export has written, for the outputs of resources that are not run here")
	flags.Var(s.Override, "config", "replace a setting, as `key=value` or namespace:key=value; may be repeated")
	return s
}
