package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"partneraccess/shared/metrics"
)

// Metrics does with the lines that functions write in CloudWatch's embedded metric format what CloudWatch does: it refuses what is not as
// the format wants it, and adds up the rest, for GET /_local/metrics. The zero value is empty and ready.
type Metrics struct {
	mu      sync.Mutex
	figures map[string]*Figure
	refused []string
	also    io.Writer // gets each line, too; nil: nobody does
}

// Figure is one metric with one set of dimensions.
type Figure struct {
	Name       string            `json:"name"`
	Unit       string            `json:"unit"`
	Dimensions map[string]string `json:"dimensions"`
	Samples    int               `json:"samples"`
	Sum        float64           `json:"sum"`
	Max        float64           `json:"max"`
	Latest     float64           `json:"latest"`
}

// Write takes one or more lines.
func (m *Metrics) Write(lines []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.also != nil {
		_, _ = m.also.Write(lines)
	}
	for line := range strings.Lines(string(lines)) {
		figures, err := parseFigures([]byte(line))
		if err != nil {
			m.refused = append(m.refused, fmt.Sprintf("%s: %v", strings.TrimSpace(line), err))
		}
		for _, f := range figures {
			m.add(f)
		}
	}
	return len(lines), nil
}

func (m *Metrics) add(f Figure) {
	if m.figures == nil {
		m.figures = map[string]*Figure{}
	}
	key := f.Name + labels(f.Dimensions)
	have := m.figures[key]
	if have == nil {
		have = &Figure{Name: f.Name, Unit: f.Unit, Dimensions: f.Dimensions, Max: f.Latest}
		m.figures[key] = have
	}
	have.Samples++
	have.Sum += f.Latest
	have.Max = max(have.Max, f.Latest)
	have.Latest = f.Latest
}

// List returns all figures, sorted; never nil.
func (m *Metrics) List() []Figure {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []Figure{}
	for _, key := range slices.Sorted(maps.Keys(m.figures)) {
		out = append(out, *m.figures[key])
	}
	return out
}

// Refused are the lines that CloudWatch would not have read, and why.
func (m *Metrics) Refused() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string{}, m.refused...)
}

// parseFigures reads one line as the format's specification has it
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
func parseFigures(line []byte) ([]Figure, error) {
	var document map[string]json.RawMessage
	if err := json.Unmarshal(line, &document); err != nil {
		return nil, fmt.Errorf("it is no JSON object: %w", err)
	}
	var meta struct {
		Timestamp         *int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	}
	if err := json.Unmarshal(document["_aws"], &meta); err != nil {
		return nil, fmt.Errorf("its _aws is not as it should be: %w", err)
	}
	switch {
	case meta.Timestamp == nil || *meta.Timestamp < time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli():
		return nil, errors.New("its Timestamp is none in milliseconds")
	case len(meta.CloudWatchMetrics) == 0:
		return nil, errors.New("it has no CloudWatchMetrics")
	}
	var out []Figure
	for _, directive := range meta.CloudWatchMetrics {
		switch {
		case len(directive.Namespace) == 0 || len(directive.Namespace) > 1024:
			return nil, errors.New("it has no Namespace")
		case len(directive.Dimensions) == 0:
			return nil, errors.New("it has no Dimensions")
		case len(directive.Metrics) == 0 || len(directive.Metrics) > 100:
			return nil, errors.New("it has no Metrics, or too many")
		}
		for _, set := range directive.Dimensions {
			dimensions := map[string]string{}
			if len(set) > 30 {
				return nil, errors.New("a set has too many dimensions")
			}
			for _, name := range set {
				var value string
				if err := json.Unmarshal(document[name], &value); err != nil || value == "" || len(value) > 1024 {
					return nil, fmt.Errorf("the dimension %s has no text as its member", name)
				}
				dimensions[name] = value
			}
			for _, metric := range directive.Metrics {
				var value float64
				if err := json.Unmarshal(document[metric.Name], &value); err != nil {
					return nil, fmt.Errorf("the metric %s has no number as its member", metric.Name)
				}
				if !slices.Contains([]string{"", "None", "Count", "Seconds", "Milliseconds", "Bytes", "Percent"}, metric.Unit) {
					// those that we might use
					return nil, fmt.Errorf("the metric %s has the unit %q", metric.Name, metric.Unit)
				}
				out = append(out, Figure{Name: metric.Name, Unit: metric.Unit, Dimensions: dimensions, Latest: value})
			}
		}
	}
	return out, nil
}

// labels are dimensions as Prometheus writes them.
func labels(dimensions map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(dimensions)) {
		all = append(all, name+"="+strconv.Quote(dimensions[name]))
	}
	return "{" + strings.Join(all, ",") + "}"
}

// showMetrics answers with all figures, as JSON, or as Prometheus reads them when text is asked for: sums of what is counted, and the
// latest of what is measured.
func (s *Stack) showMetrics(w http.ResponseWriter, r *http.Request) {
	figures := s.Metrics.List()
	if !strings.HasPrefix(r.Header.Get("Accept"), "text/plain") {
		writeJSON(w, http.StatusOK, map[string]any{"namespace": metrics.Namespace, "metrics": figures, "refused": s.Metrics.Refused()})
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	before := ""
	for _, f := range figures {
		kind, value := "gauge", f.Latest
		if f.Unit == "Count" {
			kind, value = "counter", f.Sum
		}
		if f.Name != before {
			_, _ = fmt.Fprintf(w, "# TYPE %s %s\n", f.Name, kind)
			before = f.Name
		}
		_, _ = fmt.Fprintf(w, "%s%s %s\n", f.Name, labels(f.Dimensions), strconv.FormatFloat(value, 'f', -1, 64))
	}
}
