module account-api/browser

go 1.26.6

toolchain go1.26.11

require (
	account-api v0.0.0
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
)

require github.com/go-json-experiment/json v1.27.2 // indirect

replace account-api => ../
