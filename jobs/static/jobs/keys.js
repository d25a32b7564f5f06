// Keys for every page of the admin: "/" searches, "?" shows the keys, "g" and a letter goes somewhere. And buttons that
// copy: data-copy="SELECTOR" copies the text of what it selects.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const PLACES = {
    d: "", j: "jobs/jobexecution/", l: "jobs/deadletter/", r: "jobs/run/", n: "jobs/lane/", w: "jobs/workerprocess/",
    a: "alerts/alert/", b: "directory/business/",
  };
  // In the reader's language; the page of the login has none, and needs no keys.
  const words = document.querySelector("#yb-words")?.dataset;
  if (!words) return;
  const ROOT = "/admin/";
  const WITHIN = 1500;
  let going = 0;

  const help = document.createElement("dialog");
  help.className = "yb-keys";
  help.setAttribute("aria-label", words.keys);
  const list = document.createElement("dl");
  const entries = [["/", words.search], ["?", words.these], ...Object.keys(PLACES).map((key) => [`g ${key}`, words[`go${key.toUpperCase()}`]])];
  for (const [key, meaning] of entries) {
    const [term, description] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = key;
    description.textContent = meaning;
    list.append(term, description);
  }
  const close = document.createElement("button");
  close.className = "yb-button";
  close.textContent = words.close;
  close.addEventListener("click", () => help.close());
  help.append(list, close);
  document.body.append(help);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select, [contenteditable]")) return;
    if (Date.now() - going < WITHIN && PLACES[event.key] !== undefined) {
      location.assign(ROOT + PLACES[event.key]);
      return;
    }
    going = event.key === "g" ? Date.now() : 0;
    if (event.key === "?") help.showModal();
    if (event.key === "/") {
      const field = document.querySelector("#searchbar, #nav-filter, input[type=search], input[name=q]");
      if (field) { event.preventDefault(); field.focus(); }
    }
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      // Without a secure connection a page may not write to the clipboard: select the text instead.
      source.closest("details")?.setAttribute("open", "");
      getSelection().selectAllChildren(source);
      return;
    }
    const said = button.textContent;
    button.textContent = words.copied;
    setTimeout(() => { button.textContent = said; }, WITHIN);
  });
});
