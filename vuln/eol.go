package vuln

import (
	"strings"
	"time"
)

// lifetimes says until when a release gets security fixes from its
// distribution, free of charge (for Debian the LTS team's included; for
// Ubuntu:Pro the paid-for ten years), as announced by the distributions:
// debian.org/releases, alpinelinux.org/releases, ubuntu.com/about/release-cycle,
// wiki.almalinux.org/release-notes, wiki.rockylinux.org/rocky/version,
// en.opensuse.org/Lifetime. For Debian 11 and 12 the term (five
// years, two years) is counted from the day of release.
const lifetimes = `
Debian:7 2018-05-31
Debian:8 2020-06-30
Debian:9 2022-06-30
Debian:10 2024-06-30
Debian:11 2026-08-14
Debian:12 2028-06-10
Debian:13 2030-06-30
Alpine:v3.10 2021-05-01
Alpine:v3.11 2021-11-01
Alpine:v3.12 2022-05-01
Alpine:v3.13 2022-11-01
Alpine:v3.14 2023-05-01
Alpine:v3.15 2023-11-01
Alpine:v3.16 2024-05-23
Alpine:v3.17 2024-11-22
Alpine:v3.18 2025-05-09
Alpine:v3.19 2025-11-01
Alpine:v3.20 2026-04-01
Alpine:v3.21 2026-11-01
Alpine:v3.22 2027-05-01
Alpine:v3.23 2027-11-01
Alpine:v3.24 2028-06-01
Alpine:v3.3 2017-11-01
Alpine:v3.4 2018-05-01
Alpine:v3.5 2018-11-01
Alpine:v3.6 2019-05-01
Alpine:v3.7 2019-11-01
Alpine:v3.8 2020-05-01
Alpine:v3.9 2020-11-01
Ubuntu:14.04:LTS 2019-04-25
Ubuntu:16.04:LTS 2021-04-30
Ubuntu:18.04:LTS 2023-05-31
Ubuntu:20.04:LTS 2025-05-31
Ubuntu:22.04:LTS 2027-04-30
Ubuntu:24.04:LTS 2029-05-31
Ubuntu:23.04 2024-01-25
Ubuntu:23.10 2024-07-11
Ubuntu:24.10 2025-07-10
Ubuntu:25.04 2026-01-15
Ubuntu:Pro:14.04:LTS 2024-04-30
Ubuntu:Pro:16.04:LTS 2026-04-30
Ubuntu:Pro:18.04:LTS 2028-04-30
Ubuntu:Pro:20.04:LTS 2030-04-30
Ubuntu:Pro:22.04:LTS 2032-04-30
Ubuntu:Pro:24.04:LTS 2034-04-30
AlmaLinux:8 2029-03-01
AlmaLinux:9 2032-05-31
AlmaLinux:10 2035-05-31
Rocky Linux:8 2029-05-31
Rocky Linux:9 2032-05-31
Rocky Linux:10 2035-05-31
Azure Linux:1 2023-07-31
Azure Linux:2 2025-07-31
openSUSE:Leap 15.5 2024-12-31
openSUSE:Leap 15.6 2026-04-30
`

// endOfLife returns the last day of a release's security support. Rolling
// releases have no end.
func endOfLife(ecosystem string) (end time.Time, known bool) {
	switch ecosystem {
	case "Alpine:edge", "Wolfi", "Chainguard", "MinimOS", "openSUSE:Tumbleweed":
		return time.Unix(1<<40, 0), true
	}
	_, rest, ok := strings.Cut(lifetimes, "\n"+ecosystem+" ")
	if !ok || len(rest) < 10 {
		return time.Time{}, false
	}
	end, err := time.Parse(time.DateOnly, rest[:10])
	return end.AddDate(0, 0, 1), err == nil
}
