// Package browser tests the API and the web console of the local run in a real Chromium.
// CORS is enforced by browsers only: curl reads every answer.
//
// It is a module of its own because the product does not need chromedp, which drives the
// browser. It has nothing but tests: make test-browser.
package browser
