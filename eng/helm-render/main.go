// helm-render renders one Helm 3 chart the way `helm template` does, for machines where the helm
// binary cannot be had. It covers what a single chart needs: values files, --set, named templates,
// include, tpl, required, toYaml, fromYaml, toJson, lookup (always empty), .Files, .Capabilities,
// .Release, .Chart, and chart dependencies unpacked under charts/ (library charts included).
// It does not check values.schema.json and talks to no cluster.
//
// Build: eng/helm-goldens.sh does. (Debian: golang-go golang-github-masterminds-sprig-dev golang-k8s-sigs-yaml-dev)
//
// Usage: helm-render [-name NAME] [-namespace NS] [-f values.yaml]... [-set a.b=c]... [-api G/V/K]... CHART
// Prints every rendered manifest to standard output. Exit 1 with the template error otherwise.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

type values = map[string]interface{}

type files map[string][]byte

func (f files) Get(name string) string      { return string(f[name]) }
func (f files) GetBytes(name string) []byte { return f[name] }
func (f files) Lines(name string) []string {
	return strings.Split(strings.TrimSuffix(string(f[name]), "\n"), "\n")
}
func (f files) Glob(pattern string) files {
	out := files{}
	for name, data := range f {
		if ok, _ := path.Match(pattern, name); ok {
			out[name] = data
		} else if i := strings.Index(pattern, "**"); i >= 0 && strings.HasPrefix(name, pattern[:i]) {
			if ok, _ := path.Match(strings.TrimPrefix(pattern[i+2:], "/"), path.Base(name)); ok {
				out[name] = data
			}
		}
	}
	return out
}
func (f files) AsConfig() string {
	m := map[string]string{}
	for name, data := range f {
		m[path.Base(name)] = string(data)
	}
	return toYAML(m)
}
func (f files) AsSecrets() string {
	m := map[string]string{}
	for name, data := range f {
		m[path.Base(name)] = base64.StdEncoding.EncodeToString(data)
	}
	return toYAML(m)
}

type apiVersions []string

func (a apiVersions) Has(v string) bool {
	for _, have := range a {
		if have == v {
			return true
		}
	}
	return false
}

type chart struct {
	dir      string
	meta     values
	defaults values
	sources  map[string]string // template name -> text
	files    files
	children []*chart
}

func load(dir string) (*chart, error) {
	// A dependency may be a link to its sources: helm follows it, filepath.Walk does not.
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	c := &chart{dir: dir, meta: values{}, defaults: values{}, sources: map[string]string{}, files: files{}}
	if err := readYAML(filepath.Join(dir, "Chart.yaml"), &c.meta); err != nil {
		return nil, err
	}
	if err := readYAML(filepath.Join(dir, "values.yaml"), &c.defaults); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	name, _ := c.meta["name"].(string)
	if name == "" {
		return nil, fmt.Errorf("%s: Chart.yaml has no name", dir)
	}
	err = filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		if info.IsDir() {
			if rel == "charts" {
				return filepath.SkipDir
			}
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		if strings.HasPrefix(rel, "templates/") {
			if !strings.HasPrefix(rel, "templates/tests/.") {
				c.sources[name+"/"+rel] = string(data)
			}
		} else if rel != "Chart.yaml" && rel != "values.yaml" {
			c.files[rel] = data
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	subs, _ := filepath.Glob(filepath.Join(dir, "charts", "*", "Chart.yaml"))
	sort.Strings(subs)
	for _, s := range subs {
		child, err := load(filepath.Dir(s))
		if err != nil {
			return nil, err
		}
		c.children = append(c.children, child)
	}
	return c, nil
}

func readYAML(file string, into interface{}) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(data, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func toYAML(v interface{}) string {
	out, err := yaml.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(out), "\n")
}

func merge(base, over values) values {
	out := values{}
	for k, v := range base {
		out[k] = v
	}
	for k, v := range over {
		if v == nil {
			delete(out, k)
			continue
		}
		bm, ok1 := out[k].(values)
		om, ok2 := v.(values)
		if ok1 && ok2 {
			out[k] = merge(bm, om)
		} else {
			out[k] = v
		}
	}
	return out
}

func setPath(v values, expr string) error {
	key, val, ok := strings.Cut(expr, "=")
	if !ok {
		return fmt.Errorf("-set %q: want key=value", expr)
	}
	parts := strings.Split(key, ".")
	for _, p := range parts[:len(parts)-1] {
		next, ok := v[p].(values)
		if !ok {
			next = values{}
		}
		copied := merge(next, nil)
		v[p] = copied
		v = copied
	}
	last := parts[len(parts)-1]
	switch {
	case val == "true" || val == "false":
		v[last] = val == "true"
	case val == "null":
		v[last] = nil
	default:
		if n, err := strconv.ParseInt(val, 10, 64); err == nil {
			v[last] = n
		} else {
			v[last] = val
		}
	}
	return nil
}

func title(m values) values { // Chart.yaml keys as helm shows them: .Chart.Name, .Chart.AppVersion
	out := values{}
	for k, v := range m {
		out[strings.ToUpper(k[:1])+k[1:]] = v
	}
	if _, ok := out["AppVersion"]; !ok {
		out["AppVersion"] = ""
	}
	return out
}

func main() {
	name := flag.String("name", "release-name", "release name")
	namespace := flag.String("namespace", "default", "release namespace")
	kube := flag.String("kube-version", "v1.31.0", "Kubernetes version shown to the chart")
	var valueFiles, sets, apis list
	flag.Var(&valueFiles, "f", "values file, may repeat")
	flag.Var(&sets, "set", "key=value, may repeat")
	flag.Var(&apis, "api", "extra API version the cluster has, may repeat")
	notes := flag.Bool("notes", false, "print NOTES.txt instead of the manifests")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := render(flag.Arg(0), *name, *namespace, *kube, valueFiles, sets, apis, *notes); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func render(dir, name, namespace, kube string, valueFiles, sets, apis list, notes bool) error {
	root, err := load(dir)
	if err != nil {
		return err
	}
	vals := merge(root.defaults, nil)
	for _, f := range valueFiles {
		over := values{}
		if err := readYAML(f, &over); err != nil {
			return err
		}
		vals = merge(vals, over)
	}
	for _, s := range sets {
		if err := setPath(vals, s); err != nil {
			return err
		}
	}

	t := template.New("chart").Option("missingkey=zero")
	fm := sprig.TxtFuncMap()
	delete(fm, "env")
	delete(fm, "expandenv")
	fm["toYaml"] = toYAML
	fm["fromYaml"] = func(s string) values {
		m := values{}
		if err := yaml.Unmarshal([]byte(s), &m); err != nil {
			m["Error"] = err.Error()
		}
		return m
	}
	fm["fromYamlArray"] = func(s string) []interface{} { a := []interface{}{}; _ = yaml.Unmarshal([]byte(s), &a); return a }
	fm["toJson"] = func(v interface{}) string { b, _ := json.Marshal(v); return string(b) }
	fm["fromJson"] = func(s string) values { m := values{}; _ = json.Unmarshal([]byte(s), &m); return m }
	fm["lookup"] = func(...string) values { return values{} }
	fm["required"] = func(msg string, v interface{}) (interface{}, error) {
		if v == nil || v == "" {
			return nil, errors.New(msg)
		}
		return v, nil
	}
	fm["include"] = func(n string, data interface{}) (string, error) {
		var b bytes.Buffer
		err := t.ExecuteTemplate(&b, n, data)
		return b.String(), err
	}
	fm["tpl"] = func(text string, data interface{}) (string, error) {
		clone, err := t.Clone()
		if err != nil {
			return "", err
		}
		inner, err := clone.New("tpl").Parse(text)
		if err != nil {
			return "", err
		}
		var b bytes.Buffer
		err = inner.Execute(&b, data)
		return strings.ReplaceAll(b.String(), "<no value>", ""), err
	}
	t.Funcs(fm)

	type job struct {
		c    *chart
		vals values
	}
	var jobs []job
	var collect func(c *chart, v values) error
	collect = func(c *chart, v values) error {
		jobs = append(jobs, job{c, v})
		for _, child := range c.children {
			childName := child.meta["name"].(string)
			mine, _ := v[childName].(values)
			cv := merge(child.defaults, mine)
			if g, ok := v["global"]; ok {
				cv["global"] = g
			}
			v[childName] = cv // as helm does: a parent sees its dependency's defaults
			if err := collect(child, cv); err != nil {
				return err
			}
		}
		for n, src := range c.sources {
			if _, err := t.New(n).Parse(src); err != nil {
				return err
			}
		}
		return nil
	}
	if err := collect(root, vals); err != nil {
		return err
	}

	minor := strings.TrimSuffix(strings.Split(strings.TrimPrefix(kube, "v"), ".")[1], "+")
	for _, j := range jobs {
		if j.c.meta["type"] == "library" {
			continue
		}
		var names []string
		for n := range j.c.sources {
			base := path.Base(n)
			if !strings.HasPrefix(base, "_") && (base == "NOTES.txt") == notes {
				names = append(names, n)
			}
		}
		sort.Strings(names)
		for _, n := range names {
			data := values{
				"Values":  j.vals,
				"Chart":   title(j.c.meta),
				"Release": values{"Name": name, "Namespace": namespace, "Service": "Helm", "IsInstall": true, "IsUpgrade": false, "Revision": 1},
				"Files":   j.c.files,
				"Capabilities": values{
					"APIVersions": apiVersions(append([]string{"v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", "policy/v1", "autoscaling/v2"}, apis...)),
					"KubeVersion": values{"Version": kube, "GitVersion": kube, "Major": "1", "Minor": minor},
					"HelmVersion": values{"Version": "v3.16.0"},
				},
				"Template": values{"Name": n, "BasePath": path.Dir(n)},
			}
			var b bytes.Buffer
			if err := t.ExecuteTemplate(&b, n, data); err != nil {
				return err
			}
			text := strings.ReplaceAll(b.String(), "<no value>", "")
			if strings.TrimSpace(text) == "" {
				continue
			}
			if notes {
				fmt.Println(strings.TrimSpace(text))
				continue
			}
			for i, doc := range strings.Split("\n"+strings.TrimPrefix(text, "---\n"), "\n---") {
				if strings.TrimSpace(doc) == "" {
					continue
				}
				var parsed interface{}
				if err := yaml.Unmarshal([]byte(doc), &parsed); err != nil {
					return fmt.Errorf("%s document %d is not YAML: %w\n%s", n, i, err, doc)
				}
				if parsed == nil {
					continue
				}
				fmt.Printf("---\n# Source: %s\n%s\n", n, strings.Trim(doc, "\n"))
			}
		}
	}
	return nil
}
