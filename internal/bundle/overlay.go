package bundle

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"account-api/internal/ruleset"
)

// hideForeignPolicies writes an overlay for the go command, in which the policies directory
// has only the files that the handler carries. go:embed takes everything else too, so an
// edit of a test or of another handler's rule would change this package.
//
// A handler without a policy directory embeds nothing. Its overlay is empty.
func hideForeignPolicies(overlay, root, handler string) error {
	directory := os.DirFS(filepath.Join(root, policies))
	hidden := map[string]string{} // by path from the root; "" is a file that is not there
	_, err := fs.Stat(directory, handler)
	if err == nil {
		carried := ruleset.Of(directory, handler)
		err = fs.WalkDir(directory, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.Contains(name, "/") || path.Ext(name) == ".go" {
				return err
			}
			if _, err := fs.Stat(carried, name); err != nil {
				hidden[filepath.Join(policies, filepath.FromSlash(name))] = ""
			}
			return nil
		})
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	content, err := json.Marshal(map[string]any{"Replace": hidden})
	if err != nil {
		return err
	}
	return os.WriteFile(overlay, content, 0o600)
}
