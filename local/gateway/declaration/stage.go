package declaration

import "strings"

// Stage is a live deployment of the API.
type Stage struct {
	Name         string
	DeploymentID string
	Variables    map[string]string // nil when none is declared
	Limits       []Limit
}

// Limit returns the most specific limit for a method; nil when there is none. It counts
// alone: what it leaves out is not taken from a more general one.
func (s *Stage) Limit(m *Method) *Limit {
	var found *Limit
	for i := range s.Limits {
		if l := &s.Limits[i]; l.Method == m || l.Method == nil && found == nil {
			found = l
		}
	}
	return found
}

func readStages(d *document, api string, all methods) map[string]*Stage {
	deployments := map[string]bool{}
	stages := map[string]*Stage{}
	read := func(r declared, deployment string) {
		s := &Stage{Name: r.text("stageName", ""), DeploymentID: deployment}
		if names, variables := members[string](r, "variables"); len(names) > 0 {
			s.Variables = variables
		}
		if s.Name == "" || strings.Trim(s.Name, letters+digits+"-_") != "" {
			r.refuse("stageName", "expected letters, digits, hyphens and underscores, got %q", s.Name)
		}
		if !deployments[s.DeploymentID] {
			r.refuse("deployment", "names no deployment of the stack: use the ID of an apigateway.Deployment")
		}
		if stages[s.Name] != nil {
			r.refuse("stageName", "%q is declared twice: keep one", s.Name)
		}
		stages[s.Name] = s
	}
	// A deployment with a stage name makes its own stage.
	// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateDeployment.html
	d.each(TypeDeployment, func(r declared) {
		deployments[r.ID] = true
		if r.text("stageName", "") != "" {
			read(r, r.ID)
		}
	})
	d.each(TypeStage, func(r declared) { read(r, r.text("deployment", "")) })
	if len(stages) == 0 {
		d.add(TypeRestAPI, api, "", "the API has no stage, so nothing is live: declare an apigateway.Stage")
	}
	d.each(TypeMethodSettings, func(r declared) {
		if s := stages[r.text("stageName", "")]; s != nil {
			s.Limits = append(s.Limits, readLimit(r, all))
		} else {
			r.refuse("stageName", "names no stage of the API: use the StageName of an apigateway.Stage")
		}
	})
	return stages
}
