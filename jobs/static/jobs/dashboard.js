// Keeps the dashboard up to date: asks every few seconds for the panels that have changed. It rests while the tab is
// hidden, leaves a panel alone in which somebody types, and says so when the server does not answer.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const KEY = "yellowbook-dashboard-interval";
  const dashboard = document.querySelector("#yb-dashboard");
  const state = document.querySelector("#yb-state");
  const choice = document.querySelector("#yb-interval");
  if (!choice) return;
  const kept = localStorage.getItem(KEY);
  if ([...choice.options].some((option) => option.value === kept)) choice.value = kept;
  let timer = null;

  function typing(part) {
    const active = document.activeElement;
    return part.contains(active) && active.matches("input:not([type=hidden]), textarea, select") && active.value !== "";
  }

  function replace(part, html, hash) {
    const focused = part.contains(document.activeElement) ? selectorOf(part, document.activeElement) : null;
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    part.replaceChildren(...fresh.childNodes);
    part.dataset.hash = hash;
    window.showTimes(part);
    if (focused !== null) part.querySelectorAll("a, button, input, select")[focused]?.focus({ preventScroll: true });
  }

  function selectorOf(part, element) {
    const index = [...part.querySelectorAll("a, button, input, select")].indexOf(element);
    return index < 0 ? null : index;
  }

  async function refresh() {
    const parts = [...dashboard.querySelectorAll("[data-panel]")];
    const query = new URLSearchParams({ span: dashboard.dataset.span });
    for (const part of parts) query.append("have", `${part.dataset.panel}:${part.dataset.hash}`);
    try {
      const answer = await fetch(`${dashboard.dataset.live}?${query}`, {
        credentials: "same-origin", redirect: "error", signal: AbortSignal.timeout(10000),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const { panels } = await answer.json();
      for (const part of parts) {
        const fresh = panels[part.dataset.panel];
        if (fresh && !typing(part)) replace(part, fresh.html, fresh.hash);
      }
      dashboard.classList.remove("yb-stale-data");
      state.textContent = "";
    } catch {
      dashboard.classList.add("yb-stale-data");
      state.textContent = dashboard.dataset.silent;
    }
  }

  function schedule() {
    clearTimeout(timer);
    const seconds = Number(choice.value);
    if (seconds && !document.hidden) {
      timer = setTimeout(async () => {
        await refresh();
        schedule();
      }, seconds * 1000);
    }
  }

  choice.addEventListener("change", () => {
    localStorage.setItem(KEY, choice.value);
    schedule();
  });
  document.addEventListener("visibilitychange", async () => {
    if (!document.hidden && Number(choice.value)) await refresh();
    schedule();
  });
  schedule();
});
