package orchestrator

import (
	"maps"
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Graph is what can be reached from what in one snapshot. It does not change
// and is safe for concurrent use.
//
// It is an AND/OR graph: a fact is a position, or that somebody held may do
// something; an edge leads from up to three facts, all of them needed, to
// another. Facts about rights are shared by all identities that have them, so
// that the graph grows with the number of bindings, not with its square.
type Graph struct {
	access  *Access
	snap    *Snapshot
	table   *rightsTable
	opts    PathOptions
	without map[any]bool // bindings and rules to leave out

	facts   []fact
	ids     map[fact]int32
	edges   []edge
	in, out [][]int32 // edges by head, and by tail
	conds   []Condition
	condIDs map[Condition]int32
	sets    [][]int32 // of conditions; 0 is empty
	single  map[int32]int32

	rows     map[string]*Primitive
	holders  map[int32]*holder
	starts   []int32
	places   []*workloadPlace
	placesIn map[string][]*workloadPlace
	nsList   []string
	accounts map[string][]Subject  // by namespace
	asked    map[string]verdictWhy // preconditions by namespace
	used     map[Subject]bool      // service accounts that workloads name
}

type factKind uint8

const (
	atPosition factKind = iota // a: the position
	mayDo                      // number: need, a: namespace, b: name; empty for all
	hub                        // number: which, a: namespace or node
	withRoles                  // a: the position, b: the roles it bound to itself
)

type fact struct {
	kind   factKind
	number int16
	a, b   string
}

// Hubs are positions that only serve to keep the graph small.
const (
	hubTokens   int16 = iota // a token of any service account of a namespace
	hubNames                 // the name of any service account of a namespace
	hubUsers                 // the name of any user
	hubIdentity              // any user, group and account name but system:masters
	hubExec                  // code in any pod of a namespace
	hubKubelets              // code in any pod
	hubNodes                 // a node of choice
	hubNode                  // the identity of a node
	hubRelabel               // the labels of a namespace
	hubSecret                // all keys of a secret, a token's among them
)

type edgeKind uint8

const (
	step     edgeKind = iota // one step of a path
	leads                    // the end of the step before leads on to here
	holds                    // an identity may do something, or is in a group
	narrower                 // a right across the cluster holds in a namespace
)

type edge struct {
	tails [3]int32 // -1: none
	head  int32
	conds int32 // in Graph.sets
	kind  edgeKind
	row   *Primitive // of a step
	why   string     // of a step that comes from no right
}

// A conditional step costs more than any number of certain ones.
const conditional = 1 << 16

func (e *edge) cost() int32 {
	var c int32
	if e.kind == step {
		c = 1
	}
	if e.conds != 0 {
		c += conditional
	}
	return c
}

func (g *Graph) fact(f fact) int32 {
	if id, ok := g.ids[f]; ok {
		return id
	}
	id := int32(len(g.facts))
	g.facts = append(g.facts, f)
	g.ids[f] = id
	g.in = append(g.in, nil)
	g.out = append(g.out, nil)
	return id
}

func (g *Graph) at(p Position) int32 { return g.fact(fact{kind: atPosition, a: string(p)}) }

func (g *Graph) hub(kind int16, name string) int32 {
	return g.fact(fact{kind: hub, number: kind, a: name})
}

// can returns the fact that somebody held satisfies a need, or -1 if nobody can.
func (g *Graph) can(n Need, namespace, name string) int32 {
	i, ok := g.table.needByKey[needKey(n)]
	if !ok {
		return -1
	}
	if id, ok := g.ids[fact{kind: mayDo, number: int16(i), a: namespace, b: name}]; ok {
		return id
	}
	return -1
}

// each calls do for every fact about a need that holds across the cluster, with
// its object name, empty for all.
func (g *Graph) each(n Need, do func(id int32, name string)) { g.eachIn(n, "", do) }

// eachIn calls do for every fact about a need in a namespace.
func (g *Graph) eachIn(n Need, namespace string, do func(id int32, name string)) {
	i, ok := g.table.needByKey[needKey(n)]
	if !ok {
		return
	}
	for _, id := range g.table.facts[needIn{i, namespace}] {
		do(id, g.facts[id].b)
	}
}

// link adds an edge from all of the tails, none of which may be -1, to head.
func (g *Graph) link(kind edgeKind, row, why string, conds []Condition, head int32, tails ...int32) {
	if why != "" && len(g.without) > 0 && g.without[placeStep{g.position(tails[0]), why}] {
		return
	}
	e := edge{tails: [3]int32{-1, -1, -1}, head: head, kind: kind, why: why, conds: g.condSet(conds)}
	if row != "" {
		e.row = g.rows[row]
	}
	n := 0
	for _, t := range tails {
		if t == -1 || t == head {
			return
		}
		if !slices.Contains(e.tails[:n], t) {
			e.tails[n] = t
			n++
		}
	}
	id := int32(len(g.edges))
	g.edges = append(g.edges, e)
	g.in[head] = append(g.in[head], id)
	for _, t := range e.tails[:n] {
		g.out[t] = append(g.out[t], id)
	}
}

// step adds a step, lead what follows from its end without a step of its own.
func (g *Graph) step(row string, conds []Condition, head int32, tails ...int32) {
	g.link(step, row, "", conds, head, tails...)
}

func (g *Graph) lead(conds []Condition, head int32, tails ...int32) {
	g.link(leads, "", "", conds, head, tails...)
}

func (g *Graph) condSet(list []Condition) int32 {
	if len(list) == 0 {
		return 0
	}
	var ids []int32
	for _, c := range list {
		id, ok := g.condIDs[c]
		if !ok {
			id = int32(len(g.conds))
			g.conds = append(g.conds, c)
			g.condIDs[c] = id
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) > 1 {
		g.sets = append(g.sets, ids)
		return int32(len(g.sets) - 1)
	}
	set, ok := g.single[ids[0]] // sets of one are by far the most frequent
	if !ok {
		g.sets = append(g.sets, ids)
		set = int32(len(g.sets) - 1)
		g.single[ids[0]] = set
	}
	return set
}

// NewGraph builds the graph of a snapshot.
func NewGraph(a *Access, opts *PathOptions) *Graph { return newGraph(a, opts, nil) }

func newGraph(a *Access, opts *PathOptions, without map[any]bool) *Graph {
	g := &Graph{
		access: a, snap: a.Snapshot(), table: newRightsTable(), without: without,
		ids: map[fact]int32{}, condIDs: map[Condition]int32{}, sets: [][]int32{nil}, single: map[int32]int32{},
		rows: map[string]*Primitive{}, holders: map[int32]*holder{}, asked: map[string]verdictWhy{},
	}
	if opts != nil {
		g.opts = *opts
	}
	for _, p := range Primitives() {
		g.rows[p.ID] = p
	}
	g.readWorkloads()
	g.readNamespaces()
	g.readHolders()
	g.readJoins()
	g.narrow()
	g.connect()
	return g
}

// readNamespaces lists all namespaces that anything is in.
func (g *Graph) readNamespaces() {
	seen := map[string]bool{}
	add := func(ns string) {
		if ns != "" {
			seen[ns] = true
		}
	}
	for _, it := range g.snap.Namespaces {
		add(it.Name)
	}
	for s := range g.access.Subjects() {
		add(s.Namespace)
	}
	for b := range g.access.Bindings() {
		add(b.Namespace)
	}
	for _, w := range g.places {
		add(w.Namespace)
	}
	for _, it := range g.snap.Secrets {
		add(it.Namespace)
	}
	g.nsList = slices.Sorted(maps.Keys(seen))

	g.accounts = map[string][]Subject{}
	all := maps.Clone(g.used)
	for s := range g.access.Subjects() {
		if s.Kind == rbacv1.ServiceAccountKind {
			all[s] = true
		}
	}
	for s := range all {
		g.accounts[s.Namespace] = append(g.accounts[s.Namespace], s)
	}
	for _, list := range g.accounts {
		slices.SortFunc(list, compareSubjects)
	}
}

// narrow adds that a right across the cluster holds in each namespace.
func (g *Graph) narrow() {
	for i := range g.table.needs {
		if n := &g.table.needs[i]; n.cluster || n.Rights[0].Verbs[0] == "*" {
			continue // who has everything is cluster-admin, from where the rest follows
		}
		for _, id := range g.table.facts[needIn{i, ""}] {
			for _, ns := range g.nsList {
				g.link(narrower, "", "", nil, g.mayDo(i, ns, g.facts[id].b), id)
			}
		}
	}
}

// mayDo returns the fact for a need, made if it is new.
func (g *Graph) mayDo(need int, namespace, name string) int32 {
	f := fact{kind: mayDo, number: int16(need), a: namespace, b: name}
	if id, ok := g.ids[f]; ok {
		return id
	}
	id := g.fact(f)
	g.table.facts[needIn{need, namespace}] = append(g.table.facts[needIn{need, namespace}], id)
	return id
}
