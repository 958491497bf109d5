package main

import (
	"fmt"
	"os/exec"
	"strings"
)

// process is one that runs.
type process struct {
	id, parent int
	kib        float64 // of resident memory
	command    string
}

// processTree is a process and its descendants. ps(1) is the same on Linux and macOS.
func processTree(root int) (tree []process, err error) {
	output, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,rss=,comm=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	children := map[int][]process{}
	for line := range strings.Lines(string(output)) {
		var p process
		if _, err := fmt.Sscan(line, &p.id, &p.parent, &p.kib, &p.command); err != nil {
			return nil, fmt.Errorf("list processes: %w in %q", err, line)
		}
		if p.id == root {
			tree = append(tree, p)
		}
		children[p.parent] = append(children[p.parent], p)
	}
	for i := 0; i < len(tree); i++ {
		tree = append(tree, children[tree[i].id]...)
	}
	return tree, nil
}

// memory is the resident memory of a process and its descendants, in MB (2²⁰ bytes).
func memory(root int) (megabytes float64, err error) {
	tree, err := processTree(root)
	for _, p := range tree {
		megabytes += p.kib / 1024
	}
	return megabytes, err
}
