// Package browser drives a real Chromium without a window, to find out what a page may
// do with an API's answers: the browser alone decides that, and curl does not ask.
// It speaks the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)
// over a pipe, and only the few commands that tests of this project need.
//
// It is for tests. It downloads no browser, and reaches whatever its pages ask for.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// names are what distributions call the executable.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// ErrMissing is a machine without Chromium, in words that say what to do about it.
var ErrMissing = errors.New("chromium is not installed, and no stand-in tells what a browser allows:\n" +
	"  Debian, Ubuntu: apt-get install chromium\n" +
	"  macOS:          brew install --cask chromium\n" +
	"  elsewhere:      set CHROMIUM to the executable of Chromium or Chrome")

// Find returns the path of Chromium or Chrome: what CHROMIUM names, or the first one on
// the PATH. Its error is [ErrMissing].
func Find() (string, error) {
	if chosen := os.Getenv("CHROMIUM"); chosen != "" {
		path, err := exec.LookPath(chosen)
		if err != nil {
			return "", fmt.Errorf("CHROMIUM: %w", err)
		}
		return path, nil
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	if bundled := "/Applications/Chromium.app/Contents/MacOS/Chromium"; runtime.GOOS == "darwin" {
		if _, err := os.Stat(bundled); err == nil {
			return bundled, nil
		}
	}
	return "", ErrMissing
}

// Browser is a running Chromium with a fresh profile. Close it after use.
type Browser struct {
	cmd     *exec.Cmd
	profile string // its directory
	tools   *devtools
}

// Launch starts Chromium. It stays quiet: what it writes to its terminal is dropped.
func Launch() (_ *Browser, err error) {
	executable, err := Find()
	if err != nil {
		return nil, err
	}
	b := &Browser{}
	if b.profile, err = os.MkdirTemp("", "browser-"); err != nil {
		return nil, err
	}
	// The browser reads commands from its file 3 and writes to its file 4.
	commandsRead, commands, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(b.profile))
	}
	messages, messagesWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, commandsRead.Close(), commands.Close(), os.RemoveAll(b.profile))
	}
	b.cmd = exec.Command(executable, arguments(b.profile)...)
	b.cmd.ExtraFiles = []*os.File{commandsRead, messagesWrite}
	err = b.cmd.Start()
	// Those ends are the browser's now: as long as we held them, its death would not
	// end our reading.
	err = errors.Join(err, commandsRead.Close(), messagesWrite.Close())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", executable, err), commands.Close(), messages.Close(), os.RemoveAll(b.profile))
	}
	b.tools = newDevtools(messages, commands)
	return b, nil
}

// arguments make the browser the same on every machine: no window, no profile of the
// user, no requests of its own.
func arguments(profile string) []string {
	list := []string{
		"--headless=new", "--remote-debugging-pipe", "--user-data-dir=" + profile,
		"--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-extensions", "--disable-gpu", "--mute-audio", "--password-store=basic",
		// Containers give little shared memory: https://developer.chrome.com/docs/puppeteer/troubleshooting
		"--disable-dev-shm-usage",
	}
	if os.Geteuid() == 0 {
		// Chromium's sandbox refuses to run as root, which tests in a container are.
		list = append(list, "--no-sandbox")
	}
	return append(list, "about:blank")
}

// stopTime is how long the browser may take to leave by itself.
const stopTime = 5 * time.Second

// Close ends the browser and removes its profile.
func (b *Browser) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	asked := b.tools.call(ctx, "", "Browser.close", nil, nil)
	exited := make(chan error, 1)
	go func() { exited <- b.cmd.Wait() }()
	select {
	case <-exited: // asked to end, its status says nothing
	case <-ctx.Done():
		asked = errors.Join(asked, b.cmd.Process.Kill())
		<-exited
	}
	b.tools.close()
	return errors.Join(ignoreGone(asked), removeAll(b.profile))
}

// ignoreGone forgives a browser that was gone before it could answer.
func ignoreGone(err error) error {
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// removeAll tries again for a while: helpers of the browser may still write to the
// profile when the browser is gone.
func removeAll(dir string) (err error) {
	for deadline := time.Now().Add(stopTime); ; time.Sleep(20 * time.Millisecond) {
		if err = os.RemoveAll(dir); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// Version is the browser's name and version, such as Chrome/156.0.8078.79.
func (b *Browser) Version(ctx context.Context) (string, error) {
	var v struct {
		Product string `json:"product"`
	}
	err := b.tools.call(ctx, "", "Browser.getVersion", nil, &v)
	return strings.TrimPrefix(v.Product, "Headless"), err
}
