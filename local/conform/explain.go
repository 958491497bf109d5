package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// explain turns a failed request into one sentence about what to do.
func explain(t target, err error) error {
	host := t.url.Host
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		unknown     x509.UnknownAuthorityError
		other       x509.HostnameError
		invalid     x509.CertificateInvalidError
		operation   *net.OpError
		record      tls.RecordHeaderError
		network     net.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("stopped")
	case errors.As(err, &name) && name.IsNotFound:
		return fmt.Errorf("the host %s does not exist: expected API ID and region as deployed; %s", t.url.Hostname(), urlHint)
	case errors.As(err, &name):
		return fmt.Errorf("the name %s cannot be looked up: is this machine online?", t.url.Hostname())
	case errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &record):
		return fmt.Errorf("%s does not speak TLS: use http://%s%s", host, host, t.url.Path)
	case errors.As(err, &unknown):
		return fmt.Errorf("the certificate of %s is signed by nobody whom this machine trusts: is it the right host, or a proxy that reads along?", host)
	case errors.As(err, &other):
		return fmt.Errorf("the certificate of %s is for another host: is the custom domain's certificate attached?", host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("the certificate of %s has expired or is not valid yet: renew it, or set this machine's clock", host)
	case errors.As(err, &certificate):
		return fmt.Errorf("the certificate of %s cannot be verified: %w", host, certificate.Err)
	case errors.As(err, &operation) && operation.Op == "remote error": // how crypto/tls reports the peer's alert
		return fmt.Errorf("%s refuses the TLS handshake (%w): does the API's security policy allow this client's TLS versions?", host, operation.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on %s: start the API with make run, or correct the URL", host)
	case errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("%s gave no answer within %v: is it reachable from here, and its endpoint not private?", host, answerTime)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		// net/http has no error value for a connection that was closed before the question was sent.
		strings.Contains(err.Error(), "server closed idle connection"):
		return fmt.Errorf("%s closed the connection without an answer", host)
	case strings.Contains(err.Error(), "malformed HTTP"), strings.Contains(err.Error(), "readLoopPeekFailLocked"):
		// net/http has no error values for an answer that is none, nor for one before the
		// question was sent.
		return fmt.Errorf("%s does not answer in HTTP: expected the URL of an API", host)
	default:
		return fmt.Errorf("%s cannot be called: %w", host, err)
	}
}
