package main

import (
	"context"
	"errors"
	"fmt"
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

// violations prints how the list and the cluster differ.
func (c *console) violations(snap *orchestrator.Snapshot, list []orchestrator.Violation, waived bool, loadErr error) int {
	counted, hidden := 0, 0
	groups := map[string][]*orchestrator.Violation{} // of one subject, by one grant or path
	var order []string
	for i := range list {
		v := &list[i]
		if v.Waiver == nil {
			counted++
		} else if !waived {
			hidden++
			continue
		}
		key := fmt.Sprintf("%s %s %s %v %p", v.Kind, v.Subject, v.Namespace, v.Grants, v.Path)
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], v)
	}
	for _, key := range order {
		c.violation(groups[key])
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

// violation prints differences that have one cause: a few of them, and it.
func (c *console) violation(group []*orchestrator.Violation) {
	const shown = 4
	for i, v := range group {
		if i == shown && len(group) > shown+1 {
			c.print("and %d more", len(group)-shown)
			break
		}
		c.print("%s", v)
	}
	for _, g := range group[0].Grants {
		c.print("    %s", g)
	}
	if p := group[0].Path; p != nil {
		c.path(p)
	}
}
