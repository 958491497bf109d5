module account-api/browser

go 1.26.6

toolchain go1.26.8

require (
	account-api v0.0.0
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
)

require github.com/go-json-experiment/json v0.0.0-20260820222146-c27c302e5fc3 // indirect

replace account-api => ../
