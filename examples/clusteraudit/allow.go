package main

import (
	"context"
	"errors"
	"os"

	"github.com/boltseal/boltseal/orchestrator"
)

// runAllowList makes a list of who may do what, or compares one with the
// cluster: status 1 where they differ.
func runAllowList(ctx context.Context, args []string, c *console) int {
	if len(args) == 0 || args[0] != "init" && args[0] != "check" {
		return c.usage(errors.New("say which: allowlist init or allowlist check"))
	}
	verb := args[0]
	var s source
	var list string
	var waived bool
	fs := newFlagSet("allowlist")
	s.flags(fs)
	if verb == "check" {
		fs.StringVar(&list, "list", "", "")
		fs.BoolVar(&waived, "waived", false, "")
	}
	rest, err := parse(fs, args[1:])
	if err == nil && verb == "check" && list == "" {
		err = errors.New("name the list: allowlist check -list FILE PATH")
	}
	if err == nil {
		err = s.take(rest)
	}
	if err != nil {
		return c.usage(err)
	}
	c.quiet = s.quiet
	snap, lerr := s.load(ctx, c)
	if snap == nil {
		return c.fail(lerr)
	}
	now, err := c.now()
	if err != nil {
		return c.usage(err)
	}
	access := orchestrator.NewAccess(snap)
	graph := orchestrator.NewGraph(access, nil)
	if verb == "init" {
		l, err := orchestrator.Generate(ctx, access, &orchestrator.GenerateOptions{Graph: graph, Now: now})
		if err == nil {
			err = l.Write(c.out)
		}
		if err != nil {
			return c.fail(err)
		}
		if n := len(l.Waive); n > 0 {
			c.remark("rights that are not granted and can be reached all the same: %d; the list waives them until %s; see clusteraudit paths", n, l.Waive[0].Expires)
		}
		return answered(c, lerr, unseen(snap), 1)
	}
	f, err := os.Open(list)
	if err != nil {
		return c.fail(err)
	}
	defer f.Close()
	allowed, err := orchestrator.ReadAllowList(f)
	if err != nil {
		return c.fail(err)
	}
	violations, err := allowed.Check(ctx, access, &orchestrator.AllowOptions{Now: now, Graph: graph})
	if err != nil {
		return c.fail(err)
	}
	return c.violations(snap, violations, waived, lerr)
}

// violations prints how the list and the cluster differ: a path once, before
// the rights that it reaches.
func (c *console) violations(snap *orchestrator.Snapshot, list []orchestrator.Violation, waived bool, loadErr error) int {
	counted, hidden := 0, 0
	var last *orchestrator.Path
	for i := range list {
		v := &list[i]
		if v.Waiver == nil {
			counted++
		} else if !waived {
			hidden++
			continue
		}
		c.print("%s", v)
		for _, g := range v.Grants {
			c.print("    %s", g)
		}
		if v.Path != nil && v.Path != last {
			c.path(v.Path)
			last = v.Path
		}
	}
	if hidden > 0 {
		c.remark("differences that the list waives: %d; -waived shows them", hidden)
	}
	switch {
	case loadErr != nil:
		return c.fail(loadErr)
	case counted > 0:
		return exitFindings
	}
	if missing := unseen(snap); missing != "" {
		c.remark("not all was seen: %s", missing)
		if snap.Live() {
			return exitIncomplete
		}
	}
	return exitOK
}
