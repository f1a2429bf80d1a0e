package boltseal

import (
	"math"
	"time"
)

// Limits bound what one input may cost. The zero value of a field means its
// default, [Unlimited] none at all. A limit that is hit is an [ErrLimit] with
// its place; what was read before is kept, and the rest goes on where it can.
type Limits struct {
	ManifestBytes  int64         // manifest, index or config document; default 4 MiB
	Layers         int           // layers of an image; default 512
	LayerEntries   int           // tar entries of one layer; default 5,000,000
	ImageEntries   int           // tar entries of one image; default 10,000,000
	PathBytes      int           // length of a path; default 4096
	NameBytes      int           // length of one path component; default 255
	LinkHops       int           // symbolic links followed for one path; default 255
	FileBytes      int64         // whole content held in memory; default 64 MiB
	LayerBytes     int64         // one layer, inflated; default 64 GiB
	ZstdRatio      int64         // inflated:compressed past 64 MiB of zstd; default 10,000
	ZstdWindow     int64         // zstd window; default 128 MiB
	ArchiveDepth   int           // nesting of archives in archives; default 4
	ArchiveBytes   int64         // inflated bytes of one file's nested archives, in sum; default 1 GiB
	ArchiveEntries int           // entries of one file's nested archives, in sum; default 200,000
	FileResults    int           // packages, findings and facts from one file, in sum; default 1,000,000
	LayerResults   int           // the same of one layer; default 2,000,000
	ImageResults   int           // the same of one image; default 4,000,000
	LayerFactBytes int64         // data of the facts of one layer; default 128 MiB
	ImageFactBytes int64         // data of the facts of one image; default 512 MiB
	ImageNameBytes int64         // paths and link targets of one image's entries; default 1 GiB
	FileTime       time.Duration // one analyzer on one file; default 30 s
	JoinTime       time.Duration // one analyzer's Join of one image; default 60 s
}

// Unlimited switches one limit off.
const Unlimited = -1

// WithDefaults returns a copy in which every zero field has its default. It
// may be called on nil.
func (l *Limits) WithDefaults() Limits {
	var out Limits
	if l != nil {
		out = *l
	}
	def(&out.ManifestBytes, 4<<20)
	def(&out.Layers, 512)
	def(&out.LayerEntries, 5_000_000)
	def(&out.ImageEntries, 10_000_000)
	def(&out.PathBytes, 4096)
	def(&out.NameBytes, 255)
	def(&out.LinkHops, 255)
	def(&out.FileBytes, 64<<20)
	def(&out.LayerBytes, 64<<30)
	def(&out.ZstdRatio, 10_000)
	def(&out.ZstdWindow, 128<<20)
	def(&out.ArchiveDepth, 4)
	def(&out.ArchiveBytes, 1<<30)
	def(&out.ArchiveEntries, 200_000)
	def(&out.FileResults, 1_000_000)
	def(&out.LayerResults, 2_000_000)
	def(&out.ImageResults, 4_000_000)
	def(&out.LayerFactBytes, 128<<20)
	def(&out.ImageFactBytes, 512<<20)
	def(&out.ImageNameBytes, 1<<30)
	def(&out.FileTime, 30*time.Second)
	def(&out.JoinTime, 60*time.Second)
	return out
}

func def[T int | int64 | time.Duration](field *T, value T) {
	switch {
	case *field == 0:
		*field = value
	case *field < 0: // Unlimited: the largest value, so that "n > limit" never holds
		switch f := any(field).(type) {
		case *int:
			*f = math.MaxInt
		case *int64:
			*f = math.MaxInt64
		case *time.Duration:
			*f = math.MaxInt64
		}
	}
}
