// The editor of a rule: a textarea over a layer that colours the same text and shows the
// faults at the ends of their lines. The layer gives both their size, so they cannot differ.
"use strict";

// What the layer colours, in the order of precedence.
const words = [
  ["comment", "#.*"],
  ["string", '"(?:[^"\\\\\\n]|\\\\.)*"|`[^`]*`'],
  ["keyword", "\\b(?:package|import|default|if|else|in|contains|every|some|not|with|as|true|false|null)\\b"],
];
const pattern = new RegExp(words.map(([, source]) => `(${source})`).join("|"), "g");

function coloured(text) {
  const part = document.createDocumentFragment();
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const span = document.createElement("span");
    span.className = words[match.slice(1).findIndex((group) => group !== undefined)][0];
    span.textContent = match[0];
    part.append(text.slice(end, match.index), span);
    end = match.index + match[0].length;
  }
  part.append(text.slice(end));
  return part;
}

// makeEditor brings the layers of a textarea up to date. Faults are texts by line of the file;
// the first line of the textarea has the number first().
function makeEditor(textarea, first) {
  const marks = textarea.parentElement.querySelector(".marks");
  const gutter = textarea.closest(".editor").querySelector(".gutter");
  let faults = {};

  function draw() {
    marks.replaceChildren(coloured(textarea.value + "\n"));
    const numbers = textarea.value.split("\n").map((_, i) => {
      const line = document.createElement("span");
      line.textContent = first() + i;
      if (faults[first() + i]) line.className = "fault";
      return line;
    });
    gutter.replaceChildren(...numbers);
    for (const [line, text] of Object.entries(faults)) {
      const at = Math.max(0, line - first());
      const note = document.createElement("span");
      note.className = "note";
      note.textContent = text;
      note.style.top = `calc(${at} * var(--leading) + var(--pad))`;
      const length = (textarea.value.split("\n")[at] || "").replace(/\t/g, "    ").length;
      note.style.left = `calc(${length + 2}ch + var(--pad))`;
      if (line >= first()) marks.append(note);
    }
  }

  textarea.addEventListener("input", draw);
  textarea.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    const line = textarea.value.slice(0, textarea.selectionStart).split("\n").pop();
    const deeper = /[{[(]\s*$/.test(line) ? "\t" : "";
    // The only way to insert text that can be undone.
    document.execCommand("insertText", false, "\n" + line.match(/^\s*/)[0] + deeper);
  });
  textarea.closest(".editor").classList.add("live");
  draw();
  return {
    draw,
    show(found) {
      faults = found;
      textarea.setAttribute("aria-invalid", String(Object.keys(found).length > 0));
      draw();
    },
  };
}
