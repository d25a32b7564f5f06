// Shows the moments of <time datetime="..."> as a distance from now, with the exact moment in the reader's own time zone
// on hover. Without this the page shows exact moments in UTC.
"use strict";

(() => {
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" });
  const exact = new Intl.DateTimeFormat(document.documentElement.lang || "en", { dateStyle: "medium", timeStyle: "medium" });

  function distance(moment) {
    const seconds = Math.round((moment - Date.now()) / 1000);
    const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) || UNITS.at(-1);
    return words.format(Math.trunc(seconds / length), unit);
  }

  window.showTimes = (within) => {
    for (const element of within.querySelectorAll("time[datetime]")) {
      const moment = new Date(element.getAttribute("datetime"));
      if (Number.isNaN(moment.valueOf())) continue;
      element.textContent = distance(moment);
      element.title = exact.format(moment);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const ours = document.querySelectorAll("#yb-dashboard, .yb-panel");
    const show = () => ours.forEach(window.showTimes);
    show();
    if (ours.length) setInterval(() => { if (!document.hidden) show(); }, 1000);
  });
})();
