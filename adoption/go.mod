// What an adopter does on the first day, tried on a copy of the project. It is apart from
// the product because it takes minutes: run it with go test -C adoption ./...
module account-api/adoption

go 1.26.6

toolchain go1.26.11
