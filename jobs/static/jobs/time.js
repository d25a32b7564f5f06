// Shows the moments of <time datetime="..."> as a distance from now, with the exact moment in the reader's own time zone
// on hover. Without this the page shows exact moments in UTC.
"use strict";

(() => {
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const lang = document.documentElement.lang || "en";
  // A browser without the language (Chromium has no Mongolian) would speak another one: there the page gives the words,
  // and dates are as in Sweden, where they are written as ISO 8601 does.
  const known = Intl.RelativeTimeFormat.supportedLocalesOf(lang).length > 0;
  const words = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
  const exact = new Intl.DateTimeFormat(known ? lang : "sv", { dateStyle: known ? "medium" : "short", timeStyle: "medium" });

  function said(number, unit) {
    const given = document.querySelector("#yb-words")?.dataset;
    if (known || !given) return words.format(number, unit);
    if (number === 0) return given.now;
    const key = (number < 0 ? "past" : "future") + unit[0].toUpperCase() + unit.slice(1);
    return given[key].replace("{number}", Math.abs(number));
  }

  function distance(moment) {
    const seconds = Math.round((moment - Date.now()) / 1000);
    const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) || UNITS.at(-1);
    return said(Math.trunc(seconds / length), unit);
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
