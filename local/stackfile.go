package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// fault is a line of a program's error that begins with a setting, such as
// "  audience: expected …".
var fault = regexp.MustCompile(`(?m)^( *)([A-Za-z][\w.:-]*?)(\[\d+\])?: `)

// placed is a program's error with the file and line of each setting that it names, as far as the
// stack file has it.
func (l *localStack) placed(err error) error {
	file := "Pulumi." + l.settings.stack + ".yaml"
	content, unread := os.ReadFile(filepath.Join(l.settings.root, file))
	if unread != nil {
		return err
	}
	text := fault.ReplaceAllStringFunc(err.Error(), func(begin string) string {
		parts := fault.FindStringSubmatch(begin)
		indent, name := parts[1], parts[2]
		line := lineOf(content, name)
		if line == 0 || l.overrides(name) {
			return begin
		}
		return fmt.Sprintf("%s%s:%d: %s", indent, file, line, strings.TrimPrefix(begin, indent))
	})
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// lineOf is the line of a setting in a stack file, with or without the project's name before it,
// and 0 if it is not there.
func lineOf(stackFile []byte, name string) int {
	key := regexp.MustCompile(`(?m)^ +["']?([\w.-]+:)?` + regexp.QuoteMeta(name) + `["']?:(\s|$)`)
	at := key.FindIndex(stackFile)
	if at == nil {
		return 0
	}
	return bytes.Count(stackFile[:at[0]], []byte("\n")) + 1
}

// overrides reports whether a setting comes from elsewhere than the stack file.
func (l *localStack) overrides(name string) bool {
	for _, assignment := range l.settings.config {
		key, _, _ := strings.Cut(assignment, "=")
		if key == name || strings.HasSuffix(key, ":"+name) {
			return true
		}
	}
	return l.keys != nil && (name == issuerSetting || name == keySetSetting)
}
