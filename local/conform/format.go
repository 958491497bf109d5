package main

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
)

// formats write a report when all cases have run. Text was written while they ran.
var formats = map[string]func(*report, io.Writer) error{
	"text":  func(*report, io.Writer) error { return nil },
	"json":  (*report).writeJSON,
	"junit": (*report).writeJUnit,
}

func (r *report) writeJSON(to io.Writer) error {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{
		"api": r.redact.Replace(r.heading), "pass": r.pass, "differ": r.differ, "notRun": r.notRun,
		"cases": r.results, "remarks": append([]string{}, r.remarks...), "questions": append([]settled{}, r.settled...),
	})
}

// The elements that CI servers read: https://github.com/testmoapp/junitxml
type (
	testSuites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Skipped  int      `xml:"skipped,attr"`
		Suites   []*testSuite
	}
	testSuite struct {
		XMLName  xml.Name  `xml:"testsuite"`
		Name     string    `xml:"name,attr"`
		Tests    int       `xml:"tests,attr"`
		Failures int       `xml:"failures,attr"`
		Skipped  int       `xml:"skipped,attr"`
		Cases    []xmlCase `xml:"testcase"`
	}
	xmlCase struct {
		Name    string      `xml:"name,attr"`
		Class   string      `xml:"classname,attr"`
		Failure *xmlMessage `xml:"failure"`
		Skipped *xmlMessage `xml:"skipped"`
	}
	xmlMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func (r *report) writeJUnit(to io.Writer) error {
	all := testSuites{Name: r.redact.Replace(r.heading), Tests: len(r.results), Failures: r.differ, Skipped: r.notRun}
	for _, became := range r.results {
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != became.Group {
			all.Suites = append(all.Suites, &testSuite{Name: became.Group})
		}
		suite := all.Suites[len(all.Suites)-1]
		c := xmlCase{Name: became.Name, Class: became.Group}
		suite.Tests++
		switch became.Status {
		case "differ":
			suite.Failures++
			c.Failure = &xmlMessage{became.Problems[0], strings.Join(became.Problems, "\n")}
		case "not run":
			suite.Skipped++
			c.Skipped = &xmlMessage{Message: became.Missing}
		}
		suite.Cases = append(suite.Cases, c)
	}
	encoder := xml.NewEncoder(to)
	encoder.Indent("", "  ")
	if _, err := io.WriteString(to, xml.Header); err != nil {
		return err
	}
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(to, "\n")
	return err
}
