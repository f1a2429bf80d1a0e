package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/boltseal/boltseal"
)

// Fleet is what a monitor knows of the images of its registries. Its JSON form
// is for the monitor's own programs.
type Fleet struct {
	Name       string    `json:"name"` // what is watched
	At         time.Time `json:"at"`
	Images     int       `json:"images"`
	References int       `json:"references"`
	// Worst counts images by the severity of their worst issue.
	Worst map[string]int `json:"worst"`
	// Incomplete counts images without a known issue that could not be read or
	// judged in full: they may have one.
	Incomplete int `json:"incomplete"`
	// Gaps are what is not known, or not as it should be.
	Gaps   []string     `json:"gaps,omitempty"`
	Facts  []FleetFact  `json:"facts"`
	Issues []FleetIssue `json:"issues"` // the most urgent first
	More   int          `json:"more"`   // issues that are not listed
	Teams  []FleetTeam  `json:"teams,omitempty"`
	Days   []FleetDay   `json:"days"`   // oldest first
	Events []FleetEvent `json:"events"` // newest first
}

// FleetFact is a name and a value.
type FleetFact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// FleetIssue is an advisory that concerns images.
type FleetIssue struct {
	Rule      string            `json:"rule"`
	Title     string            `json:"title,omitempty"`
	Severity  boltseal.Severity `json:"severity"`
	Exploited string            `json:"exploited,omitempty"`
	Aliases   []string          `json:"aliases,omitempty"`
	Packages  []string          `json:"packages"`
	Fixed     []string          `json:"fixed,omitempty"`
	Images    int               `json:"images"`
	Names     []string          `json:"names,omitempty"` // of some of the images
}

// FleetTeam is what is known of the images of one team.
type FleetTeam struct {
	Name       string         `json:"name"` // empty: nobody is known to answer for them
	Images     int            `json:"images"`
	Worst      map[string]int `json:"worst"` // images by their worst issue
	Exploited  int            `json:"exploited"`
	Fixable    int            `json:"fixable"`
	Incomplete int            `json:"incomplete"`
}

// FleetDay counts what happened on one day: pairs of an image and an issue.
type FleetDay struct {
	Date   string `json:"date"`
	Opened int    `json:"opened"`
	Closed int    `json:"closed"`
}

// FleetEvent is one thing that happened.
type FleetEvent struct {
	Time time.Time `json:"time"`
	Kind string    `json:"kind"`
	Text string    `json:"text"`
}

// FleetHTML writes f as one page that needs nothing else, as [HTML] does.
func FleetHTML(w io.Writer, f *Fleet) error {
	v := newFleetView(f)
	nav := []navLink{{"issues", "Advisories"}, {"teams", "Teams"}, {"trend", "Trend"}, {"events", "Events"}}
	if len(v.Teams) == 0 {
		nav = slices.Delete(nav, 1, 2)
	}
	return writePage(w, "fleet", frame{Title: v.Name + " - boltseal", What: "registry monitor", Nav: nav, Data: v})
}

// fleetView is a fleet as the template wants it, every string clean.
type fleetView struct {
	Name, At, Line string
	Facts          []htmlFact
	Gaps           []string
	Tiles          []htmlTile
	Clean          int // images without issues
	Issues         []fleetIssue
	Severities     []string
	More           int
	Bars           []fleetBar
	From, To       string // dates of the trend
	Opened, Closed int
	Most           int
	Teams          []fleetTeam
	Events         []FleetEvent
	When           []string // of the events
}

type fleetIssue struct {
	Query, Rule, Title, Severity, Exploited, Aliases, Packages, Fixed string
	Order, Images                                                     int
	Names                                                             []string
}

// fleetTeam is a team with its images by severity, the worst first, and those
// without a known issue last.
type fleetTeam struct {
	Name                                   string
	Images, Exploited, Fixable, Incomplete int
	Parts                                  []htmlTile
}

// fleetBar is a day in the chart, in units of its view box.
type fleetBar struct {
	X, UpY, UpH, DownH float64
	Text               string
}

const (
	trendMiddle = 60.0
	trendStep   = 10.0
)

func newFleetView(f *Fleet) *fleetView {
	v := &fleetView{Name: cmp.Or(Clean(f.Name), "registries"), At: f.At.UTC().Format("2006-01-02 15:04:05 UTC"), More: f.More, Clean: f.Images}
	for _, x := range f.Facts {
		v.Facts = append(v.Facts, htmlFact{Name: Clean(x.Name), Value: Clean(x.Value)})
	}
	v.Gaps = cleanAll(f.Gaps)
	for _, s := range severities {
		n := f.Worst[s.String()]
		v.Clean -= n
		v.Tiles = append(v.Tiles, htmlTile{s.String(), n})
	}
	v.Clean = max(0, v.Clean-f.Incomplete)
	v.Line = fmt.Sprintf("%s behind %s, by their worst issue; %d without any known one", plural(f.Images, "image"), plural(f.References, "tag"), v.Clean)
	if f.Incomplete > 0 {
		v.Line += fmt.Sprintf(", %d that could not be judged", f.Incomplete)
	}
	seen := map[string]bool{}
	for _, i := range f.Issues {
		h := fleetIssue{
			Rule: Clean(i.Rule), Title: Clean(i.Title), Severity: i.Severity.String(), Order: order(i.Severity), Exploited: Clean(i.Exploited), Images: i.Images,
			Aliases: strings.Join(cleanAll(i.Aliases), ", "), Packages: strings.Join(cleanAll(i.Packages), ", "), Fixed: strings.Join(cleanAll(i.Fixed), ", "), Names: cleanAll(i.Names),
		}
		h.Query = strings.ToLower(strings.Join(append([]string{h.Rule, h.Title, h.Aliases, h.Packages}, h.Names...), " "))
		if !seen[h.Severity] {
			seen[h.Severity] = true
			v.Severities = append(v.Severities, h.Severity)
		}
		v.Issues = append(v.Issues, h)
	}
	for _, t := range f.Teams {
		h := fleetTeam{Name: Clean(t.Name), Images: t.Images, Exploited: t.Exploited, Fixable: t.Fixable, Incomplete: t.Incomplete}
		for _, s := range severities {
			if n := t.Worst[s.String()]; n > 0 {
				h.Parts = append(h.Parts, htmlTile{s.String(), n})
			}
		}
		v.Teams = append(v.Teams, h)
	}
	v.trend(f.Days)
	for _, e := range f.Events {
		v.Events = append(v.Events, FleetEvent{Kind: Clean(e.Kind), Text: Clean(e.Text)})
		v.When = append(v.When, e.Time.UTC().Format("2006-01-02 15:04:05"))
	}
	return v
}

// trend draws what opened upwards, and what closed downwards.
func (v *fleetView) trend(days []FleetDay) {
	for _, d := range days {
		v.Most = max(v.Most, d.Opened, d.Closed)
		v.Opened += d.Opened
		v.Closed += d.Closed
	}
	if len(days) == 0 {
		return
	}
	v.From, v.To = Clean(days[0].Date), Clean(days[len(days)-1].Date)
	scale := func(n int) float64 {
		if n <= 0 {
			return 0
		}
		return max(1.5, (trendMiddle-4)*float64(n)/float64(v.Most))
	}
	for i, d := range days {
		up := scale(d.Opened)
		v.Bars = append(v.Bars, fleetBar{X: trendStep*float64(i) + 1, UpY: trendMiddle - up, UpH: up, DownH: scale(d.Closed),
			Text: fmt.Sprintf("%s: %d opened, %d closed", Clean(d.Date), d.Opened, d.Closed)})
	}
}

// Total is how many issues there are.
func (v *fleetView) Total() int { return len(v.Issues) + v.More }

// Width is that of the chart's view box.
func (v *fleetView) Width() float64 { return trendStep * float64(len(v.Bars)) }
