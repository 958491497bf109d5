package issuer

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestRotationKeepsTokensValidUntilRevocation(t *testing.T) {
	i, server, _ := start(t)
	before := ids(published(t, server)) // current, next
	old, err := i.Token(TokenRequest{})
	if err != nil {
		t.Fatal(err)
	}

	kid, err := i.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	after := ids(published(t, server)) // current, next, previous
	if len(after) != 3 || kid != before[1] || after[0] != before[1] || after[2] != before[0] || slices.Contains(before, after[1]) {
		t.Fatalf("expected next, a new key and current of %q, got %q and key ID %q", before, after, kid)
	}
	fresh, err := i.Token(TokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if header, _ := verify(t, server, fresh); header["kid"] != kid {
		t.Errorf("expected key ID %q in new tokens, got %q", kid, header["kid"])
	}
	if header, _ := verify(t, server, old); header["kid"] != before[0] {
		t.Errorf("expected key ID %q in the old token, got %q", before[0], header["kid"])
	}

	if _, err := i.Rotate(); err != nil {
		t.Fatal(err)
	}
	if got := ids(published(t, server)); len(got) != 4 || !slices.Equal(got[2:], []string{kid, before[0]}) {
		t.Errorf("expected both previous keys, latest first, got %q", got)
	}
	verify(t, server, old)

	i.RevokePrevious()
	revoked := ids(published(t, server))
	if len(revoked) != 2 || slices.Contains(revoked, before[0]) || slices.Contains(revoked, kid) {
		t.Errorf("expected the current and the next key alone, got %q", revoked)
	}
	i.RevokePrevious()
	if again := ids(published(t, server)); !slices.Equal(again, revoked) {
		t.Errorf("expected a second revocation to change nothing, got %q", again)
	}
}

func TestRotationOverHTTP(t *testing.T) {
	_, server, log := start(t)
	before := ids(published(t, server))
	response, body := do(t, "POST", server.URL+"/rotate", "", "")
	var report rotation
	if err := json.Unmarshal([]byte(body), &report); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("expected 200 and a report, got %s %s, %v", response.Status, body, err)
	}
	want := slices.Concat(report.Current, report.Next, report.Previous)
	if got := ids(published(t, server)); !slices.Equal(got, want) || !slices.Equal(report.Current, before[1:]) {
		t.Errorf("expected the published keys %q, got %s", got, body)
	}
	if response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("expected Cache-Control no-store, got %q", response.Header.Get("Cache-Control"))
	}
	if !strings.Contains(log.String(), "rotated the signing keys") {
		t.Errorf("expected the rotation in the log, got %q", log)
	}
}

// A page of another site can send a POST to this machine, and its host name can be made to
// resolve to it.
func TestAPageGetsNothingBesideWhatAuth0Has(t *testing.T) {
	_, server, _ := start(t, func(o *Options) { o.Algorithms = []string{"EdDSA"} })
	before := ids(published(t, server))
	for name, row := range map[string]struct {
		method, host, origin string
		status               int
	}{
		"of another site":            {"POST", "", "https://evil.example", 403},
		"in a sandbox":               {"POST", "", "null", 403},
		"of the API":                 {"POST", "", "http://127.0.0.1:8080", 403},
		"whose host name is rebound": {"POST", "evil.example:8081", "", 421},
		"with a preflight":           {"OPTIONS", "", "https://evil.example", 403},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/rotate", "/token"} {
				request := httptest.NewRequest(row.method, server.URL+path, strings.NewReader("scope="))
				request.Header.Set("Content-Type", asForm)
				request.Host = cmp.Or(row.host, request.Host)
				if row.origin != "" {
					request.Header.Set("Origin", row.origin)
				}
				recorder := httptest.NewRecorder()
				server.Config.Handler.ServeHTTP(recorder, request)
				if recorder.Code != row.status || recorder.Header().Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("%s: expected %d without leave to read it, got %d %v", path, row.status, recorder.Code, recorder.Header())
				}
			}
		})
	}
	if after := ids(published(t, server)); !slices.Equal(before, after) {
		t.Errorf("expected the same keys, got %q after %q", after, before)
	}
	for _, host := range []string{"localhost:8081", "[::1]:8081", "[::1]", "127.0.0.1"} {
		request := httptest.NewRequest("POST", server.URL+"/rotate", nil)
		request.Host = host
		recorder := httptest.NewRecorder()
		if server.Config.Handler.ServeHTTP(recorder, request); recorder.Code != http.StatusOK {
			t.Errorf("expected a command to rotate the keys at %s, got %d", host, recorder.Code)
		}
	}
}

func TestTheKeySetStaysSmall(t *testing.T) {
	i, server, _ := start(t, func(o *Options) { o.Algorithms = []string{"ES256", "EdDSA"} })
	var minted []string
	for range 200 {
		token, err := i.Token(TokenRequest{})
		if err != nil {
			t.Fatal(err)
		}
		minted = append(minted, token)
		if _, err := i.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	keys := ids(published(t, server))
	if len(keys) != 2*(2+keptRotations) {
		t.Errorf("expected two keys of %d generations, got %d keys", 2+keptRotations, len(keys))
	}
	for n, token := range minted[200-keptRotations-1:] {
		var header struct {
			KeyID string `json:"kid"`
		}
		if err := json.Unmarshal(decoded(t, strings.Split(token, ".")[0]), &header); err != nil {
			t.Fatal(err)
		}
		if published, kept := slices.Contains(keys, header.KeyID), n > 0; published != kept {
			t.Errorf("expected a token of %d rotations ago to have a key: %v, got %v", keptRotations+1-n, kept, published)
		}
	}
}

// A verifier that meets an unknown key ID fetches the keys again. Whatever rotates
// meanwhile, it must find the key then.
func TestEveryTokensKeyIsPublishedAfterItWasMinted(t *testing.T) {
	i, server, _ := start(t)
	var clients, rotations sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		rotations.Go(func() {
			for range 3 {
				if _, err := i.Rotate(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 4 {
		clients.Go(func() {
			for {
				if err := findsItsKey(server.URL); err != nil {
					t.Error(err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	rotations.Wait()
	close(done)
	clients.Wait()
	if got := len(published(t, server)); got != 2+keptRotations {
		t.Errorf("expected 6 keys after 6 rotations, got %d", got)
	}
}

// findsItsKey asks for a token and then for the keys, and errors unless the token's is
// among them.
func findsItsKey(url string) error {
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	response, err := http.Post(url+"/oauth/token", asJSON, strings.NewReader(whole))
	if err := readJSON(response, err, &granted); err != nil {
		return err
	}
	protected, _, _ := strings.Cut(granted.AccessToken, ".")
	var header struct {
		KeyID string `json:"kid"`
	}
	content, err := base64.RawURLEncoding.DecodeString(protected)
	if err := errors.Join(err, json.Unmarshal(content, &header)); err != nil {
		return err
	}
	var set keySet
	response, err = http.Get(url + "/.well-known/jwks.json")
	if err := readJSON(response, err, &set); err != nil {
		return err
	}
	if keys := ids(set.Keys); !slices.Contains(keys, header.KeyID) {
		return fmt.Errorf("expected key ID %q to be published, got %q", header.KeyID, keys)
	}
	return nil
}

func readJSON(response *http.Response, err error, into any) error {
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("expected 200, got %s", response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
