package record_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/local/graph"
	"account-api/local/record"
)

const deployed = `{"version": 3, "deployment": {"resources": [
	{"urn": "urn:pulumi:live::sample::aws:neptune/cluster:Cluster::profiles", "type": "aws:neptune/cluster:Cluster", "id": "real-id",
		"outputs": {"arn": "arn:aws:rds:eu-west-1:444455556666:cluster:real", "name": "real-name", "port": 8182,
			"label": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"},
			"address": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": "\"shown\""}}},
	{"urn": "urn:pulumi:live::sample::aws:lambda/function:Function::f", "type": "aws:lambda/function:Function", "id": "real-f", "outputs": {"name": "real-f"}}]}}`

// Outputs of a deployed stack replace made-up ones, of what is not run here. An encrypted
// secret is never taken for the value.
func TestOutputsOfADeployedStack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "live.json")
	if err := os.WriteFile(file, []byte(deployed), 0o600); err != nil {
		t.Fatal(err)
	}
	s := record.Stack{Root: write(t, good), Name: "test", Local: true, Outputs: file}
	var account string
	g, err := record.Run(s, func(ctx *pulumi.Context) error {
		return made("aws:neptune/cluster:Cluster", nil)(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := g.One("aws:lambda/function:Function")
	if err != nil {
		t.Fatal(err)
	}
	account = g.Account
	got := f.Environment()
	for variable, want := range map[string]string{
		"ID": "real-id", "NAME": "real-name", "PORT": "8182", "ADDRESS": "shown", "LABEL": graph.Unknown,
	} {
		if got[variable] != want {
			t.Errorf("%s: expected %q, got %q", variable, want, got[variable])
		}
	}
	if account != "444455556666" || strings.HasPrefix(f.String("name"), "real") {
		t.Errorf("expected the account of the deployed stack and the function of this machine, got %s and %s", account, f.String("name"))
	}
	cluster, err := g.One("aws:neptune/cluster:Cluster")
	if err != nil || !cluster.Deployed {
		t.Errorf("expected the cluster to be marked as deployed, got %+v, %v", cluster, err)
	}
}

func TestExportsThatCannotBeRead(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.json")
	empty := filepath.Join(t.TempDir(), "empty.json")
	if err := os.WriteFile(empty, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, says := range map[string]string{none: "pulumi stack export --stack NAME --file", empty: "expected the JSON of pulumi stack export"} {
		if _, err := record.Run(record.Stack{Root: write(t, good), Name: "test", Outputs: file}, nothing); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("expected %q, got %v", says, err)
		}
	}
}
