package secretstest

import "slices"

// recipe says how to make the credentials of a family.
type recipe struct {
	family string
	shape  string
	// sum completes what the shape yields; the shape may be empty.
	sum  func(m *maker, s string) string
	hard bool // the issuer's tokens are known to satisfy the sum
	// name is what the value is assigned to; empty: any name will do.
	name string
	// around is the text that a token needs round it: $1 stands for the token,
	// $2 for its other half. Empty: it may stand anywhere.
	around string
	other  string // shape of the other half
	path   string // of the file it belongs in; empty: any
	public bool   // an identifier, which is never a finding
	free   bool   // any text could be one: there are no near misses
	block  bool   // around is several lines that cannot be put into one
}

// recipes returns all of them.
func recipes() []recipe {
	return slices.Concat(
		cloudRecipes(), azureRecipes(), hostingRecipes(), packageRecipes(), chatRecipes(), aiRecipes(),
		paymentRecipes(), mailRecipes(), monitoringRecipes(), infrastructureRecipes(), keyRecipes(), fileRecipes(), contextRecipes(),
	)
}
