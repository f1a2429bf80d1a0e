// Package orchestratortest makes clusters up, of any size, together with what is
// true of them: who becomes cluster administrator and how, and who only seems
// to. It is for tests and benchmarks of package orchestrator and of programs
// that use it.
//
//	w := orchestratortest.New(1, orchestratortest.Size{ServiceAccounts: 2000, Roles: 1200, Bindings: 2300, Workloads: 1000})
//	snap, err := w.Snapshot()
//	for _, c := range w.Chains {
//		fmt.Println(c.Start, c.Steps) // becomes cluster administrator
//	}
package orchestratortest
