package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"account-api/local/graph"
	"account-api/local/running"
)

// sharedFiles sets the AWS CLI's files, and a PATH of one directory.
func sharedFiles(t *testing.T, config, credentials string) (bin string) {
	t.Helper()
	dir := t.TempDir()
	running.Write(t, filepath.Join(dir, "config"), config)
	running.Write(t, filepath.Join(dir, "credentials"), credentials)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
	t.Setenv("PATH", dir)
	return dir
}

func TestReach(t *testing.T) {
	sharedFiles(t, "[default]\naws_access_key_id = D\naws_secret_access_key = DS\n[profile cinema]\nregion = eu-west-1\naws_access_key_id = C1\naws_secret_access_key = S1\n"+
		"[profile sso]\nsso_session = work\n", "# comment\n[cinema]\naws_access_key_id=C2\naws_secret_access_key = S=2\n[token]\naws_access_key_id=T\naws_secret_access_key=TS\naws_session_token=TT\n")
	static := func(id, secret, session string) map[string]string {
		return map[string]string{"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": session}
	}
	in := func(region string, v map[string]string) map[string]string {
		v["AWS_REGION"], v["AWS_DEFAULT_REGION"] = region, region
		return v
	}
	local := func(endpoint string) map[string]string {
		v := static("local", "local", "")
		v["AWS_ENDPOINT_URL"] = endpoint
		return v
	}
	for _, row := range []struct {
		name, aws, issuer string
		want              map[string]string
		fault             string
	}{
		{"nothing by default", "", "local", nil, ""},
		{"a server on this machine", "http://127.0.0.1:8000", "local", local("http://127.0.0.1:8000"), ""},
		{"likewise, with the stack's issuer", "https://localhost:4566", "stack", local("https://localhost:4566"), ""},
		{"likewise, by IPv6", "http://[::1]:8000", "local", local("http://[::1]:8000"), ""},
		{"a server elsewhere", "http://10.0.0.1:8000", "stack", nil, "a server on this machine"},
		{"a name that only looks like this machine", "http://localhost.example.com", "stack", nil, "a server on this machine"},
		{"another scheme", "ftp://127.0.0.1", "stack", nil, "a server on this machine"},
		{"a user in the URL", "http://a:b@127.0.0.1", "stack", nil, "a server on this machine"},
		{"a profile with the local issuer", "cinema", "local", nil, "expected ISSUER=stack"},
		{"a profile in both files", "cinema", "stack", in("eu-west-1", static("C2", "S=2", "")), ""},
		{"a profile with a session", "token", "stack", static("T", "TS", "TT"), ""},
		{"the default profile", "default", "stack", static("D", "DS", ""), ""},
		{"a profile that takes the AWS CLI", "sso", "stack", nil, "got [sso_session]: install the AWS CLI"},
		{"no such profile", "nowhere", "stack", nil, "got []: install the AWS CLI"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := reach(t.Context(), row.aws, row.issuer)
			if row.fault != "" {
				if err == nil || !strings.Contains(err.Error(), row.fault) || c.variables != nil {
					t.Errorf("expected an error that says %q, got %v", row.fault, err)
				}
				return
			}
			if err != nil || !maps.Equal(c.variables, row.want) {
				t.Errorf("got %v, %v; want %v", c.variables, err, row.want)
			}
			for _, secret := range []string{"S=2", "TS", "TT", "DS"} {
				if strings.Contains(c.text, secret) {
					t.Errorf("expected no secret in %q", c.text)
				}
			}
		})
	}

	t.Run("by the AWS CLI if there is one", func(t *testing.T) {
		bin := sharedFiles(t, "", "")
		cli := filepath.Join(bin, "aws")
		for script, want := range map[string]string{
			`echo '{"Version":1,"AccessKeyId":"K","SecretAccessKey":"'"$1 $2 $3 $4"'","SessionToken":"T"}'`: "configure export-credentials --profile cinema",
			`echo 'The SSO session has expired' >&2; exit 255`:                                              "gives no credentials: exit status 255: The SSO session has expired",
			`echo '{}'`: "expected JSON with AccessKeyId",
		} {
			if err := os.WriteFile(cli, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			c, err := reach(t.Context(), "cinema", "stack")
			if got := c.variables["AWS_SECRET_ACCESS_KEY"]; got != want && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("expected %q, got %q, %v", want, got, err)
			}
		}
	})
}

func TestAuthorizersNeverReachAWS(t *testing.T) {
	function := func(name string) graph.Resource {
		return graph.Resource{Type: functionType, Name: name, Outputs: map[string]any{"name": name}}
	}
	authorizer := func(uri string) graph.Resource {
		return graph.Resource{Type: authorizerType, Name: "door", Inputs: map[string]any{"authorizerUri": uri}}
	}
	const prefix = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:"
	c := cloud{variables: map[string]string{"AWS_ACCESS_KEY_ID": "K"}}
	for uri, want := range map[string]bool{
		prefix + "door/invocations": true, prefix + "door:live/invocations": true, prefix + "doorman/invocations": false, "": false,
		prefix + "${stageVariables.f}/invocations": false,
	} {
		g := &graph.Graph{Resources: []graph.Resource{function("door"), function("seats"), authorizer(uri)}}
		forDoor, errDoor := c.give(g, function("door"))
		forSeats, errSeats := c.give(g, function("seats"))
		if forDoor != nil {
			t.Errorf("%s: the authorizer got %v", uri, forDoor)
		}
		if served := errDoor == nil && errSeats == nil && forSeats != nil; served != want {
			t.Errorf("%s: got %v for the handler, %v, %v", uri, forSeats, errDoor, errSeats)
		}
	}
}
