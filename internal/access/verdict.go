package access

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Verdict is a report in a word.
type Verdict string

// The verdicts, the gravest first.
const (
	NowError  Verdict = "error"
	Gains     Verdict = "gained"
	Unknown   Verdict = "unknown"  // nothing gained among a sample, where a proof is required
	Reviewed  Verdict = "reviewed" // gained or an error, with a reason that allows it
	Revokes   Verdict = "revoked"
	Reasons   Verdict = "reasons"
	NoChanges Verdict = "same"
)

// Exit is the exit status that goes with a verdict. Usage and a broken checkout are 1.
func (v Verdict) Exit() int {
	switch v {
	case NowError:
		return 4
	case Gains, Unknown:
		return 3
	}
	return 0
}

// Terms say what a verdict tolerates.
type Terms struct {
	AllowGained     string // the reason why what is gained is meant; "" is none
	Review          string // a text that may hold a line for Fingerprint, as a pull request's description
	RequireComplete bool
}

// Verdict judges a report. Reason is the one that allows what the report has.
func (r Report) Verdict(terms Terms) (verdict Verdict, reason string) {
	verdict = r.gravest()
	if verdict != NowError && verdict != Gains && terms.RequireComplete && slices.ContainsFunc(r.Endpoints, func(e Endpoint) bool { return !e.Complete && e.State != Removed }) {
		return Unknown, ""
	}
	if verdict == NowError || verdict == Gains {
		if reason := r.review(terms.Review); reason != "" {
			return Reviewed, reason
		}
	}
	if verdict == Gains && terms.AllowGained != "" {
		return Reviewed, terms.AllowGained
	}
	return verdict, ""
}

func (r Report) gravest() Verdict {
	has := map[Kind]bool{}
	for _, e := range r.Endpoints {
		for _, change := range e.Changes {
			has[change.Kind] = true
		}
		if e.State == Broken {
			has[Error] = true
		}
		if e.Recorded != nil {
			for kind := range e.Recorded.Changed {
				has[kind] = true
			}
		}
	}
	switch {
	case has[Error]:
		return NowError
	case has[Gained]:
		return Gains
	case has[Revoked]:
		return Revokes
	case has[Reason]:
		return Reasons
	}
	return NoChanges
}

// Fingerprint names what is gained and what is now an error. A review of it does not hold
// for a later version that lets in others. It is "" if there is nothing to review.
func (r Report) Fingerprint() string {
	type reviewed struct {
		Endpoint string
		Faults   []string
		Change   Change
	}
	var all []reviewed
	for _, e := range r.Endpoints {
		for _, change := range e.Changes {
			if change.Kind == Gained || change.Kind == Error {
				all = append(all, reviewed{e.Name, e.Faults, change})
			}
		}
		if e.State == Broken {
			all = append(all, reviewed{Endpoint: e.Name, Faults: e.Faults})
		}
	}
	if all == nil {
		return ""
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // plain data
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// reviewLine is what a review looks like, on a line of its own.
var reviewLine = regexp.MustCompile(`(?m)^[ \t]*Access-reviewed:[ \t]*([0-9a-f]{12})[ \t]+(\S.*?)[ \t\r]*$`)

// review is the reason in a text that has the line for this report.
func (r Report) review(text string) string {
	fingerprint := r.Fingerprint()
	for _, match := range reviewLine.FindAllStringSubmatch(text, -1) {
		if match[1] == fingerprint {
			return strings.Map(func(r rune) rune {
				if r < ' ' {
					return ' '
				}
				return r
			}, match[2])
		}
	}
	return ""
}
