package httpapi

import (
	"encoding"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// column is one column of an exported list: a member of its items, or a member of that.
type column struct {
	name    string // the members' names, with dots between
	index   []int
	instant bool
}

// celled is a value that is one cell, with a text of its own.
type celled interface{ cell() string }

// columnsOf returns the columns of a list of these items, in the order of their members. A member with the tag export:"json" is one cell,
// as JSON.
func columnsOf(of reflect.Type) []column { return columnsIn(of, "", nil) }

func columnsIn(of reflect.Type, prefix string, index []int) (out []column) {
	for i := range of.NumField() {
		f := of.Field(i)
		at := append(append([]int(nil), index...), i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		is := f.Type
		if is.Kind() == reflect.Pointer {
			is = is.Elem()
		}
		nested := is.Kind() == reflect.Struct && is != reflect.TypeFor[time.Time]() && f.Tag.Get("export") != "json"
		switch {
		case f.Anonymous && name == "" && nested:
			out = append(out, columnsIn(is, prefix, at)...)
		case name == "" || name == "-" || !f.IsExported():
		case nested:
			out = append(out, columnsIn(is, prefix+name+".", at)...)
		default:
			out = append(out, column{prefix + name, at, is == reflect.TypeFor[time.Time]()})
		}
	}
	return out
}

// value returns the column's value of an item; false when there is none.
func (c column) value(item reflect.Value) (reflect.Value, bool) {
	for _, i := range c.index {
		if item.Kind() == reflect.Pointer {
			if item.IsNil() {
				return item, false
			}
			item = item.Elem()
		}
		item = item.Field(i)
	}
	if item.Kind() == reflect.Pointer {
		return item.Elem(), !item.IsNil()
	}
	return item, true
}

// cell returns the text of the column in an item, "" when it has none. Instants are in UTC.
func (c column) cell(item reflect.Value) (string, error) {
	v, ok := c.value(item)
	if !ok {
		return "", nil
	}
	switch is := v.Interface().(type) {
	case celled:
		return is.cell(), nil
	case time.Time:
		return is.UTC().Format("2006-01-02T15:04:05.000Z"), nil
	case []string:
		return strings.Join(is, ", "), nil
	case encoding.TextMarshaler:
		b, err := is.MarshalText()
		return string(b), err
	}
	switch v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	}
	b, err := json.Marshal(v.Interface(), json.Deterministic(true))
	return string(b), err
}

// local returns the instant of the column in an item as it is in the zone; "" when it has none.
func (c column) local(item reflect.Value, zone *time.Location) string {
	v, ok := c.value(item)
	if !ok || !c.instant {
		return ""
	}
	return v.Interface().(time.Time).In(zone).Format("2006-01-02T15:04:05.000-07:00")
}
