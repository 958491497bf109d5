package main

import (
	"fmt"
	"io"
	"path/filepath"

	"account-api/bench/report"
	"account-api/internal/bundle"
)

// sizes measures P11: the deployment packages, as they are deployed.
func (b *bench) sizes() error {
	for _, f := range []struct {
		name string
		bar  float64
	}{{"authorizer", 3.0}, {"profile", 7.2}} {
		b.say("bundling the %s for Lambda", f.name)
		built, err := bundle.Build(b.ctx, bundle.Options{
			Root: ".", Package: "handlers/" + f.name, Out: filepath.Join(outputs, f.name+".zip"), Progress: io.Discard,
		})
		if err != nil {
			return err
		}
		b.add(report.Row{Figure: "P11", Name: fmt.Sprintf("%s, deployment package", f.name), Unit: "MB (10⁶ bytes)",
			Estimate: report.Exactly(float64(built.Size) / 1e6), Bar: f.bar})
	}
	return nil
}
