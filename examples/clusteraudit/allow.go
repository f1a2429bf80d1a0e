package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/orchestrator"
)

// runAllowList makes a list of who may do what, or compares one with the
// cluster: status 1 where they differ.
func runAllowList(ctx context.Context, args []string, c *cli.Console) int {
	if len(args) == 0 || args[0] != "init" && args[0] != "check" {
		return c.Usage(errors.New("say which: allowlist init or allowlist check"), usage)
	}
	verb := args[0]
	var s source
	var list string
	var waived bool
	fs := cli.NewFlagSet("allowlist")
	s.flags(fs)
	if verb == "check" {
		fs.StringVar(&list, "list", "", "")
		fs.BoolVar(&waived, "waived", false, "")
	}
	rest, err := cli.Parse(fs, args[1:])
	if err == nil && verb == "check" && list == "" {
		err = errors.New("name the list: allowlist check -list FILE PATH")
	}
	if err == nil {
		err = s.take(rest)
	}
	if err != nil {
		return c.Usage(err, usage)
	}
	c.Quiet = s.quiet
	snap, lerr := s.load(ctx, c)
	if snap == nil {
		return c.Fail(lerr)
	}
	now, _, err := c.Now()
	if err != nil {
		return c.Usage(err, usage)
	}
	access := orchestrator.NewAccess(snap)
	graph := orchestrator.NewGraph(access, nil)
	if verb == "init" {
		l, err := orchestrator.Generate(ctx, access, &orchestrator.GenerateOptions{Graph: graph, Now: now})
		if err == nil {
			err = l.Write(c.Out)
		}
		if err != nil {
			return c.Fail(err)
		}
		if n := len(l.Waive); n > 0 {
			remark(c, "rights that are not granted and can be reached all the same: %d; the list waives them until %s; see clusteraudit paths", n, l.Waive[0].Expires)
		}
		return answered(c, lerr, unseen(snap), 1)
	}
	f, err := os.Open(list)
	if err != nil {
		return c.Fail(err)
	}
	defer f.Close()
	allowed, err := orchestrator.ReadAllowList(f)
	if err != nil {
		return c.Fail(err)
	}
	violations, err := allowed.Check(ctx, access, &orchestrator.AllowOptions{Now: now, Graph: graph})
	if err != nil {
		return c.Fail(err)
	}
	return sayViolations(c, snap, violations, waived, lerr)
}

// violations prints how the list and the cluster differ.
func sayViolations(c *cli.Console, snap *orchestrator.Snapshot, list []orchestrator.Violation, waived bool, loadErr error) int {
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
		sayViolation(c, groups[key])
	}
	if hidden > 0 {
		remark(c, "differences that the list waives: %d; -waived shows them", hidden)
	}
	switch {
	case loadErr != nil:
		return c.Fail(loadErr)
	case counted > 0:
		return cli.ExitFindings
	}
	if missing := unseen(snap); missing != "" {
		remark(c, "not all was seen: %s", missing)
		if snap.Live() {
			return cli.ExitIncomplete
		}
	}
	return cli.ExitOK
}

// violation prints differences that have one cause: a few of them, and it.
func sayViolation(c *cli.Console, group []*orchestrator.Violation) {
	const shown = 4
	for i, v := range group {
		if i == shown && len(group) > shown+1 {
			say(c, "and %d more", len(group)-shown)
			break
		}
		say(c, "%s", v)
	}
	for _, g := range group[0].Grants {
		say(c, "    %s", g)
	}
	if p := group[0].Path; p != nil {
		sayPath(c, p)
	}
}
