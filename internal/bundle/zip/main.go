// Command zip packs one executable, read from standard input, as a Lambda deployment
// package for a custom runtime, written to standard output: a zip with the single
// entry bootstrap.
//
// It is one file that uses the standard library only, because package bundle compiles and
// runs its source under a pinned toolchain. So the compressed bytes depend on that toolchain
// only.
package main

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := pack(os.Stdout, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "pack the executable:", err)
		os.Exit(1)
	}
}

// pack writes a zip with what r has to w.
func pack(w io.Writer, r io.Reader) error {
	header := &zip.FileHeader{
		// The name that Lambda's OS-only runtimes execute:
		// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
		Name:   "bootstrap",
		Method: zip.Deflate,
		// A constant, and the first moment that a zip's MS-DOS time can hold.
		Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC),
	}
	// Readable and executable for everyone, because Lambda runs functions as another
	// user. SetMode also records Unix as the creator, without which unzipping ignores
	// the mode (APPNOTE 4.4.2: https://pkware.com/webdocs/casestudies/APPNOTE.TXT).
	header.SetMode(0o755)
	archive := zip.NewWriter(w)
	entry, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, r); err != nil {
		return err
	}
	return archive.Close()
}
