// Package loopback tells whether a host name can only mean this machine.
package loopback

import (
	"net/netip"
	"strings"
)

// Is reports whether host, without a port, is this machine: localhost (RFC 6761, section
// 6.3), 127.0.0.0/8 (RFC 1122, section 3.2.1.3) or ::1 (RFC 4291, section 2.5.3). It looks
// up no name.
func Is(host string) bool {
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.IsLoopback()
}
