// Keeps the page live: htmx polls its parts; here is when it must not, what is kept, and how old what is shown is.
"use strict";
(() => {
  const lostAfterMs = 7000;
  const units = [[86400, "d"], [3600, "h"], [60, "min"]];
  const live = document.getElementById("live");
  const lost = document.getElementById("lost");
  const parts = () => document.querySelectorAll(".part");
  const isPart = (element) => element?.classList?.contains("part") ?? false;
  let heardMs = Date.now();
  let shownAt = document.querySelector("time.now")?.dateTime;
  let trouble = "";

  function duration(seconds) {
    for (const [size, unit] of units) {
      if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
    }
    return `${Math.floor(seconds)} s`;
  }

  function clock(at) {
    return `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
  }

  // Ages go on even where the server says that nothing else has changed.
  function age() {
    if (!shownAt) return;
    const now = Date.parse(shownAt);
    for (const time of document.querySelectorAll("time.away")) {
      const text = duration(Math.abs(now - Date.parse(time.dateTime)) / 1000);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  function say() {
    const silentMs = Date.now() - heardMs;
    const state = document.hidden ? "still" : trouble || silentMs > lostAfterMs ? "lost" : "live";
    live.dataset.state = state;
    const words = { live: "Live", still: "Paused", lost: "Not live" }[state];
    live.querySelector(".words").textContent = shownAt ? `${words} · ${clock(shownAt)}` : words;
    lost.hidden = state !== "lost";
    if (state !== "lost") return;
    const [what, age] = lost.querySelectorAll("strong, span");
    what.textContent = trouble || "No answer from syncd.";
    age.textContent = `What you see is ${duration(silentMs / 1000)} old. It is tried again by itself.`;
  }

  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (isPart(detail.elt) && detail.elt.dataset.etag) detail.headers["If-None-Match"] = detail.elt.dataset.etag;
  });

  // Nobody looks, or somebody selects text: leave the part alone.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const part = event.detail.elt;
    if (!isPart(part)) return;
    const selection = getSelection();
    const selecting = !selection.isCollapsed && part.contains(selection.anchorNode);
    if (document.hidden || selecting) event.preventDefault();
  });

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (!isPart(detail.target)) return;
    detail.target.dataset.open = [...detail.target.querySelectorAll("details[id]")]
      .map((each) => `${each.open ? "+" : "-"}${each.id}`)
      .join(" ");
  });

  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    const fresh = document.getElementById(detail.target.id);
    if (!isPart(fresh)) return;
    fresh.dataset.etag = detail.xhr.getResponseHeader("ETag") ?? "";
    for (const each of (detail.target.dataset.open ?? "").split(" ")) {
      const element = each && document.getElementById(each.slice(1));
      if (element) element.open = each.startsWith("+");
    }
    if (fresh.dataset.title) document.title = fresh.dataset.title;
  });

  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    const status = detail.xhr.status;
    if (status === 200 || status === 304) {
      heardMs = Date.now();
      trouble = "";
      const now = detail.xhr.getResponseHeader("Syncd-Now");
      if (now && (!shownAt || now > shownAt)) shownAt = now;
      age();
    } else if (status === 401 || status === 403) {
      trouble = "syncd wants its token: load this page again.";
    } else if (status) {
      trouble = "syncd answers, but cannot show its state.";
    } else if (Date.now() - heardMs > lostAfterMs / 2) {
      trouble = "No answer from syncd.";
    }
    say();
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) for (const part of parts()) htmx.trigger(part, "refresh");
    say();
  });

  if (parts().length) {
    setInterval(say, 1000);
    say();
  }
})();
