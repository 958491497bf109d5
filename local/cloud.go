package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"account-api/internal/loopback"
	"account-api/local/graph"
)

// cloud is what lets handlers reach services. The zero value lets them reach none.
type cloud struct {
	variables map[string]string // for every function but authorizers
	text      string            // says what handlers reach
}

// reach reads the setting of the same name: the URL of a server on this machine, or a profile
// of the AWS CLI. A profile takes the stack's own issuer.
func reach(ctx context.Context, aws, issuer string) (cloud, error) {
	switch {
	case aws == "":
		return cloud{}, nil
	case strings.Contains(aws, "://"):
		return reachEndpoint(aws)
	case issuer != "stack":
		return cloud{}, fmt.Errorf("AWS=%s: expected ISSUER=stack with an AWS profile: the local issuer's secret is public, "+
			"so any web page could get a token and use the profile's rights", aws)
	}
	c, err := reachProfile(ctx, aws)
	if err != nil {
		return cloud{}, fmt.Errorf("AWS=%s: %w", aws, err)
	}
	return c, nil
}

// reachEndpoint is for DynamoDB Local and its like. They take any credentials.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func reachEndpoint(endpoint string) (cloud, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !loopback.Is(u.Hostname()) || u.User != nil || u.RawQuery != "" {
		got := "a text that is no URL"
		if err == nil {
			got = strconv.Quote(u.Redacted())
		}
		return cloud{}, fmt.Errorf("AWS: expected the URL of a server on this machine, or the name of an AWS profile, got %s: make run AWS=http://127.0.0.1:8000", got)
	}
	return cloud{credentials{"local", "local", ""}.variables("AWS_ENDPOINT_URL", endpoint), endpoint + ", in the stack's region"}, nil
}

// credentials are in the form of `aws configure export-credentials`.
type credentials struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
}

// variables are the credentials for a process, and further ones.
func (c credentials) variables(more ...string) map[string]string {
	v := map[string]string{"AWS_ACCESS_KEY_ID": c.AccessKeyID, "AWS_SECRET_ACCESS_KEY": c.SecretAccessKey, "AWS_SESSION_TOKEN": c.SessionToken}
	for i := 0; i < len(more); i += 2 {
		v[more[i]] = more[i+1]
	}
	return v
}

// reachProfile gets the credentials of a profile: from the AWS CLI if it is installed, which
// knows every kind of profile, or else from the shared files, which may have static keys. The
// region is in the shared files either way.
func reachProfile(ctx context.Context, profile string) (cloud, error) {
	settings, files, err := readProfile(profile)
	if err != nil {
		return cloud{}, err
	}
	from := "the AWS CLI"
	c, known, err := askCLI(ctx, profile)
	if err != nil {
		return cloud{}, err
	}
	if !known {
		from = files
		c = credentials{settings["aws_access_key_id"], settings["aws_secret_access_key"], settings["aws_session_token"]}
		if c.AccessKeyID == "" || c.SecretAccessKey == "" {
			known := slices.Sorted(maps.Keys(settings))
			return cloud{}, fmt.Errorf("expected aws_access_key_id and aws_secret_access_key in %s, got [%s]: "+
				"install the AWS CLI, version 2, which knows other kinds of profiles", files, strings.Join(known, " "))
		}
	}
	text, variables := "the AWS profile "+profile+", by "+from, c.variables()
	if region := settings["region"]; region != "" {
		variables["AWS_REGION"], variables["AWS_DEFAULT_REGION"] = region, region
		return cloud{variables, text + ", in its region " + region}, nil
	}
	return cloud{variables, text + ", in the stack's region"}, nil
}

// askCLI asks the AWS CLI for a profile's credentials. Known is false without a CLI that has the
// command: version 1 has not, and answers with its usage.
func askCLI(ctx context.Context, profile string) (c credentials, known bool, err error) {
	cli, err := exec.LookPath("aws")
	if err != nil {
		return c, false, nil
	}
	var printed, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, cli, "configure", "export-credentials", "--profile", profile, "--format", "process")
	cmd.Stdout, cmd.Stderr = &printed, &complaints
	err = cmd.Run()
	switch {
	case err != nil && strings.Contains(complaints.String(), "usage: aws "):
		return c, false, nil
	case err != nil:
		return c, true, fmt.Errorf("the AWS CLI gives no credentials: %w: %s", err, oneLine(complaints.String()))
	case json.Unmarshal(printed.Bytes(), &c) != nil || c.AccessKeyID == "" || c.SecretAccessKey == "":
		return c, true, errors.New("the AWS CLI gives no credentials: expected JSON with AccessKeyId and SecretAccessKey")
	}
	return c, true, nil
}

// readProfile reads a profile's section of the shared files.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
func readProfile(profile string) (settings map[string]string, files string, err error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, "", err
	}
	settings = map[string]string{}
	var names []string
	for _, file := range []struct{ variable, name, section string }{
		{"AWS_CONFIG_FILE", "config", "profile " + profile},
		{"AWS_SHARED_CREDENTIALS_FILE", "credentials", profile}, // it wins
	} {
		name := os.Getenv(file.variable)
		if name == "" {
			name = filepath.Join(home, ".aws", file.name)
		}
		if profile == "default" {
			file.section = profile
		}
		names = append(names, name)
		content, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		readSection(string(content), file.section, settings)
	}
	return settings, strings.Join(names, " and "), nil
}

// readSection adds the assignments of one section.
func readSection(content, section string, settings map[string]string) {
	inside := false
	for line := range strings.Lines(content) {
		line = strings.TrimSpace(line)
		if name, isSection := strings.CutPrefix(line, "["); isSection {
			name, _, _ = strings.Cut(name, "]")
			inside = strings.Join(strings.Fields(name), " ") == section
			continue
		}
		key, value, assigns := strings.Cut(line, "=")
		if inside && assigns && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") {
			settings[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
		}
	}
}

const authorizerType = "aws:apigateway/authorizer:Authorizer"

// give adds the variables of a function, which has none if it is an authorizer. It is an error
// if one of the API's authorizers calls a function that the stack does not name.
func (c cloud) give(g *graph.Graph, f graph.Resource) (map[string]string, error) {
	if len(c.variables) == 0 {
		return nil, nil
	}
	for _, a := range g.OfType(authorizerType) {
		uri, _ := a.Inputs["authorizerUri"].(string)
		_, called, _ := strings.Cut(uri, ":function:")
		name, _, _ := strings.Cut(called, "/")
		name, _, _ = strings.Cut(name, ":") // a version or an alias
		if !slices.ContainsFunc(g.OfType(functionType), func(f graph.Resource) bool { return f.String("name") == name }) {
			return nil, fmt.Errorf("AWS: expected authorizer %s to call a function of the stack, which must not reach AWS, got another", a.Name)
		}
		if name == f.String("name") {
			return nil, nil
		}
	}
	return c.variables, nil
}
