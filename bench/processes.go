package main

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// processTree is a process and its descendants, and their resident memory. ps(1) is the same on Linux and macOS.
func processTree(root int) (ids []int, megabytes float64, err error) {
	output, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,rss=").Output()
	if err != nil {
		return nil, 0, fmt.Errorf("list processes: %w", err)
	}
	children, memory := map[int][]int{}, map[int]float64{}
	for line := range strings.Lines(string(output)) {
		var id, parent int
		var kib float64
		if _, err := fmt.Sscan(line, &id, &parent, &kib); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, 0, fmt.Errorf("list processes: %w in %q", err, line)
		}
		children[parent], memory[id] = append(children[parent], id), kib/1024
	}
	ids = []int{root}
	for i := 0; i < len(ids); i++ {
		megabytes += memory[ids[i]]
		ids = append(ids, children[ids[i]]...)
	}
	return ids, megabytes, nil
}
