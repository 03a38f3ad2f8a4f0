package access_test

import (
	"reflect"
	"testing"

	"partneraccess/shared/access"
)

func TestACommandOnlyTakesWhenNothingElseIsInIt(t *testing.T) {
	t.Parallel()
	suspended, open, off, on, none, view := access.StateSuspended, access.StateOpen, false, true, access.None, access.View
	for about, c := range map[string]struct {
		cmd  access.EditCommand
		want bool
	}{
		"suspended":                   {access.EditCommand{State: &suspended}, true},
		"users taken out":             {access.EditCommand{Remove: []string{"contoso:1"}}, true},
		"everyone switched off":       {access.EditCommand{Everyone: &off}, true},
		"no level":                    {access.EditCommand{Level: &none}, true},
		"several of these":            {access.EditCommand{State: &suspended, Everyone: &off, Level: &none}, true},
		"nothing":                     {access.EditCommand{}, false},
		"resumed":                     {access.EditCommand{State: &open, Everyone: &off}, false},
		"everyone switched on":        {access.EditCommand{Everyone: &on, Level: &none}, false},
		"a level, of whatever it was": {access.EditCommand{Level: &view, State: &suspended}, false},
		"users removed and added":     {access.EditCommand{Remove: []string{"contoso:1"}, Add: []string{"contoso:2"}}, false},
		"suspended with another cap": {
			access.EditCommand{State: &suspended, Caps: map[string]*access.Level{"kim@contoso.example": &none}},
			false,
		},
		"suspended, whatever was seen": {access.EditCommand{State: &suspended, Seen: 7}, true},
	} {
		if got := c.cmd.OnlyNarrows(); got != c.want {
			t.Errorf("%s: got %v, want %v", about, got, c.want)
		}
	}
}

// A member that is new to a command counts as giving until it is known not to.
func TestEveryOtherMemberOfACommandMayGive(t *testing.T) {
	t.Parallel()
	suspended, disabled, off := access.StateSuspended, access.Disabled, access.Suspended
	for about, c := range map[string]struct {
		cmd   any
		takes map[string]bool
		only  func(any) bool
	}{
		"edit": {
			&access.EditCommand{State: &suspended},
			map[string]bool{"Seen": true, "State": true, "Remove": true, "Everyone": true, "Level": true},
			func(c any) bool { return c.(*access.EditCommand).OnlyNarrows() },
		},
		"partner": {
			&access.PartnerCommand{Status: &off},
			map[string]bool{"Seen": true, "Status": true},
			func(c any) bool { return c.(*access.PartnerCommand).OnlySuspends() },
		},
		"user": {
			&access.UserCommand{Status: &disabled},
			map[string]bool{"Seen": true, "Status": true},
			func(c any) bool { return c.(*access.UserCommand).OnlyDisables() },
		},
	} {
		v := reflect.ValueOf(c.cmd).Elem()
		for i := range v.NumField() {
			name, field := v.Type().Field(i).Name, v.Field(i)
			if c.takes[name] {
				continue
			}
			switch field.Kind() {
			case reflect.Pointer:
				field.Set(reflect.New(field.Type().Elem()))
			case reflect.Slice:
				field.Set(reflect.MakeSlice(field.Type(), 1, 1))
			case reflect.Map:
				field.Set(reflect.MakeMap(field.Type()))
			default:
				t.Fatalf("%s: %s is a %s: teach the test to fill it in", about, name, field.Kind())
			}
			if c.only(c.cmd) {
				t.Errorf("%s with %s: got one that only takes, want one that may give", about, name)
			}
			field.SetZero()
		}
		if !c.only(c.cmd) {
			t.Errorf("%s: got one that may give, want one that only takes", about)
		}
	}
}
