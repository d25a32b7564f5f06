// Keeps parts of a page up to date: an element with data-live="URL" is replaced by what the URL returns, every few
// seconds, unless the tab is hidden, somebody types in the part, or it says that it is over (data-live-over).
"use strict";

(() => {
  const EVERY = 2000;

  async function refresh(part) {
    if (document.hidden || part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) {
      return;
    }
    try {
      const answer = await fetch(part.dataset.live, { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
      if (fresh.innerHTML.trim() !== part.innerHTML.trim()) part.replaceChildren(...fresh.childNodes);
      part.classList.remove("yb-out-of-date");
    } catch {
      part.classList.add("yb-out-of-date");
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const timer = setInterval(async () => {
        await refresh(part);
        if (part.querySelector("[data-live-over]")) clearInterval(timer);
      }, EVERY);
    }
  });
})();
