// The page's script: sends requests as any page on another origin would, and keeps the
// page up to date. What it inserts as HTML is made and escaped by the console; what
// comes from anywhere else is inserted as text.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const shown = 50; // exchanges on the page, as many as the console keeps

const send = $("#send"), edit = $("#edit"), result = $("#result");

async function post(path, form) {
  const response = await fetch(path, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams(form ? new FormData(form) : undefined),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

// The part of a page that explains one exchange, or nothing.
async function explanation(query) {
  const response = await fetch("/explanation?" + new URLSearchParams(query));
  return response.ok ? response.text() : "";
}

// The header's value of the pasted token, which no form field sends anywhere.
function pasted() {
  const token = $("#token").value.trim();
  return token && (/^bearer /i.test(token) ? token : "Bearer " + token);
}

function decoded(authorization) {
  const parts = authorization.split(" ").pop().split(".").slice(0, 2);
  try {
    return parts.map((part) => {
      const bytes = Uint8Array.from(atob(part.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
      return JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)), null, 2);
    }).join("\n");
  } catch {
    return "";
  }
}

function show({ code, text, body, headers, authorization, steps }) {
  const part = $("#answered").content.cloneNode(true);
  $(".code", part).textContent = code;
  $(".code", part).classList.add(code > 0 ? "s" + Math.floor(code / 100) : "s0");
  $(".text", part).textContent = text;
  $(".body", part).textContent = body || "";
  $(".body", part).hidden = !body;
  $(".explanation", part).innerHTML = steps;
  $(".headers pre", part).textContent = headers || "";
  $(".headers", part).hidden = !headers;
  $(".token", part).textContent = authorization;
  $(".claims", part).textContent = decoded(authorization);
  $(".claims", part).hidden = !$(".claims", part).textContent;
  $(".sent", part).hidden = !authorization;
  result.replaceChildren(part);
  $("#heard").textContent = `${code} ${text}: ${body || ""}`; // the rest is there to be read
}

async function request() {
  const { authorization: made, after } = await post("/prepare", send);
  const secret = !document.body.dataset.mints && $("#preset").value === "pasted";
  const authorization = secret ? pasted() : made;
  const begun = performance.now();
  let response, body;
  try {
    response = await fetch($("#url").value, {
      method: $("#method").value,
      headers: authorization ? { Authorization: authorization } : {},
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    body = await response.text();
  } catch {
    // All that a page gets to know. The API's side of it says more.
    const steps = await explanation({ "blocked-after": after });
    show({
      code: "blocked",
      text: steps ? "The browser keeps the answer from this page." : "No answer. Does the URL lead to the API, and is it running?",
      authorization: secret ? "" : authorization,
      steps,
    });
    return;
  }
  const took = Math.round(performance.now() - begun);
  const id = response.headers.get("x-amzn-requestid");
  show({
    code: response.status,
    text: `after ${took} ms`,
    body,
    headers: [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n"),
    authorization: secret ? "" : authorization,
    steps: id ? await explanation({ request: id }) : "",
  });
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

send.addEventListener("submit", (event) => {
  event.preventDefault();
  busy($("[type=submit]", send), $("#said"), request);
});

for (const button of document.querySelectorAll("[data-post]")) {
  button.addEventListener("click", () =>
    busy(button, $("#said"), async () => (await post(button.dataset.post)).message));
}

$("#preset").addEventListener("change", (event) => {
  $("#preset-hint").textContent = event.target.selectedOptions[0].dataset.hint;
});

if (edit) {
  const text = $("#text"), saved = $("#saved");
  let clean = text.value;
  const dirty = () => text.value !== clean;

  const adopt = (rule) => {
    edit.elements.version.value = rule.version;
    clean = text.value;
  };
  edit.addEventListener("submit", (event) => {
    event.preventDefault();
    busy($("[type=submit]", edit), saved, async () => {
      const answer = await post("/rule", edit);
      adopt(answer.rule);
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

  // Somebody else may have saved the file, in an editor.
  window.refreshRule = async () => {
    const response = await fetch("/rule?" + new URLSearchParams({ name: edit.elements.name.value }));
    if (!response.ok) return;
    const { rule } = await response.json();
    if (rule.version === edit.elements.version.value) return;
    if (dirty()) {
      saved.textContent = "The file has changed on disk. Copy what you need and reload the page.";
      return;
    }
    text.value = rule.text;
    adopt(rule);
  };
}

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
    events.addEventListener("exchange", showExchange);
    events.addEventListener("status", showStatus);
    events.addEventListener("error", showLost);
  }
}
document.addEventListener("visibilitychange", follow);
follow();

function showExchange(event) {
  seen = event.lastEventId;
  const list = $("#exchanges");
  list.insertAdjacentHTML("afterbegin", event.data);
  while (list.children.length > shown) list.lastElementChild.remove();
  $("#none").hidden = true;
}

function showStatus(event) {
  const part = document.createElement("div");
  part.innerHTML = event.data;
  if (part.textContent.trim() === state.trim()) return; // nothing new to read out
  state = part.textContent;
  $("#status").replaceChildren(...part.childNodes);
  window.refreshRule?.();
}

function showLost() {
  const lost = document.createElement("p");
  lost.className = "state failed";
  lost.textContent = "No connection to make run. This page follows again once it is back.";
  state = lost.textContent;
  $("#status").replaceChildren(lost);
}
