package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheRegionOfAProfile(t *testing.T) {
	const v1 = "echo 'usage: Note: version 2 is out\nusage: aws [options] <command>' >&2; exit 2"
	const v2 = `echo '{"AccessKeyId":"K","SecretAccessKey":"S"}'`
	const keys = "aws_access_key_id = K\naws_secret_access_key = S\n"
	for name, row := range map[string]struct {
		config, credentials string
		cli                 string
		region, says        string
	}{
		"in the configuration":            {config: "[profile cinema]\nregion = eu-north-1\n", credentials: "[cinema]\n" + keys, region: "eu-north-1", says: "in its region eu-north-1"},
		"in the credentials, which win":   {config: "[profile cinema]\nregion = eu-north-1\n", credentials: "[cinema]\nregion = eu-south-1\n" + keys, region: "eu-south-1", says: "in its region eu-south-1"},
		"with the AWS CLI":                {config: "[profile cinema]\nregion = eu-north-1\n", cli: v2, region: "eu-north-1", says: "by the AWS CLI, in its region eu-north-1"},
		"with an AWS CLI that is too old": {config: "[profile cinema]\nregion = eu-north-1\n" + keys, cli: v1, region: "eu-north-1", says: "credentials, in its region eu-north-1"},
		"of another profile":              {config: "[profile opera]\nregion = eu-north-1\n", credentials: "[cinema]\n" + keys, says: "in the stack's region"},
	} {
		t.Run(name, func(t *testing.T) {
			bin := sharedFiles(t, row.config, row.credentials)
			if row.cli != "" {
				if err := os.WriteFile(filepath.Join(bin, "aws"), []byte("#!/bin/sh\n"+row.cli+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			c, err := reach(t.Context(), "cinema", "stack")
			if err != nil {
				t.Fatal(err)
			}
			if c.variables["AWS_REGION"] != row.region || c.variables["AWS_DEFAULT_REGION"] != row.region || c.variables["AWS_ACCESS_KEY_ID"] != "K" {
				t.Errorf("expected credentials and region %q, got %v", row.region, c.variables)
			}
			if !strings.HasSuffix(c.text, row.says) {
				t.Errorf("expected %q to end in %q", c.text, row.says)
			}
		})
	}
}
