package secrets

// handlerNeedles are what the handlers written by hand hang on.
func handlerNeedles() []needle { return nil }

func placeholder(secret []byte) bool { return false }
