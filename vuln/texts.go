package vuln

func (b *builder) encodeTexts() []byte { return nil }
