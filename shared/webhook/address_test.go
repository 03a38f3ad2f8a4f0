package webhook_test

import (
	"net/netip"
	"strings"
	"testing"

	"partneraccess/shared/webhook"
)

func TestOnlyAddressesThatAnybodyReachesAreSentTo(t *testing.T) {
	for address, want := range map[string]string{
		"https://hooks.example.com/x?y=1":                "",
		"https://hooks.example.com:8443/":                "",
		"https://hooks.example.com:443":                  "",
		"https://8.8.8.8/":                               "",
		"https://[2606:4700:4700::1111]/":                "",
		"http://hooks.example.com/":                      "https://",
		"ftp://hooks.example.com/":                       "https://",
		"https://hooks.example.com:80/":                  "port",
		"https://hooks.example.com:22/":                  "port",
		"https://ann:secret@hooks.example.com":           "user or password",
		"https://ann@hooks.example.com":                  "user or password",
		"https://hooks.example.com/#part":                "#",
		"https://hooks.example.com/#":                    "#",
		"https:///x":                                     "no host",
		"https://":                                       "no host",
		"https:hooks.example.com":                        "no host",
		"//hooks.example.com":                            "https://",
		"hooks.example.com":                              "https://",
		"":                                               "https://",
		"https://hooks.example.com/a b":                  "no address",
		"https://hooks.example.com/\r\nX: y":             "no address",
		"https://hööks.example.com/":                     "no address",
		"https://hooks.example.com/%zz":                  "no address",
		"https://hooks.example.com:port/":                "no address",
		"https://127.0.0.1/":                             "not public",
		"https://169.254.169.254/latest":                 "not public",
		"https://[::1]/":                                 "not public",
		"https://[::ffff:10.0.0.1]/":                     "not public",
		"https://[fe80::1%25eth0]/":                      "not public",
		"https://[64:ff9b::a9fe:a9fe]/":                  "not public",
		"https://h.example/" + strings.Repeat("x", 2048): "at most 2048",
	} {
		err := webhook.CheckURL(address)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", address, err, want)
		}
	}
}

// The first and the last address of each range that is kept for something, and their neighbours outside.
func TestWhatIANAKeepsForSpecialUseIsNotPublic(t *testing.T) {
	for _, ip := range strings.Fields(`
		0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255 169.254.0.0 169.254.169.254
		169.254.170.2 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.255 192.0.2.1 192.88.99.1 192.168.0.0 192.168.255.255 198.18.0.0
		198.19.255.255 198.51.100.1 203.0.113.255 224.0.0.0 239.255.255.255 240.0.0.0 255.255.255.255
		:: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 2001::1 2001:1ff:ffff::
		2001:db8::1
		2002:7f00:1:: 3fff::1 3fff:fff:: 5f00::1 fc00::1 fd00:ec2::254 fdff:: fe80::1 febf:: fec0::1 ff02::1 4000::1`) {
		if webhook.Public(netip.MustParseAddr(ip)) {
			t.Errorf("%s is public", ip)
		}
	}
	for _, ip := range strings.Fields(`
		1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0
		192.0.1.0
		192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
		2001:200::1 2001:db7:: 2001:db9:: 2003::1 2606:4700:4700::1111 3ffe:ffff:: 3fff:1000::`) {
		if !webhook.Public(netip.MustParseAddr(ip)) {
			t.Errorf("%s is not public", ip)
		}
	}
	if webhook.Public(netip.Addr{}) || webhook.Public(netip.MustParseAddr("2606:4700::1%eth0")) {
		t.Error("no address, or one with a zone, is public")
	}
}
