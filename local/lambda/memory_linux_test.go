package lambda

import "testing"

func TestAProcessThatOutgrowsItsMemoryEnds(t *testing.T) {
	for name, event := range map[string]string{
		"and answers":              `{"do":"grow","count":200}`,
		"and does not answer soon": `{"do":"grow","count":200,"text":"hang"}`,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, declared(function, nil), Options{})
			before := who(t, invoke(t, p, `{"do":"who"}`))
			r := invoke(t, p, event)
			kind, message := document(t, r)
			if want := "RequestId: " + r.RequestID + " Error: Runtime exited with error: signal: killed"; kind != "Runtime.ExitError" || message != want {
				t.Errorf("got %s: %s", kind, message)
			}
			if r.MemoryMB <= 128 {
				t.Errorf("got %d MB, expected more than 128", r.MemoryMB)
			}
			if !gone(before.PID) {
				t.Error("expected the process to be gone")
			}
			if next := invoke(t, p, `{"do":"who"}`); !next.ColdStart || next.MemoryMB == 0 || next.MemoryMB > 128 {
				t.Errorf("expected a cold start within 128 MB, got %+v", next)
			}
			if stats := p.Stats(); stats.Crashes != 1 {
				t.Errorf("got %+v, expected a crash", stats)
			}
		})
	}
	t.Run("unless it declares more", func(t *testing.T) {
		p := newPool(t, declared(function, func(fn *Function) { fn.MemoryMB = 512 }), Options{})
		if r := invoke(t, p, `{"do":"grow","count":200}`); r.FunctionError != "" {
			t.Errorf("got %s", r.Payload)
		}
	})
}
