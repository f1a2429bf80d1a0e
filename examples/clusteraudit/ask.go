package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/boltseal/boltseal/examples/internal/cli"
	"github.com/boltseal/boltseal/orchestrator"
)

// request reads VERB RESOURCE[.GROUP][/SUBRESOURCE] [NAME] or VERB /PATH.
func request(words []string, namespace string) (q orchestrator.Request, rest []string, err error) {
	if len(words) < 2 {
		return q, nil, errors.New("say what: who-can VERB RESOURCE[.GROUP][/SUBRESOURCE], as in who-can get secrets")
	}
	q.Verb, q.Namespace = words[0], namespace
	if strings.HasPrefix(words[1], "/") {
		return orchestrator.Request{Verb: q.Verb, Path: words[1]}, words[2:], nil
	}
	name, sub, _ := strings.Cut(words[1], "/")
	q.Resource, q.Group, _ = strings.Cut(name, ".")
	q.Subresource = sub
	return q, words[2:], nil
}

// runWhoCan answers who may send a request: status 1 if nobody seen may.
func runWhoCan(ctx context.Context, args []string, c *cli.Console) int {
	var s source
	var namespace, name string
	fs := cli.NewFlagSet("who-can")
	s.flags(fs)
	fs.StringVar(&namespace, "n", "", "")
	fs.StringVar(&name, "name", "", "")
	words, err := cli.Parse(fs, args)
	if err != nil {
		return c.Usage(err, usage)
	}
	q, rest, err := request(words, namespace)
	if err == nil {
		err = s.take(rest)
	}
	if err != nil {
		return c.Usage(err, usage)
	}
	q.Name, c.Quiet = name, s.quiet
	snap, err := s.load(ctx, c)
	if snap == nil {
		return c.Fail(err)
	}
	access := orchestrator.NewAccess(snap)
	found := 0
	for g := range access.WhoCan(q) {
		found++
		say(c, "%s", g.Subject)
		say(c, "    %s", g)
	}
	remark(c, "the group system:masters may do everything, and other authorizers than RBAC are not visible")
	return answered(c, err, access.Missing(q.Namespace), found)
}

// answered is the status of a question: 3 if something was not seen that may
// change the answer, 1 if the answer is empty.
func answered(c *cli.Console, err error, missing string, found int) int {
	switch {
	case err != nil:
		return c.Fail(err)
	case missing != "":
		remark(c, "not all was seen: %s", missing)
		if found == 0 {
			return cli.ExitIncomplete
		}
	case found == 0:
		return cli.ExitFindings
	}
	return cli.ExitOK
}

// unseen says which kinds that rights and paths depend on were not seen in the
// whole cluster, or returns "".
func unseen(snap *orchestrator.Snapshot) string {
	var kinds []schema.GroupResource
	for _, name := range []string{"clusterroles", "clusterrolebindings", "roles", "rolebindings"} {
		kinds = append(kinds, orchestrator.Resource("rbac.authorization.k8s.io", name))
	}
	for _, name := range []string{"serviceaccounts", "pods", "nodes", "namespaces"} {
		kinds = append(kinds, orchestrator.Resource("", name))
	}
	if missing := snap.Missing("", kinds...); snap.Live() || missing == "" {
		return missing
	}
	return "manifests show only what they hold; -complete says that there is no more"
}

// runWhatCan lists what somebody may do.
func runWhatCan(ctx context.Context, args []string, c *cli.Console) int {
	var s source
	fs := cli.NewFlagSet("what-can")
	s.flags(fs)
	words, err := cli.Parse(fs, args)
	if err == nil && len(words) == 0 {
		err = errors.New("say who: what-can ServiceAccount:NS/NAME, NS/NAME, User:NAME, Group:NAME or anonymous")
	}
	var who orchestrator.Subject
	if err == nil {
		if who, err = subject(words[0]); err == nil {
			err = s.take(words[1:])
		}
	}
	if err != nil {
		return c.Usage(err, usage)
	}
	c.Quiet = s.quiet
	snap, err := s.load(ctx, c)
	if snap == nil {
		return c.Fail(err)
	}
	access := orchestrator.NewAccess(snap)
	found := 0
	for g := range access.WhatCan(who) {
		found++
		where := "everywhere"
		if ns := g.Namespace(); ns != "" {
			where = "in " + ns
		}
		say(c, "%s", where)
		say(c, "    %s", g)
	}
	title := "What follows beside that, without becoming anybody else (for that, see clusteraudit paths):"
	for e := range orchestrator.NewGraph(access, nil).Effects(who.Position()) {
		if title != "" {
			say(c, "")
			say(c, "%s", title)
			title = ""
		}
		where := ""
		if e.Namespace != "" {
			where = "in " + e.Namespace + ": "
		}
		say(c, "  %s", where+e.String())
		for _, r := range e.Remove {
			say(c, "    to end it: %s", r)
		}
	}
	return answered(c, err, unseen(snap), found)
}

func subject(s string) (orchestrator.Subject, error) {
	p, err := orchestrator.ParsePosition(s)
	if err != nil {
		return orchestrator.Subject{}, err
	}
	kind, name, _ := strings.Cut(string(p), ":")
	switch kind {
	case "ServiceAccount":
		ns, name, _ := strings.Cut(name, "/")
		return orchestrator.ServiceAccount(ns, name), nil
	case "User":
		return orchestrator.User(name), nil
	case "Group":
		return orchestrator.Group(name), nil
	}
	return orchestrator.Subject{}, fmt.Errorf("%s is nobody who sends requests", s)
}

// runPaths prints the ways from one position to another, or all that lead to
// it: status 1 if there are none.
func runPaths(ctx context.Context, args []string, c *cli.Console) int {
	var s source
	var from string
	to, limit, cuts := string(orchestrator.ClusterAdmin), 20, false
	fs := cli.NewFlagSet("paths")
	s.flags(fs)
	fs.StringVar(&from, "from", "", "")
	fs.StringVar(&to, "to", to, "")
	fs.IntVar(&limit, "limit", limit, "")
	fs.BoolVar(&cuts, "cut", false, "")
	rest, err := cli.Parse(fs, args)
	if err == nil {
		err = s.take(rest)
	}
	var start, target orchestrator.Position
	if err == nil && from != "" {
		start, err = orchestrator.ParsePosition(from)
	}
	if err == nil {
		target, err = orchestrator.ParsePosition(to)
	}
	if err != nil {
		return c.Usage(err, usage)
	}
	c.Quiet = s.quiet
	snap, err := s.load(ctx, c)
	if snap == nil {
		return c.Fail(err)
	}
	access := orchestrator.NewAccess(snap)
	graph := orchestrator.NewGraph(access, nil)
	found := 0
	show := func(p *orchestrator.Path) bool {
		if found++; found > limit {
			return false
		}
		sayPath(c, p)
		return true
	}
	if start == "" {
		for p := range graph.Attackers(ctx, target) {
			if !p.From.System() && !show(&p) {
				break
			}
		}
	} else {
		for p, perr := range graph.Paths(ctx, start, target) {
			if perr != nil {
				err = errors.Join(err, perr)
				break
			}
			if !show(&p) {
				break
			}
		}
	}
	if found > limit {
		remark(c, "more than %d paths; -limit shows more", limit)
	}
	if cuts && found > 0 {
		cut, cerr := graph.MinimalCut(ctx, target, nil)
		if cerr != nil {
			return c.Fail(cerr)
		}
		say(c, "")
		title := "The least to remove that ends them all:"
		if !cut.Smallest {
			title = "To end them all (there may be less to remove):"
		}
		say(c, "%s", title)
		for _, r := range cut.Removals {
			say(c, "  - %s", r.Text)
		}
		for _, p := range cut.Rest {
			say(c, "  nothing to remove stops %s", p)
		}
	}
	return answered(c, err, unseen(snap), found)
}

// path prints a path with what would end each step.
func sayPath(c *cli.Console, p *orchestrator.Path) {
	kind := "confirmed"
	if !p.Confirmed() {
		kind = "conditional"
	}
	say(c, "%s -> %s (%s)", p.From, p.To, kind)
	for i := range p.Steps {
		say(c, "  %d. %s", i+1, p.Steps[i].String())
		for _, r := range p.Steps[i].Remove {
			say(c, "     to end it: %s", r)
		}
	}
}
