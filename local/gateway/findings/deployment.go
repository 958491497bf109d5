package findings

import (
	"fmt"
	"maps"
	"slices"

	"account-api/local/gateway/declaration"
	"account-api/local/graph"
)

// published are the types that only a new deployment makes live.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/updating-api.html
var published = []string{
	declaration.TypeMethod, declaration.TypeIntegration, declaration.TypeMethodResponse, declaration.TypeIntegrationResponse,
	declaration.TypeAuthorizer, declaration.TypeGatewayResponse, declaration.TypeRequestValidator, declaration.TypeResource,
}

// deployments finds a snapshot that may be taken before a resource exists, or is never
// taken again. The graph shows whether the deployment waits for a resource. It does not
// show whether the triggers hash it.
func deployments(f *finder) {
	for _, d := range f.graph.OfType(declaration.TypeDeployment) {
		if triggers, _ := d.Inputs["triggers"].(map[string]any); len(triggers) == 0 {
			f.add(d.Type, d.Name, `set Triggers to a hash of the methods, integrations, authorizer and gateway responses`,
				"a change is not live after an update, since nothing replaces the deployment")
		}
		if stage, _ := d.Inputs["stageName"].(string); stage != "" {
			f.add(d.Type, d.Name, "declare an apigateway.Stage, and remove StageName",
				`a changed deployment cannot be replaced: "Active stages pointing to this deployment must be moved or deleted"`)
		}
		awaited := awaitedBy(d, f.graph)
		for _, token := range published {
			for _, r := range f.graph.OfType(token) {
				if !awaited[r.URN] {
					f.add(d.Type, d.Name, fmt.Sprintf("add %s to Triggers, or to pulumi.DependsOn", r.Name),
						"it does not depend on %s (%s), so it may be taken before that exists and never contain it", r.Name, r.Type)
				}
			}
		}
	}
}

// awaitedBy returns the URNs that a resource waits for, itself or through others.
func awaitedBy(r graph.Resource, g *graph.Graph) map[string]bool {
	byURN := map[string]graph.Resource{}
	for _, other := range g.Resources {
		byURN[other.URN] = other
	}
	awaited := map[string]bool{}
	for pending := dependencies(r); len(pending) > 0; {
		next := pending[0]
		pending = pending[1:]
		if !awaited[next] {
			awaited[next] = true
			pending = append(pending, dependencies(byURN[next])...)
		}
	}
	return awaited
}

func dependencies(r graph.Resource) []string {
	return slices.Concat(append(slices.Collect(maps.Values(r.PropertyDependencies)), r.Dependencies)...)
}
