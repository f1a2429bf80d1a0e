//go:build !linux

package kubetest

import "syscall"

func childOfTest() *syscall.SysProcAttr { return nil }
