// Package vectors tests the verifier and the key set reader with the public test vectors
// of C2SP's Wycheproof project (https://github.com/C2SP/wycheproof), and compares the
// verifier with another library.
//
// It is a module of its own because the vectors are large and the product needs neither.
// It has nothing but tests: go test -C vectors .
package vectors
