package jwks

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

const (
	// attemptDeadline is for one lookup, and for one connection. Go's resolver would wait
	// five seconds for a lost packet, and the kernel one, then two, then four.
	attemptDeadline = time.Second
	// maxAttempts is more than any fetch has time for. It ends a dial whose request is gone.
	maxAttempts = 5
)

// dialer looks up a host and connects to it. It repeats what was lost on the way.
type dialer struct{ resolver *net.Resolver }

func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var found []netip.Addr
	err = persist(ctx, func(ctx context.Context, _ int) error {
		found, err = d.resolver.LookupNetIP(ctx, "ip", host)
		return err
	})
	if err != nil {
		return nil, err
	}
	var connection net.Conn
	err = persist(ctx, func(ctx context.Context, attempt int) error {
		// A refusal is quick. Of addresses that do not answer, the next one has its turn.
		for i := range found {
			next := found[(attempt+i)%len(found)].String()
			connection, err = (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(next, port))
			if err == nil || ctx.Err() != nil {
				break
			}
		}
		return err
	})
	return connection, err
}

// persist repeats an attempt that took too long.
func persist(ctx context.Context, try func(ctx context.Context, attempt int) error) (err error) {
	for attempt := range maxAttempts {
		limited, cancel := context.WithTimeout(ctx, attemptDeadline)
		err = try(limited, attempt)
		cancel()
		late, ok := errors.AsType[net.Error](err)
		if err == nil || ctx.Err() != nil || !ok || !late.Timeout() {
			break
		}
	}
	return err
}
