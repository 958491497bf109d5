// Package browser tests what a page can do with the API, in a real Chromium: whether it
// can read an answer is the browser's decision, and curl does not make it. It also uses
// the web console of the local run as a person would.
//
// It is a module of its own because chromedp, which drives the browser, is for these
// tests alone. It has nothing but tests: make test-browser.
package browser
