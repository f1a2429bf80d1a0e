package kubetest

import "syscall"

// childOfTest ends a server with the test program, however that ends.
func childOfTest() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
