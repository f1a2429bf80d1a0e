package sbom

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// executableMin is below what the toolchains of Go and Rust link.
const executableMin = 64 << 10

// wantsExecutable says by a file's name, size and mode whether it may be a
// program or a library.
func wantsExecutable(name string, d fs.DirEntry) bool {
	ext := path.Ext(name)
	switch ext {
	case ".exe", ".dll", ".so", ".dylib", "":
	case ".py", ".js", ".sh", ".pl", ".rb", ".txt", ".md", ".json", ".h", ".c", ".go", ".html", ".gz", ".jar", ".pyc", ".png", ".a", ".o":
		return false
	default:
		info, err := d.Info()
		return err == nil && info.Size() >= executableMin && (info.Mode()&0o111 != 0 || strings.Contains(path.Base(name), ".so."))
	}
	info, err := d.Info()
	return err == nil && info.Size() >= executableMin
}

// segment is a part of a file and the address it is mapped at.
type segment struct {
	off, size int64
	addr      uint64
}

// executable is what the first 4 KiB of a program say of its layout.
type executable struct {
	// mapped are all parts of the file that are loaded; writable those of them
	// that may hold the linker's build information, in the order of the file.
	mapped, writable []segment
	// audit is where the section with cargo-auditable's list is, or the parts
	// of an ELF file that may hold it: its table of sections lies at its end,
	// which a stream reaches last.
	audit []segment
	upx   bool // bears the mark of the UPX packer
}

// auditSection is the section's name in all three formats.
const auditSection = ".dep-v0"

// wholeFile stands for it where the headers do not tell more.
const wholeFile = 1 << 62

// parseExecutable recognises ELF, PE and Mach-O. Where the tables lie beyond
// head, the whole file counts as writable.
func parseExecutable(head []byte) (executable, bool) {
	var exe executable
	var ok bool
	switch {
	case len(head) < 64:
		return exe, false
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		ok = exe.elf(head)
	case bytes.HasPrefix(head, []byte("MZ")):
		ok = exe.pe(head)
	case isMachO(head):
		ok = exe.macho(head)
	case bytes.HasPrefix(head, []byte("\xca\xfe\xba\xbe")) && binary.BigEndian.Uint32(head[4:]) < 40:
		// Universal; in a Java class the same place says 45 or more.
	default:
		return exe, false
	}
	exe.upx = bytes.Contains(head, []byte("UPX!"))
	if !ok {
		exe.writable = []segment{{size: wholeFile}}
		exe.audit = exe.writable
		return exe, true
	}
	exe.writable, exe.audit = inOrder(exe.writable), inOrder(exe.audit)
	return exe, true
}

// inOrder drops what no file can hold, and sorts the rest by offset.
func inOrder(list []segment) []segment {
	list = slices.DeleteFunc(list, func(s segment) bool { return s.off < 0 || s.size <= 0 || s.size > wholeFile })
	slices.SortFunc(list, func(a, b segment) int { return cmp.Compare(a.off, b.off) })
	return list
}

// elf reads the program headers (System V ABI, "Program Header").
func (e *executable) elf(head []byte) bool {
	var bo binary.ByteOrder = binary.LittleEndian
	if head[5] == 2 {
		bo = binary.BigEndian
	}
	is64 := head[4] == 2
	var phoff uint64
	var entSize, num, least int
	if is64 {
		phoff, entSize, num, least = bo.Uint64(head[32:]), int(bo.Uint16(head[54:])), int(bo.Uint16(head[56:])), 56
	} else {
		phoff, entSize, num, least = uint64(bo.Uint32(head[28:])), int(bo.Uint16(head[42:])), int(bo.Uint16(head[44:])), 32
	}
	if entSize < least || num == 0 || phoff > uint64(len(head)) || uint64(entSize)*uint64(num) > uint64(len(head))-phoff {
		return false
	}
	const ptLoad, flagExec, flagWrite = 1, 1, 2
	var code []segment
	for i := range num {
		h := head[int(phoff)+i*entSize:]
		if bo.Uint32(h) != ptLoad {
			continue
		}
		var s segment
		var flags uint32
		if is64 {
			flags = bo.Uint32(h[4:])
			s = segment{off: int64(bo.Uint64(h[8:])), addr: bo.Uint64(h[16:]), size: int64(bo.Uint64(h[32:]))}
		} else {
			flags = bo.Uint32(h[24:])
			s = segment{off: int64(bo.Uint32(h[4:])), addr: uint64(bo.Uint32(h[8:])), size: int64(bo.Uint32(h[16:]))}
		}
		e.mapped = append(e.mapped, s)
		switch {
		case flags&flagWrite != 0:
			e.writable = append(e.writable, s)
		case flags&flagExec != 0:
			code = append(code, s)
		default:
			e.audit = append(e.audit, s)
		}
	}
	if e.audit == nil { // some linkers put constants and code together
		e.audit = code
	}
	return len(e.mapped) > 0
}

// pe reads the section table (Microsoft PE format, "Section Table").
func (e *executable) pe(head []byte) bool {
	lfanew := int64(binary.LittleEndian.Uint32(head[0x3c:]))
	if lfanew > int64(len(head))-24-32 || string(head[lfanew:lfanew+4]) != "PE\x00\x00" {
		return false
	}
	coff := head[lfanew+4:]
	num, optSize := int(binary.LittleEndian.Uint16(coff[2:])), int(binary.LittleEndian.Uint16(coff[16:]))
	opt := coff[20:]
	var base uint64
	switch binary.LittleEndian.Uint16(opt) {
	case 0x10b:
		base = uint64(binary.LittleEndian.Uint32(opt[28:]))
	case 0x20b:
		base = binary.LittleEndian.Uint64(opt[24:])
	}
	if num == 0 || optSize+num*40 > len(opt) {
		return false
	}
	for i := range num {
		h := opt[optSize+i*40:]
		s := segment{
			addr: base + uint64(binary.LittleEndian.Uint32(h[12:])),
			size: int64(binary.LittleEndian.Uint32(h[16:])),
			off:  int64(binary.LittleEndian.Uint32(h[20:])),
		}
		e.mapped = append(e.mapped, s)
		if string(bytes.TrimRight(h[:8], "\x00")) == auditSection {
			e.audit = append(e.audit, s)
		}
		if binary.LittleEndian.Uint32(h[36:])&0x80000000 != 0 {
			e.writable = append(e.writable, s)
		}
	}
	return true
}

func isMachO(head []byte) bool {
	switch binary.BigEndian.Uint32(head) {
	case 0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe:
		return true
	}
	return false
}

// macho reads the load commands (Apple, mach-o/loader.h).
func (e *executable) macho(head []byte) bool {
	var bo binary.ByteOrder = binary.LittleEndian
	if head[0] == 0xfe {
		bo = binary.BigEndian
	}
	is64 := bo.Uint32(head) == 0xfeedfacf
	num, rest := bo.Uint32(head[16:]), head[28:]
	if is64 {
		rest = head[32:]
	}
	const lcSegment, lcSegment64, protWrite = 1, 0x19, 2
	for range num {
		if len(rest) < 8 {
			return false
		}
		cmd, size := bo.Uint32(rest), bo.Uint32(rest[4:])
		if size < 8 || uint64(size) > uint64(len(rest)) {
			return false
		}
		var s segment
		var prot uint32
		switch {
		case cmd == lcSegment64 && size >= 72:
			e.machoSections(rest[72:size], bo.Uint32(rest[64:]), 80, func(h []byte) segment {
				return segment{size: int64(bo.Uint64(h[40:])), off: int64(bo.Uint32(h[48:]))}
			})
			s = segment{addr: bo.Uint64(rest[24:]), off: int64(bo.Uint64(rest[40:])), size: int64(bo.Uint64(rest[48:]))}
			prot = bo.Uint32(rest[60:])
		case cmd == lcSegment && size >= 56:
			e.machoSections(rest[56:size], bo.Uint32(rest[48:]), 68, func(h []byte) segment {
				return segment{size: int64(bo.Uint32(h[36:])), off: int64(bo.Uint32(h[40:]))}
			})
			s = segment{addr: uint64(bo.Uint32(rest[24:])), off: int64(bo.Uint32(rest[32:])), size: int64(bo.Uint32(rest[36:]))}
			prot = bo.Uint32(rest[44:])
		}
		if s.size > 0 {
			e.mapped = append(e.mapped, s)
			if prot&protWrite != 0 {
				e.writable = append(e.writable, s)
			}
		}
		rest = rest[size:]
	}
	return len(e.mapped) > 0
}

// machoSections looks for the audit section in the table behind a segment's
// load command; the name of a section stands first, in 16 bytes.
func (e *executable) machoSections(table []byte, num uint32, size int, at func(h []byte) segment) {
	for ; num > 0 && len(table) >= size; num-- {
		if string(bytes.TrimRight(table[:16], "\x00")) == auditSection {
			e.audit = append(e.audit, at(table))
		}
		table = table[size:]
	}
}
