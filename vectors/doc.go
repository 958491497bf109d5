// Package vectors holds the verifier and the key set reader to the public test vectors
// of C2SP's Wycheproof project (https://github.com/C2SP/wycheproof).
//
// It is a module of its own because the vectors are large and the product does not need
// them to be built. It has nothing but tests: go test -C vectors ./...
package vectors
