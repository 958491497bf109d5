package record_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/local/record"
)

func TestWarningsOfTheProgramAreKept(t *testing.T) {
	g, err := record.Run(record.Stack{Root: write(t, "config: {aws:region: eu-central-1, audience: a}"), Name: "test"}, func(ctx *pulumi.Context) error {
		return errors.Join(ctx.Log.Debug("d", nil), ctx.Log.Info("i", nil), ctx.Log.Warn("the audience is an example's", nil), ctx.Log.Error("no audience", nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"the audience is an example's", "error: no audience"}; !slices.Equal(g.Warnings, want) {
		t.Errorf("got %q, want %q", g.Warnings, want)
	}
}
