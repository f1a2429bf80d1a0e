package tree

// Oddity is a remark on a path.
type Oddity struct {
	Path, What string
	Count      int // how many of its kind the layer has; set on the first
}

const maxOdd = 16

func (s *Squash) ambiguous(path []byte, what string) {
	st := &s.stats[s.layer.index]
	st.Ambiguous = s.remark(st.Ambiguous, path, what)
}

func (s *Squash) odd(path []byte, what string) {
	st := &s.stats[s.layer.index]
	st.Odd = s.remark(st.Odd, path, what)
}

func (s *Squash) remark(list []Oddity, path []byte, what string) []Oddity {
	s.layer.count[what]++
	switch n := s.layer.count[what]; {
	case n > 1 && n <= maxOdd:
		list = append(list, Oddity{Path: string(path), What: what})
		fallthrough
	case n > 1:
		for i := range list {
			if list[i].What == what {
				list[i].Count = n
				break
			}
		}
	default:
		list = append(list, Oddity{Path: string(path), What: what, Count: 1})
	}
	return list
}
