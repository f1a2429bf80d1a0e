package orchestrator

// Count returns how many objects the snapshot holds.
func (s *Snapshot) Count() int {
	n := len(s.Others)
	for _, k := range kinds() {
		if list, ok := k.list(s).(interface{ visit(func(*Meta, any)) }); ok {
			list.visit(func(*Meta, any) { n++ })
		}
	}
	return n
}
