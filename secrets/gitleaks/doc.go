// Package gitleaks reads rules in the TOML format of Gitleaks, version 8, so that
// those of a team go on working:
//
//	imported, err := gitleaks.Read(file, nil)
//	set, err := secrets.Compile(append(secrets.Families(), imported.Rules...))
//	for _, r := range imported.Refused { … }         // what cannot be done here, and why
//
// Expressions are RE2, as Go has it and Gitleaks uses. There are three
// differences, all for the sake of bounded work: an expression is tried within some
// kilobytes of one of the rule's keywords, not on the whole file; a rule without keywords gets
// the literal that its expression begins with, or is refused; and what a rule
// ignores by commit is not known to a scan of files, so that such a condition
// is refused, and the finding stays.
package gitleaks
