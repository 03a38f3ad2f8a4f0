package dynamo_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partneraccess/events"
	"partneraccess/shared/access"
)

// lister asks for one page.
type lister[T any] = func(context.Context, access.PageRequest) (access.Page[T], error)

// wantList reads a list with pages of every size up to one more than it holds, and fails unless each time the pages together are the whole,
// in its order, each row once.
func wantList[T any](t *testing.T, about string, list lister[T], name func(T) string, want ...string) {
	t.Helper()
	for limit := 1; limit <= min(len(want)+1, 100); limit++ {
		got, pages := pageThrough(t, about, list, name, limit)
		if !slices.Equal(got, want) {
			t.Errorf("%s, %d a page: got %q, want %q", about, limit, got, want)
			return
		}
		if most := 2*len(want) + 8; pages > most {
			t.Errorf("%s, %d a page: got %d pages, want no more than %d", about, limit, pages, most)
		}
	}
}

func pageThrough[T any](t *testing.T, about string, list lister[T], name func(T) string, limit int) (got []string, pages int) {
	t.Helper()
	for ask := (access.PageRequest{Limit: limit}); ; {
		page, err := list(t.Context(), ask)
		if err != nil {
			t.Fatalf("%s, %d a page: %v", about, limit, err)
		}
		if len(page.Items) > limit || page.Items == nil {
			t.Fatalf("%s, %d a page: got a page of %d (nil: %v), want at most the limit, and never nil", about, limit, len(page.Items),
				page.Items == nil)
		}
		for _, v := range page.Items {
			got = append(got, name(v))
		}
		if pages++; page.Next == "" {
			return got, pages
		}
		if page.Next == ask.After {
			t.Fatalf("%s, %d a page: got the position %q twice, want it to move on", about, limit, page.Next)
		}
		ask.After = page.Next
	}
}

func numbered(format string, from, to int) []string {
	var out []string
	for i := from; i <= to; i++ {
		out = append(out, fmt.Sprintf(format, i))
	}
	return out
}

func partnerNamed(id, name string) *access.Partner {
	return &access.Partner{
		ID: id, Name: name, Class: access.Channel, Offer: access.Manage, Status: access.Active, Created: noon,
		Updated: noon, Version: 1,
	}
}

func all(*access.Partner) bool { return true }

func (tb *table) search(query string) lister[access.Partner] {
	return func(ctx context.Context, ask access.PageRequest) (access.Page[access.Partner], error) {
		return tb.Partners(ctx, query, all, ask)
	}
}

func partnerID(p access.Partner) string { return p.ID }

func TestPartnersAreFoundByTheBeginningOfAnyWordOfTheirName(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	tb.save(
		t,
		access.PartnerWrite{After: partnerNamed("contoso", "Contoso Managed Services")},
		access.PartnerWrite{After: partnerNamed("contoso-2", "contoso MANAGED services")},
		access.PartnerWrite{After: partnerNamed("conan", "Conan & Söhne Straßenbau")},
		access.PartnerWrite{After: partnerNamed("service", "Service Serviced Services")},
		access.PartnerWrite{After: partnerNamed("elysee", "Société d'Élysée")},
		access.PartnerWrite{After: partnerNamed("tokyo", "東京システム")},
		access.PartnerWrite{After: partnerNamed("isik", "Işık Bilişim")},
		access.PartnerWrite{After: partnerNamed("signs", "!!!")},
	)
	for query, want := range map[string][]string{
		"contoso":         {"contoso", "contoso-2"},
		"CONT":            {"contoso", "contoso-2"},
		"con":             {"conan", "contoso", "contoso-2"},
		"managed":         {"contoso", "contoso-2"},
		"s":               {"service", "contoso", "contoso-2", "elysee", "conan"}, // by the word: service, services, services, societe, sohne
		"serv":            {"service", "contoso", "contoso-2"},
		"serviced serv":   {"service"},
		"services contos": {"contoso", "contoso-2"},
		"ma co":           {"contoso", "contoso-2"},
		"ma co xyz":       nil,
		"strasse":         {"conan"},
		"STRASSENBAU":     {"conan"},
		"straße":          {"conan"},
		"sohne":           {"conan"},
		"Söh":             {"conan"},
		"elysee":          {"elysee"},
		"ÉLYS societe":    {"elysee"},
		"東京":              {"tokyo"},
		"東":               {"tokyo"},
		"システム":            nil,
		"ışık":            {"isik"},
		"isik bil":        {"isik"},
		"!":               {"signs"},
		"ontoso":          nil,
		"contosoo":        nil,
		"zzz":             nil,
	} {
		wantList(t, "the search for "+query, tb.search(query), partnerID, want...)
	}
}

func TestASearchFollowsRenamingAndRemoval(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	first := partnerNamed("contoso", "Contoso Services")
	tb.save(t, access.PartnerWrite{After: first}, access.PartnerWrite{After: partnerNamed("other", "Other Services")})
	edit := func(before *access.Partner, change func(*access.Partner)) *access.Partner {
		after := *before
		change(&after)
		after.Version++
		if err := tb.Apply(t.Context(),
			planOf(access.Change{Writes: []access.Write{access.PartnerWrite{Before: before, After: &after}}})); err != nil {
			t.Fatal(err)
		}
		return &after
	}
	second := edit(first, func(p *access.Partner) { p.Name = "Fabrikam SERVICES Nord" })
	for query, want := range map[string][]string{
		"contoso": nil, "fabrikam": {"contoso"}, "nord": {"contoso"},
		"services": {"contoso", "other"},
	} {
		wantList(t, "renamed: the search for "+query, tb.search(query), partnerID, want...)
	}
	wantList(t, "renamed: the directory", tb.search(""), partnerID, "contoso", "other")
	third := edit(second, func(p *access.Partner) { p.Status = access.Suspended })
	wantList(t, "suspended: the search", tb.search("fabrikam"), partnerID, "contoso")
	active := func(ctx context.Context, ask access.PageRequest) (access.Page[access.Partner], error) {
		return tb.Partners(ctx, "services", func(p *access.Partner) bool { return p.Status == access.Active }, ask)
	}
	wantList(t, "suspended: those that the caller wants", active, partnerID, "other")
	edit(third, func(p *access.Partner) { p.Status = access.Removed })
	wantList(t, "removed: the search", tb.search("services"), partnerID, "other")
	wantList(t, "removed: the directory", tb.search(""), partnerID, "other")
	wantList(t, "removed: the removed", tb.RemovedPartners, partnerID, "contoso")
	if got := tb.dump(t); strings.Contains(got, `"W#f"`) || strings.Contains(got, `"W#n"`) {
		t.Errorf("got the table\n%s\nwant no words of the removed partner", got)
	}
}

func TestAPartnerWithMoreWordsThanAreSearchedCanBeSavedAndRenamed(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	first := partnerNamed("many", strings.Join(numbered("w%02d", 10, 50), " "))
	tb.save(t, access.PartnerWrite{After: first})
	wantList(t, "the search for w10", tb.search("w10"), partnerID, "many")
	wantList(t, "the search for w", tb.search("w"), partnerID, "many")
	second := *first
	second.Name, second.Version = strings.Join(numbered("v%02d", 10, 50), " "), 2
	if err := tb.Apply(t.Context(),
		planOf(access.Change{Writes: []access.Write{access.PartnerWrite{Before: first, After: &second}}})); err != nil {
		t.Fatal(err)
	}
	wantList(t, "renamed: the search for w", tb.search("w"), partnerID)
	wantList(t, "renamed: the search for v10 v11", tb.search("v10 v11"), partnerID, "many")
}

func TestTheDirectoryIsSortedByNameOverAllShards(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	var writes []access.Write
	for i := range 23 {
		writes = append(writes, access.PartnerWrite{After: partnerNamed(fmt.Sprintf("p%02d", i*7%23), fmt.Sprintf("Näme %02d", i))})
	}
	writes = append(
		writes, access.PartnerWrite{After: partnerNamed("same-b", "name 05")}, access.PartnerWrite{After: partnerNamed("same-a", "NAME 05")},
		access.PartnerWrite{After: partnerNamed("latest", "東京")}, access.PartnerWrite{After: partnerNamed("first", "& Co")},
	)
	tb.save(t, writes...)
	want := []string{"first"}
	for i := range 23 {
		want = append(want, fmt.Sprintf("p%02d", i*7%23))
		if i == 5 {
			want = append(want, "same-a", "same-b")
		}
	}
	slices.Sort(want[6:9]) // the three that are called the same: by their ids
	want = append(want, "latest")
	wantList(t, "the directory", tb.search(""), partnerID, want...)
	even := func(ctx context.Context, ask access.PageRequest) (access.Page[access.Partner], error) {
		return tb.Partners(ctx, "", func(p *access.Partner) bool { return strings.HasSuffix(p.Name, "0") }, ask)
	}
	wantList(t, "a part of the directory", even, partnerID, want[1], want[13], want[23])
}

func TestADirectoryOfHundredsIsPagedWhole(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	const n = 450
	var writes []access.Write
	for i := range n {
		writes = append(writes, access.PartnerWrite{After: partnerNamed(fmt.Sprintf("p%03d", n-i), fmt.Sprintf("n%03d", i))})
	}
	for part := range slices.Chunk(writes, 40) { // each has a word besides
		tb.save(t, part...)
	}
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("p%03d", n-i))
	}
	for _, limit := range []int{7, 50, 99, 100} {
		for query, about := range map[string]string{"": "the directory", "n": "a search that all match"} {
			got, pages := pageThrough(t, about, tb.search(query), partnerID, limit)
			if !slices.Equal(got, want) {
				t.Errorf("%s, %d a page: got %d partners, want %d in order", about, limit, len(got), n)
			}
			if most := n/limit + 1; pages > most {
				t.Errorf("%s, %d a page: got %d pages, want %d", about, limit, pages, most)
			}
		}
	}
	last := func(ctx context.Context, ask access.PageRequest) (access.Page[access.Partner], error) {
		return tb.Partners(ctx, "", func(p *access.Partner) bool { return p.ID == want[n-1] }, ask)
	}
	if got, pages := pageThrough(t, "the last one", last, partnerID, 10); !slices.Equal(got, want[n-1:]) || pages != 2 {
		t.Errorf("the last of %d: got %q in %d pages, want it in 2, the first being empty", n, got, pages)
	}
}

func grantFor(customer, partner string, edit ...func(*access.Grant)) *access.Grant {
	g := &access.Grant{
		ID: "grt_" + customer + partner, Customer: customer, Partner: partner, Level: access.View, State: access.StateOpen, From: noon,
		AssignedBy: access.ByCustomer,
		Epoch:      1, Created: noon, Updated: noon, Version: 1,
	}
	for _, e := range edit {
		e(g)
	}
	return g
}

func ended(g *access.Grant) {
	g.State, g.End = access.StateEnded, &access.End{Reason: access.RevokedByCustomer, At: noon}
}

func suspended(g *access.Grant) { g.State = access.StateSuspended }
func later(g *access.Grant)     { g.From = noon.Add(time.Hour) }
func brief(g *access.Grant)     { g.Until = noon.Add(time.Minute) }

func TestACustomersGrantsAreListedAndFiltered(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	acme := &access.Customer{ID: "acme", Name: "Acme", Status: access.Active, Version: 1}
	gone := partnerNamed("gone", "Gone Services")
	gone.Status = access.Removed
	tb.save(
		t, access.CustomerWrite{After: acme}, access.PartnerWrite{After: gone},
		access.PartnerWrite{After: partnerNamed("a", "Alpha Services")}, access.PartnerWrite{After: partnerNamed("b", "Beta")},
		access.PartnerWrite{After: partnerNamed("c", "Gamma Services")},
		access.PartnerWrite{After: partnerNamed("d", "Delta")}, access.PartnerWrite{After: partnerNamed("e", "Epsilon Services")},
		access.GrantWrite{After: grantFor("acme", "a")}, access.GrantWrite{After: grantFor("acme", "b", ended)},
		access.GrantWrite{After: grantFor("acme", "c", suspended)},
		access.GrantWrite{After: grantFor("acme", "d", later)}, access.GrantWrite{After: grantFor("acme", "e", brief)},
		access.GrantWrite{After: grantFor("acme", "gone")},
		access.GrantWrite{After: grantFor("acme2", "a")}, access.GrantWrite{After: grantFor("acm", "a")},
		access.HeadcountWrite{After: &access.Headcount{Partner: "a", Staff: 42, Version: 1}},
	)
	list := func(f access.GrantFilter) lister[access.GrantRow] {
		return func(ctx context.Context, ask access.PageRequest) (access.Page[access.GrantRow], error) {
			page, err := tb.CustomerGrants(ctx, acme, f, ask)
			return page.Page, err
		}
	}
	name := func(r access.GrantRow) string {
		if r.Partner == nil || r.Partner.ID != r.Grant.Partner || r.Customer != acme {
			t.Errorf("got the row %+v, want its own partner and customer", r)
		}
		return r.Grant.Partner + " " + string(r.Grant.Status(r.Partner, noon))
	}
	wantList(t, "what has not ended", list(access.GrantFilter{Now: noon}), name, "a active", "c suspended", "d scheduled", "e active")
	wantList(t, "at the end of a period", list(access.GrantFilter{Now: noon.Add(time.Minute)}), name, "a active", "c suspended", "d scheduled")
	wantList(t, "what is active", list(access.GrantFilter{Now: noon, Statuses: []string{"active"}}), name, "a active", "e active")
	wantList(t, "what has ended or is suspended", list(access.GrantFilter{Now: noon, Statuses: []string{"ended", "suspended"}}), name,
		"b ended", "c suspended", "gone ended")
	wantList(t, "a search", list(access.GrantFilter{Now: noon, Query: "serv"}), name, "a active", "c suspended", "e active")
	wantList(t, "a search by id", list(access.GrantFilter{Now: noon, Query: "D"}), name, "d scheduled")
	wantList(t, "a search that finds nothing", list(access.GrantFilter{Now: noon, Query: "zzz"}), name)
	page, err := list(access.GrantFilter{Now: noon})(t.Context(), access.PageRequest{Limit: 1})
	if err != nil || len(page.Items) != 1 || page.Items[0].Headcount.Staff != 42 {
		t.Errorf("got %+v (%v), want the partner's headcount beside the grant", page.Items, err)
	}
}

func TestAListThatIsNearlyAllFilteredOutIsStillWhole(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	acme := &access.Customer{ID: "acme", Name: "Acme", Status: access.Active, Version: 1}
	tb.save(t, access.CustomerWrite{After: acme}, access.PartnerWrite{After: partnerNamed("contoso", "Contoso")})
	var writes []access.Write
	var wantPartners, wantCustomers []string
	for i := range 950 {
		id := fmt.Sprintf("x%04d", i)
		keep := i == 0 || i == 401 || i == 402 || i == 949
		how := ended
		if keep {
			how = suspended
			wantPartners, wantCustomers = append(wantPartners, id), append(wantCustomers, id)
			tb.save(t, access.PartnerWrite{After: partnerNamed(id, "Partner "+id)},
				access.CustomerWrite{After: &access.Customer{ID: id, Name: "C", Status: access.Active, Version: 1}})
		}
		writes = append(writes, access.GrantWrite{After: grantFor("acme", id, how)}, access.GrantWrite{After: grantFor(id, "contoso", how)})
	}
	tb.save(t, writes...)
	f := access.GrantFilter{Now: noon}
	grants := func(ctx context.Context, ask access.PageRequest) (access.Page[access.GrantRow], error) {
		page, err := tb.CustomerGrants(ctx, acme, f, ask)
		return page.Page, err
	}
	wantList(t, "four of 950 grants of a customer", grants, func(r access.GrantRow) string { return r.Grant.Partner }, wantPartners...)
	customers := func(ctx context.Context, ask access.PageRequest) (access.Page[access.GrantRow], error) {
		page, err := tb.PartnerCustomers(ctx, partnerNamed("contoso", "Contoso"), f, ask)
		return page.Page, err
	}
	wantList(t, "four of 950 customers of a partner", customers, func(r access.GrantRow) string { return r.Customer.ID }, wantCustomers...)
	was := len(tb.line.seen())
	if _, err := grants(t.Context(), access.PageRequest{Limit: 100}); err != nil {
		t.Fatal(err)
	}
	if got := tb.line.seen()[was:]; len(got) > 16 {
		t.Errorf("got %d requests for one page, want a bounded number: %v", len(got), got)
	}
}

func TestAPartnersCustomersAreListedAndFiltered(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	contoso := partnerNamed("contoso", "Contoso")
	customer := func(id, name, domain string) access.Write {
		return access.CustomerWrite{After: &access.Customer{ID: id, Name: name, Domain: domain, Status: access.Active, Version: 1}}
	}
	user := &access.User{
		ID: kim, Partner: "contoso", Number: 1, Email: "kim@contoso.example", Role: access.External, Status: access.Active,
		Version: 1,
	}
	in := func(customer string, epoch int64) access.Write {
		return access.AssignmentWrite{After: &access.Assignment{Customer: customer, Partner: "contoso", User: kim, Epoch: epoch, Version: 1}}
	}
	tb.save(
		t, access.PartnerWrite{After: contoso}, access.UserWrite{After: user},
		access.HeadcountWrite{After: &access.Headcount{Partner: "contoso", LastNumber: 1, Version: 1}},
		customer("a", "Alpha", "alpha.example"), customer("b", "Beta", "beta.example"), customer("c", "Gamma Alpha", "c.example"),
		customer("d", "Delta", ""),
		access.GrantWrite{After: grantFor("a", "contoso")}, access.GrantWrite{After: grantFor("b", "contoso", ended)},
		access.GrantWrite{After: grantFor("c", "contoso")},
		access.GrantWrite{After: grantFor("d", "contoso", suspended)}, access.GrantWrite{After: grantFor("a", "contoso2")},
		access.GrantWrite{After: grantFor("nobody", "contoso")},
		in("a", 1), in("b", 1), in("c", 0), in("d", 1),
	)
	list := func(f access.GrantFilter) lister[access.GrantRow] {
		return func(ctx context.Context, ask access.PageRequest) (access.Page[access.GrantRow], error) {
			page, err := tb.PartnerCustomers(ctx, contoso, f, ask)
			return page.Page, err
		}
	}
	name := func(r access.GrantRow) string {
		level, in := access.EffectiveLevel(r.Viewer, r.Customer.ID, noon)
		return fmt.Sprint(r.Customer.ID, " ", level, " ", in)
	}
	wantList(t, "for nobody in particular", list(access.GrantFilter{Now: noon}), name, "a none false", "c none false", "d none false")
	wantList(t, "for a user", list(access.GrantFilter{Now: noon, Viewer: kim}), name, "a view true", "c none false", "d none false")
	wantList(t, "what the user can enter", list(access.GrantFilter{Now: noon, Viewer: kim, OnlyAccessible: true}), name, "a view true")
	wantList(t, "with what has ended", list(access.GrantFilter{Now: noon, Viewer: kim, Statuses: []string{"ended"}}), name, "b none false")
	wantList(t, "a search by name", list(access.GrantFilter{Now: noon, Query: "ALPH"}), name, "a none false", "c none false")
	wantList(t, "a search by domain", list(access.GrantFilter{Now: noon, Query: "C.EX"}), name, "c none false")
	wantList(t, "a search by id", list(access.GrantFilter{Now: noon, Query: "d"}), name, "d none false")
}

func TestTheUsersOfAGrantAreListed(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	var writes []access.Write
	var id []string
	for i := range 8 {
		u := &access.User{
			ID: "contoso:" + eventID(noon, byte(i)), Partner: "contoso", Number: int64(i + 1), Name: fmt.Sprint("User ", i),
			Role: access.Tech, Status: access.Active, Version: 1,
		}
		switch i {
		case 5:
			u.Role = access.External
		case 6:
			u.Status = access.Removed
		case 7:
			u.Status = access.Disabled
		}
		id = append(id, u.ID)
		writes = append(writes, access.UserWrite{After: u})
	}
	row := func(i int, epoch int64, out bool) access.Write {
		return access.AssignmentWrite{After: &access.Assignment{
			Customer: "acme", Partner: "contoso", User: id[i], Epoch: epoch, Excluded: out,
			Version: 1,
		}}
	}
	writes = append(
		writes, row(0, 2, false), row(1, 2, true), row(2, 1, false), row(5, 2, false), row(6, 2, false), row(7, 2, false),
		access.UserWrite{After: &access.User{ID: "contoso2:" + eventID(noon, 1), Partner: "contoso2", Status: access.Active, Version: 1}},
		access.AssignmentWrite{After: &access.Assignment{
			Customer: "acme", Partner: "contoso2", User: "contoso2:" + eventID(noon, 1), Epoch: 2,
			Version: 1,
		}},
	)
	tb.save(t, writes...)
	list := func(edit func(*access.Grant)) lister[access.GrantUser] {
		g := grantFor("acme", "contoso", func(g *access.Grant) { g.Epoch = 2 }, edit)
		return func(ctx context.Context, ask access.PageRequest) (access.Page[access.GrantUser], error) {
			return tb.GrantUsers(ctx, g, ask)
		}
	}
	name := func(u access.GrantUser) string { return u.User.Name }
	wantList(t, "picked one by one", list(func(*access.Grant) {}), name, "User 0", "User 5", "User 7")
	wantList(t, "everyone", list(func(g *access.Grant) { g.Everyone = true }), name, "User 0", "User 1", "User 2", "User 3", "User 4",
		"User 5", "User 7")
	wantList(t, "everyone up to the third", list(func(g *access.Grant) { g.EveryoneUpTo = 3 }), name, "User 0", "User 2", "User 5", "User 7")
	wantList(t, "nobody", list(func(g *access.Grant) { g.Epoch = 9 }), name)
}

func TestAPartnersUsersAndACustomersMembersAreListed(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	var writes []access.Write
	for i := range 9 {
		u := &access.User{
			ID: "contoso:" + eventID(noon, byte(i)), Partner: "contoso", Email: fmt.Sprintf("u%d@contoso.example", i),
			Name: fmt.Sprintf("Zoë %d", i), Role: access.Tech, Status: access.Active, Version: 1,
		}
		switch i {
		case 3:
			u.Status = access.Removed
		case 4:
			u.Status = access.Disabled
		}
		writes = append(writes, access.UserWrite{After: u})
		writes = append(writes,
			access.MemberWrite{After: &access.Member{Customer: "acme", Email: fmt.Sprintf("m%d@acme.example", 8-i), Created: noon, Version: 1}})
	}
	writes = append(
		writes, access.UserWrite{After: &access.User{
			ID: "contoso-2:" + eventID(noon, 1), Partner: "contoso-2", Name: "Zoë", Status: access.Active, Version: 1,
		}},
		access.MemberWrite{After: &access.Member{Customer: "acme2", Email: "m@acme.example", Version: 1}},
		access.CustomerWrite{After: &access.Customer{ID: "acme", Version: 1}},
		access.HeadcountWrite{After: &access.Headcount{Partner: "contoso", Version: 1}},
	)
	tb.save(t, writes...)
	users := func(query string, onlyActive bool) lister[access.User] {
		return func(ctx context.Context, ask access.PageRequest) (access.Page[access.User], error) {
			return tb.Users(ctx, "contoso", query, onlyActive, ask)
		}
	}
	name := func(u access.User) string { return strings.TrimPrefix(u.Name, "Zoë ") }
	wantList(t, "users", users("", false), name, "0", "1", "2", "4", "5", "6", "7", "8")
	wantList(t, "active users", users("", true), name, "0", "1", "2", "5", "6", "7", "8")
	wantList(t, "users by a word", users("ZOE", true), name, "0", "1", "2", "5", "6", "7", "8")
	wantList(t, "users by two words", users("zo 7", false), name, "7")
	wantList(t, "users by address", users("U2@", false), name, "2")
	wantList(t, "users by what nobody is called", users("x", false), name)
	members := func(ctx context.Context, ask access.PageRequest) (access.Page[access.Member], error) {
		return tb.Members(ctx, "acme", ask)
	}
	wantList(t, "members", members, func(m access.Member) string { return m.Email }, numbered("m%d@acme.example", 0, 8)...)
}

func TestHistoryIsNewestFirstAndFiltered(t *testing.T) {
	t.Parallel()
	tb := newTable(t)
	acme, contoso := &events.Organisation{ID: "acme"}, &events.Organisation{ID: "contoso"}
	var c access.Change
	for i := range 12 {
		at := noon.Add(time.Duration(i) * time.Second)
		made := at
		if i == 6 {
			made = at.Add(2 * time.Millisecond) // an id is made a little after its event's instant
		}
		e := events.Event{
			ID: eventID(made, byte(i)), Type: events.GrantEdited, Time: at, Customer: acme, Partner: contoso,
			Data: events.Data{Version: int64(i)},
		}
		switch {
		case i%4 == 1:
			e.Type = events.GrantRevoked
		case i == 10:
			e.Type, e.Customer = events.UserCreated, nil // the partner's alone
		case i == 11:
			e.Type, e.Partner = events.MemberAdded, nil // the customer's alone
		}
		c.Events = append(c.Events, e)
	}
	c.Events = append(
		c.Events,
		events.Event{
			ID: eventID(noon, 99), Time: noon, Customer: &events.Organisation{ID: "acme2"},
			Partner: &events.Organisation{ID: "contoso2"},
		},
		events.Event{
			ID: eventID(noon.Add(6*time.Second), 200), Type: events.GrantEdited, Time: noon.Add(6 * time.Second), Customer: acme,
			Partner: contoso, Data: events.Data{Version: 60},
		},
	)
	if err := tb.Apply(t.Context(), planOf(c)); err != nil {
		t.Fatal(err)
	}
	customer := func(f access.HistoryFilter) lister[events.Event] {
		return func(ctx context.Context, ask access.PageRequest) (access.Page[events.Event], error) {
			return tb.CustomerHistory(ctx, "acme", f, ask)
		}
	}
	partner := func(f access.HistoryFilter) lister[events.Event] {
		return func(ctx context.Context, ask access.PageRequest) (access.Page[events.Event], error) {
			return tb.PartnerHistory(ctx, "contoso", f, ask)
		}
	}
	name := func(e events.Event) string { return fmt.Sprint(e.Data.Version) }
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	wantList(t, "a customer's history", customer(access.HistoryFilter{}), name, "11", "9", "8", "7", "6", "60", "5", "4", "3", "2", "1", "0")
	wantList(t, "a partner's history", partner(access.HistoryFilter{}), name, "10", "9", "8", "7", "6", "60", "5", "4", "3", "2", "1", "0")
	for side, list := range map[string]func(access.HistoryFilter) lister[events.Event]{"customer": customer, "partner": partner} {
		wantList(t, side+": of one type", list(access.HistoryFilter{Type: events.GrantRevoked}), name, "9", "5", "1")
		wantList(t, side+": of a type that there is none of", list(access.HistoryFilter{Type: events.GrantExpired}), name)
		wantList(t, side+": from", list(access.HistoryFilter{From: at(8 * time.Second), Until: at(10 * time.Second)}), name, "9", "8")
		wantList(t, side+": from a millisecond later",
			list(access.HistoryFilter{From: at(8*time.Second + time.Millisecond), Until: at(10 * time.Second)}), name, "9")
		wantList(t, side+": until", list(access.HistoryFilter{Until: at(2 * time.Second)}), name, "1", "0")
		wantList(t, side+": until a millisecond later", list(access.HistoryFilter{Until: at(2*time.Second + time.Millisecond)}), name, "2", "1",
			"0")
		wantList(t, side+": until just after an event whose id was made late",
			list(access.HistoryFilter{From: at(6 * time.Second), Until: at(6*time.Second + time.Millisecond)}), name, "6", "60")
		wantList(t, side+": from just after it",
			list(access.HistoryFilter{From: at(6*time.Second + time.Millisecond), Until: at(8 * time.Second)}), name, "7")
		wantList(t, side+": of one type in a period",
			list(access.HistoryFilter{Type: events.GrantRevoked, From: at(time.Second), Until: at(9 * time.Second)}), name, "5", "1")
		wantList(t, side+": a period that is empty", list(access.HistoryFilter{From: at(5 * time.Second), Until: at(5 * time.Second)}), name)
		wantList(t, side+": before 1970", list(access.HistoryFilter{Until: time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)}), name)
	}
	wantList(t, "of nobody", func(ctx context.Context, ask access.PageRequest) (access.Page[events.Event], error) {
		return tb.CustomerHistory(ctx, "nobody", access.HistoryFilter{}, ask)
	}, name)
}
