//go:build !linux

package function

import (
	"errors"
	"time"
)

// Used is the processor time that a process has used so far. Only Linux tells.
func Used(int) time.Duration { return 0 }

// DropCache makes the kernel forget the pages of a file. Only Linux does.
func DropCache(string) error { return errors.ErrUnsupported }
