// Prints, as lines of JSON, what Alertmanager's own parser and matchers make of the inputs of its tests in pkg/labels.
package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"

	"github.com/prometheus/alertmanager/pkg/labels"
)

type matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual bool   `json:"isEqual"`
	Text    string `json:"text"`
}

type result struct {
	Input    string    `json:"input"`
	Error    string    `json:"error"`
	Matchers []matcher `json:"matchers"`
	// Matches says of each probe whether all matchers take it as the value of their label.
	Matches []bool `json:"matches"`
}

// Values that the matchers are tried on: those of the tests, and a few that are easily got wrong.
var probes = []string{"", "bar", "foo-bar", "foobar", "bar\n", "b\nr", "Bar", "äöü", "0", "a,b"}

func main() {
	folder := os.Args[1]
	out := json.NewEncoder(os.Stdout)
	for _, input := range texts(folder) {
		r := result{Input: input, Matchers: []matcher{}, Matches: []bool{}}
		parsed, err := labels.ParseMatchers(input)
		if err != nil {
			r.Error = err.Error()
		}
		for _, m := range parsed {
			r.Matchers = append(r.Matchers, matcher{
				Name:    m.Name,
				Value:   m.Value,
				IsRegex: m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp,
				IsEqual: m.Type == labels.MatchEqual || m.Type == labels.MatchRegexp,
				Text:    m.String(),
			})
		}
		for _, probe := range probes {
			all := true
			for _, m := range parsed {
				all = all && m.Matches(probe)
			}
			r.Matches = append(r.Matches, all)
		}
		if err := out.Encode(r); err != nil {
			panic(err)
		}
	}
}

// texts gives every string literal of the tests, and each as the value of an equality and of a pattern.
func texts(folder string) []string {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil || len(files) == 0 {
		panic("no tests in " + folder)
	}
	seen := map[string]bool{}
	found := []string{}
	add := func(text string) {
		if !seen[text] {
			seen[text] = true
			found = append(found, text)
		}
	}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			panic(err)
		}
		ast.Inspect(tree, func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				panic(err)
			}
			add(text)
			for _, operator := range []string{"=", "!=", "=~", "!~"} {
				add("foo" + operator + strconv.Quote(text))
				add("foo" + operator + text)
			}
			return true
		})
	}
	return found
}
