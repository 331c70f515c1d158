// Live updates: when the server says that something changed, the page is fetched again and its
// parts marked `data-live` are replaced. Everything else works without this file.
"use strict";
(() => {
  const page = document.documentElement;
  page.classList.add("scripted");
  const status = document.getElementById("live-status");
  let pending = false, again = false, last = 0;

  const busy = (part) => part.contains(document.activeElement)
    && document.activeElement.matches("input, select, textarea");

  function replace(next) {
    let changed = 0;
    for (const now of document.querySelectorAll("[data-live]")) {
      const then = next.getElementById(now.id);
      if (!then || then.innerHTML === now.innerHTML || busy(now)) continue;
      const open = new Map([...now.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
      const focused = now.contains(document.activeElement) ? document.activeElement : null;
      const place = focused && (focused.id || focused.getAttribute("href"));
      const known = new Set([...now.querySelectorAll("[data-key]")].map((one) => one.dataset.key));
      const marked = now.querySelector("[data-key]") !== null;
      for (const one of then.querySelectorAll("[data-key]")) {
        if (marked && !known.has(one.dataset.key)) one.classList.add("fresh");
      }
      now.replaceWith(document.adoptNode(then));
      for (const one of then.querySelectorAll("details[id]")) {
        if (open.has(one.id)) one.open = open.get(one.id);
      }
      if (place) {
        const back = [...then.querySelectorAll("a, button, summary")]
          .find((one) => one.id === place || one.getAttribute("href") === place);
        if (back) back.focus({ preventScroll: true });
      }
      changed += 1;
    }
    if (next.title) document.title = next.title;
    localize(document);
    if (changed && status) status.textContent = `updated ${new Date().toLocaleTimeString()}`;
  }

  async function refresh() {
    if (pending) { again = true; return; }
    pending = true;
    const wait = Math.max(0, 400 - (Date.now() - last));
    await new Promise((done) => setTimeout(done, wait));
    try {
      again = false;
      const answer = await fetch(location.href, { credentials: "same-origin", cache: "no-store" });
      if (answer.ok && !answer.redirected) {
        replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } else if (answer.redirected) {
        location.reload();
      }
    } catch { /* the server is away: the stream tries again by itself */ }
    last = Date.now();
    pending = false;
    if (again) refresh();
  }

  const source = document.body.dataset.stream;
  if (source && window.EventSource) {
    const stream = new EventSource(source);
    stream.addEventListener("change", refresh);
    stream.addEventListener("over", () => { stream.close(); refresh(); });
    window.addEventListener("pagehide", () => stream.close());
  }

  // A link from elsewhere came without the cookie, which is strict: from here it goes along.
  const next = document.body.dataset.next;
  if (next && next !== "/") {
    fetch("/session", { credentials: "same-origin", cache: "no-store" })
      .then((answer) => { if (answer.ok) location.replace(next); });
  }

  // Times in the clock of whoever looks; the server writes UTC.
  function localize(part) {
    for (const one of part.querySelectorAll("time[datetime]")) {
      const at = new Date(one.dateTime);
      if (!Number.isNaN(at.getTime())) one.title = at.toLocaleString();
    }
  }
  localize(document);

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && form.matches(".auto")) form.requestSubmit();
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const field = document.getElementById(button.dataset.of);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy");
    }
    button.textContent = "Copied";
  });
})();
