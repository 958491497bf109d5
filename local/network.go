package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"account-api/local/graph"
)

// networkVariables tell a Go program how to reach other hosts. [net/http.ProxyFromEnvironment]
// and [crypto/x509.SystemCertPool] read them.
var networkVariables = []string{
	"SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy",
}

// lendNetwork adds this terminal's network variables to the functions that fetch the stack's
// own issuer's keys, and returns their names. A function on AWS has none of them. One that a
// function declares stays as it is.
func lendNetwork(g *graph.Graph, getenv func(string) string) []string {
	var lent []string
	for _, f := range g.OfType(functionType) {
		environment, _ := f.Inputs["environment"].(map[string]any)
		variables, _ := environment["variables"].(map[string]any)
		if variables[issuerVariable] == nil {
			continue
		}
		for _, name := range networkVariables {
			value := getenv(name)
			if _, declared := variables[name]; value == "" || declared {
				continue
			}
			if strings.HasPrefix(name, "SSL_") {
				value = absolute(value)
			}
			variables[name] = value
			if !slices.Contains(lent, name) {
				lent = append(lent, name)
			}
		}
	}
	return lent
}

// absolute resolves a list of files: a function runs in a directory of its own.
func absolute(list string) string {
	files := filepath.SplitList(list)
	for i, file := range files {
		if path, err := filepath.Abs(file); err == nil {
			files[i] = path
		}
	}
	return strings.Join(files, string(os.PathListSeparator))
}
