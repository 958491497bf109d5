// The page's script: sends requests as any page on another origin would, and keeps the
// page up to date. What it inserts as HTML is made and escaped by the console; what
// comes from anywhere else is inserted as text.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const shown = Number(document.body.dataset.kept); // as many requests as the console keeps

const send = $("#send"), edit = $("#edit"), detail = $("#detail"), list = $("#exchanges");

// The console and the API are on this machine: no answer means that make run has ended.
const gone = "make run does not answer. Is it still running? Start it again, and this page follows.";

async function ask(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name !== "AbortError") error.message = gone;
    throw error;
  }
}

async function post(path, form, options) {
  const response = await ask(path, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams(form),
    ...options,
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

// busy runs an action of a button once at a time, and shows what goes wrong.
async function busy(button, where, action) {
  if (button.getAttribute("aria-disabled")) return;
  button.setAttribute("aria-disabled", "true"); // and not disabled, which loses the focus
  try {
    where.textContent = (await action()) || "";
  } catch (error) {
    where.textContent = error.message;
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

// Opening a request.

// open shows the request that a query names, unless another one was asked for meanwhile. It
// reports whether there is one.
let opening = 0;
async function open(query) {
  const turn = ++opening;
  const response = await ask("/request?" + new URLSearchParams(query));
  if (!response.ok) return false;
  const html = await response.text();
  if (turn !== opening) return true;
  detail.innerHTML = html;
  const number = $("article", detail).dataset.number;
  history.replaceState(null, "", "/?" + new URLSearchParams({ ...(edit && { rule: edit.elements.name.value }), number }));
  marked();
  return true;
}

// marked marks the open request in the list.
function marked() {
  const number = $("article", detail)?.dataset.number;
  for (const link of list.querySelectorAll("a")) {
    if (link.dataset.number === number) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function tell(text) {
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent = text;
  detail.replaceChildren(hint);
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-number]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  try {
    if (!(await open({ number: link.dataset.number }))) tell(`Request ${link.dataset.number} is gone: the console keeps the latest ${shown}.`);
    if (!list.contains(link) || matchMedia("(max-width: 63.99rem)").matches) $("#opened").scrollIntoView();
  } catch (error) {
    tell(error.message);
  }
});

list.addEventListener("keydown", (event) => {
  const item = event.target.closest("li");
  const next = { ArrowDown: item?.nextElementSibling, ArrowUp: item?.previousElementSibling }[event.key];
  if (!next) return;
  event.preventDefault();
  $("a", next).focus();
});

detail.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const number = button.closest("article").dataset.number;
  if (button.dataset.again) {
    busy(button, $(".did", detail), async () => {
      await open({ request: (await post("/again", { number })).request });
      $("button", detail)?.focus();
    });
  } else if (button.dataset.copy) {
    busy(button, $(".did", detail), async () => {
      const response = await ask("/copy?" + new URLSearchParams({ number, as: button.dataset.copy }));
      const text = await response.text();
      if (!response.ok) return text;
      $(".copied", detail).textContent = text;
      $(".copied", detail).hidden = false;
      try {
        await navigator.clipboard.writeText(text);
        return "Copied.";
      } catch {
        return "The browser does not let the page copy: the text is below.";
      }
    });
  }
});

// Sending.

// The header's value of the pasted token, which no form field sends anywhere.
function pasted() {
  const token = $("#token").value.trim();
  return token && (/^bearer /i.test(token) ? token : "Bearer " + token);
}

async function request() {
  const { authorization: made, after } = await post("/prepare", new FormData(send));
  const secret = !document.body.dataset.mints && $("#preset").value === "pasted";
  const authorization = secret ? pasted() : made;
  const headers = authorization ? { Authorization: authorization } : {};
  const body = /^(POST|PUT|PATCH)$/.test($("#method").value) && $("#body").value ? $("#body").value : undefined;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch($("#url").value, { method: $("#method").value, headers, body, credentials: "omit", referrerPolicy: "no-referrer" });
    await response.arrayBuffer();
  } catch {
    // All that a page gets to know. The API's side of it says more.
    if (await open({ "blocked-after": after })) return heard("The browser keeps the answer from this page. ");
    tell(`No answer from ${$("#url").value}. Does the URL lead to the API, and is make run running?`);
    return heard(detail.textContent);
  }
  const id = response.headers.get("x-amzn-requestid");
  if (!id || !(await open({ request: id }))) tell(`${response.status}, and the answer names no request of this API. Does the URL lead to it?`);
  heard("");
}

// heard lets a screen reader say the outcome; the rest is there to be read.
function heard(text) {
  $("#heard").textContent = text + ($("article h3", detail)?.textContent || "");
}

send.addEventListener("submit", (event) => {
  event.preventDefault();
  busy($("[type=submit]", send), $("#said"), request);
});

for (const button of document.querySelectorAll("[data-post]")) {
  button.addEventListener("click", () => busy(button, $("#said"), async () => (await post(button.dataset.post)).message));
}

$("#preset").addEventListener("change", (event) => {
  $("#preset-hint").textContent = event.target.selectedOptions[0].dataset.hint;
});

// Callers.

$("#caller")?.addEventListener("change", (event) => {
  const { caller, policy, name } = event.target.selectedOptions[0].dataset;
  if (!caller) return;
  const { scope = "", permissions = "", principal = "", azp = "", claims } = JSON.parse(caller);
  const scopes = new Set(scope.split(" ").filter(Boolean));
  for (const box of send.querySelectorAll("[type=checkbox][name=scope]")) box.checked = scopes.delete(box.value);
  $("#scopes").value = [...scopes].join(" ");
  $("#permissions").value = permissions;
  $("#sub").value = principal;
  $("#azp").value = azp;
  $("#claims").value = claims ? JSON.stringify(claims) : "";
  if ($("#name")) $("#name").value = name;
  if ($("#policy") && policy) $("#policy").value = policy;
});

$("#describe")?.addEventListener("input", (event) => {
  if (event.target.id !== "name") $("#caller").selectedIndex = 0; // it is another caller now
});

for (const id of ["keep", "forget"]) {
  $("#" + id)?.addEventListener("click", (event) => busy(event.target, $("#said"), async () => {
    const form = new FormData(send);
    if (id === "forget") form.set("forget", "yes");
    const { message, html } = await post("/caller", form);
    $("#caller").innerHTML = html;
    return message;
  }));
}

// Editing.

if (edit) {
  const text = $("#text"), head = $("#head"), saved = $("#saved"), outcome = $("#outcome");
  const editor = makeEditor(text, () => head.value.split("\n").length);
  const whole = () => head.value + text.value;
  let clean = whole();
  const dirty = () => whole() !== clean;

  // adopt takes a rule for what is on disk, and shows it unless the text was edited meanwhile.
  let adopted = 0;
  const adopt = (rule, edited) => {
    adopted++;
    edit.elements.version.value = rule.version;
    clean = rule.head + rule.text;
    if (edited) return;
    const caret = text.selectionStart;
    if (head.value !== rule.head) head.value = rule.head;
    if (text.value !== rule.text) {
      text.value = rule.text;
      text.setSelectionRange(caret, caret);
    }
    clean = whole(); // a text field has other newlines than the file may have
    $("#folded").hidden = !rule.head;
    $("#folded span").textContent = rule.head.split("\n").length - 1;
    editor.draw();
  };

  // Only the latest trial counts: what it finds is about the text in the editor.
  let running;
  const trial = async () => {
    clearTimeout(running?.timer);
    running?.abort();
    running = new AbortController();
    const { lines, html } = await post("/try", new FormData(edit), { signal: running.signal });
    editor.show(lines);
    if (Object.keys(lines).some((line) => line < head.value.split("\n").length)) $("#folded").open = true;
    if (outcome.innerHTML !== html) outcome.innerHTML = html;
  };
  const tryQuietly = () => trial().catch((error) => {
    if (error.name !== "AbortError") outcome.textContent = error.message;
  });
  edit.addEventListener("input", () => {
    running?.abort();
    running = { abort: () => clearTimeout(timer) };
    const timer = setTimeout(tryQuietly, 400); // a pause in typing
  });
  $("#try").addEventListener("click", (event) => busy(event.target, saved, trial));

  edit.addEventListener("submit", (event) => {
    event.preventDefault();
    busy($("[type=submit]", edit), saved, async () => {
      const sent = whole();
      const answer = await post("/rule", new FormData(edit));
      adopt(answer.rule, whole() !== sent);
      tryQuietly();
      return answer.message;
    });
  });
  edit.addEventListener("keydown", (event) => {
    if (event.key === "s" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      edit.requestSubmit();
    }
  });
  addEventListener("beforeunload", (event) => {
    if (dirty()) event.preventDefault();
  });

  // Somebody else may have saved the file, in an editor or in another tab.
  let refreshing = 0;
  window.refreshRule = async () => {
    const turn = ++refreshing, before = adopted;
    const response = await ask("/rule?" + new URLSearchParams({ name: edit.elements.name.value }));
    if (!response.ok) return;
    const { rule } = await response.json();
    if (turn !== refreshing || before !== adopted) return; // an answer that is older than the text
    if (rule.version === edit.elements.version.value) return;
    if (dirty()) {
      saved.textContent = "The file has changed on disk. Copy what you need and reload the page.";
      return;
    }
    adopt(rule);
    tryQuietly();
  };
  tryQuietly();
}

// Following.

// A browser keeps six connections to a host, and each stream takes one: a tab that
// nobody looks at lets go of its own, and catches up when it is looked at again.
let events;
let seen = document.body.dataset.last;
let state = $("#status").textContent;

function follow() {
  if (document.hidden) {
    events?.close();
    events = undefined;
  } else if (!events) {
    events = new EventSource("/events?after=" + seen);
    events.addEventListener("open", () => document.body.classList.remove("lost"));
    events.addEventListener("exchange", showExchange);
    events.addEventListener("status", showStatus);
    events.addEventListener("error", showLost);
  }
}
document.addEventListener("visibilitychange", follow);
follow();
marked();

function showExchange(event) {
  seen = event.lastEventId;
  const above = list.scrollHeight;
  list.insertAdjacentHTML("afterbegin", event.data);
  if (list.scrollTop > 0) list.scrollTop += list.scrollHeight - above; // what is looked at stays
  while (list.children.length > shown) list.lastElementChild.remove();
  $("#none").hidden = true;
  marked();
}

function showStatus(event) {
  const part = document.createElement("div");
  part.innerHTML = event.data;
  if (part.textContent.trim() === state.trim()) return; // nothing new to read out
  state = part.textContent;
  $("#news").replaceChildren(...$(".news", part).childNodes);
  $("#status").replaceChildren($(".state", part));
  window.refreshRule?.();
}

function showLost() {
  const lost = document.createElement("p");
  lost.className = "state failed";
  lost.textContent = gone;
  state = "";
  document.body.classList.add("lost");
  $("#status").replaceChildren(lost);
}
