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
	fs := newFlagSet("allowlist")
	s.flags(fs)
	if verb == "check" {
		fs.StringVar(&list, "list", "", "")
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
	access := orchestrator.NewAccess(snap)
	if verb == "init" {
		if err := orchestrator.Generate(access).Write(c.out); err != nil {
			return c.fail(err)
		}
		return answered(c, lerr, access.Missing(""), 1)
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
	now, err := c.now()
	if err != nil {
		return c.usage(err)
	}
	violations, err := allowed.Check(ctx, access, &orchestrator.AllowOptions{Now: now, Graph: orchestrator.NewGraph(access, nil)})
	if err != nil {
		return c.fail(err)
	}
	counted := 0
	for i := range violations {
		v := &violations[i]
		c.print("%s", v)
		for _, g := range v.Grants {
			c.print("    %s", g)
		}
		if v.Path != nil {
			c.path(v.Path)
		}
		if v.Waiver == nil {
			counted++
		}
	}
	switch {
	case lerr != nil:
		return c.fail(lerr)
	case counted > 0:
		return exitFindings
	}
	return exitOK
}
