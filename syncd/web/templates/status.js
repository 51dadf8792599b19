"use strict";
(() => {
  const everyMs = 2000;
  const lost = document.getElementById("lost");
  let answeredMs = Date.now();

  async function refresh() {
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("main");
    if (!fresh) throw new Error("not the status page");
    const old = document.querySelector("main");
    for (const open of old.querySelectorAll("details[open]")) {
      fresh.querySelector("#" + open.id)?.setAttribute("open", "");
    }
    old.replaceWith(fresh);
    document.title = page.title;
    answeredMs = Date.now();
    lost.hidden = true;
  }

  async function run() {
    // Leave the page alone while nobody looks, or while somebody selects text in it.
    if (!document.hidden && getSelection().isCollapsed) {
      try {
        await refresh();
      } catch {
        lost.hidden = false;
        lost.querySelector("span").textContent = Math.round((Date.now() - answeredMs) / 1000);
      }
    }
    setTimeout(run, everyMs);
  }

  setTimeout(run, everyMs);
})();
