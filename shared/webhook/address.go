package webhook

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// maxURL is how many bytes an address may have.
const maxURL = 2048

// CheckURL says what is wrong with an address to send to: only https, to port 443 or 8443, without a user, a password or a fragment, and
// not to an address of the Internet Protocol that is not public. Where a name leads to is seen when something is sent, each time.
func CheckURL(raw string) error {
	if len(raw) > maxURL {
		return fmt.Errorf("the address has %d bytes: at most %d", len(raw), maxURL)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("this is no address: name one such as https://example.com/hooks, international names in their ASCII form")
	case u.Scheme != "https":
		return errors.New("the address has to begin with https://")
	case u.User != nil:
		return errors.New("a user or password in the address is not sent: remove it, and check the signature instead")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return errors.New("what follows a # is never sent: remove it")
	case u.Hostname() == "":
		return errors.New("the address names no host")
	case u.Port() != "" && u.Port() != "443" && u.Port() != "8443":
		return errors.New("the port has to be 443 or 8443")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !Public(ip) {
		return errors.New("the address is not public")
	}
	return nil
}

// Public reports whether anybody on the Internet means the same host by an address. Whatever IANA keeps for special use is not, and
// neither is an address of IPv6 that carries one of IPv4 (mapped, compatible, translated, tunnelled): a gateway would unwrap it.
// https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
func Public(ip netip.Addr) bool {
	if !ip.IsValid() || ip.Zone() != "" {
		return false
	}
	if ip.Is6() && !netip.MustParsePrefix(globalIPv6).Contains(ip) {
		return false
	}
	for _, p := range special() {
		if netip.MustParsePrefix(p).Contains(ip) {
			return false
		}
	}
	return true
}

// globalIPv6 is all that IANA has allocated for unicast (RFC 4291, section 2.4); loopback, link-local, unique local, mapped
// (::ffff:0:0/96) and translated (64:ff9b::/96) addresses lie outside, and so does AWS's fd00:ec2::254.
const globalIPv6 = "2000::/3"

func special() []string {
	return []string{
		"0.0.0.0/8",       // this network
		"10.0.0.0/8",      // private
		"100.64.0.0/10",   // shared by a provider's customers
		"127.0.0.0/8",     // loopback
		"169.254.0.0/16",  // link-local; the metadata and credentials of EC2, ECS and Lambda
		"172.16.0.0/12",   // private
		"192.0.0.0/24",    // protocol assignments
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // relays from IPv6
		"192.168.0.0/16",  // private
		"198.18.0.0/15",   // benchmarks
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"224.0.0.0/3",     // multicast, reserved, broadcast
		"2001::/23",       // protocol assignments, Teredo and ORCHID among them
		"2001:db8::/32",   // documentation
		"2002::/16",       // 6to4: an address of IPv4 within
		"3fff::/20",       // documentation
	}
}
