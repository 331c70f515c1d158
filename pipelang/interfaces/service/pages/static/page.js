// Live updates: when the server says that something changed, the page is fetched again and its
// parts marked `data-live` are replaced. Everything else works without this file.
"use strict";
(() => {
  const page = document.documentElement;
  page.classList.add("scripted");
  const status = document.getElementById("live-status");
  const aloud = document.getElementById("aloud");
  let pending = false, again = false, last = 0;

  const busy = (part) => part.contains(document.activeElement)
    && document.activeElement.matches("input, select, textarea");

  const targets = "a, button, summary, [tabindex]";

  // The words of times differ from one look to the next: they alone are no change.
  const bare = (part) => part.innerHTML
    .replace(/(<time [^>]*?)( title="[^"]*")?>[^<]*</g, "$1<");
  const same = (now, then) => bare(now) === bare(then);

  function replace(next) {
    let changed = 0;
    for (const now of document.querySelectorAll("[data-live]")) {
      const then = next.getElementById(now.id);
      if (!then || same(now, then) || busy(now)) continue;
      const open = new Map([...now.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
      const inside = [...now.querySelectorAll(targets)];
      const at = inside.indexOf(document.activeElement);
      const known = new Set([...now.querySelectorAll("[data-key]")].map((one) => one.dataset.key));
      const marked = now.querySelector("[data-key]") !== null;
      for (const one of then.querySelectorAll("[data-key]")) {
        if (marked && !known.has(one.dataset.key)) one.classList.add("fresh");
      }
      if (now.matches(".said-aloud") && now.innerText.trim() !== then.textContent.trim()) {
        aloud.textContent = then.textContent.trim();
      }
      now.replaceWith(document.adoptNode(then));
      for (const one of then.querySelectorAll("details[id]")) {
        if (open.has(one.id)) one.open = open.get(one.id);
      }
      if (at >= 0) {
        const there = [...then.querySelectorAll(targets)];
        const href = inside[at].getAttribute("href");
        const back = (href && there.find((one) => one.getAttribute("href") === href)) || there[at];
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
      } else if (answer.redirected && status) {
        status.textContent = "logged out: load the page again to log in";
        over = true;
        follow();
      } else if (answer.status === 403 || answer.status === 404) {
        over = true;
        follow();
      }
    } catch { /* the server is away: the stream tries again by itself */ }
    last = Date.now();
    pending = false;
    if (again) refresh();
  }

  // A browser has six connections to a server: pages that nobody looks at give theirs back.
  const source = document.body.dataset.stream;
  let stream = null, over = false;
  function follow() {
    const wanted = source && window.EventSource && !over && !document.hidden;
    if (wanted && !stream) {
      stream = new EventSource(source);
      stream.addEventListener("change", refresh);
      stream.addEventListener("over", () => { over = true; follow(); refresh(); });
      stream.addEventListener("error", again_later);
    } else if (!wanted && stream) {
      stream.close();
      stream = null;
    }
  }

  // A browser comes back by itself to a stream that broke, but not to one that was refused: while a
  // store is away, or a proxy says that the server is.
  function again_later(event) {
    if (event.target !== stream || stream.readyState !== EventSource.CLOSED) return;
    stream = null;
    setTimeout(() => { follow(); refresh(); }, 5000);
  }
  follow();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && source && !over) refresh();
    follow();
  });
  window.addEventListener("pagehide", () => { if (stream) stream.close(); stream = null; });
  window.addEventListener("pageshow", (event) => { if (event.persisted) { refresh(); follow(); } });

  // A link from elsewhere came without the cookie, which is strict: from here it goes along.
  const next = document.body.dataset.next;
  if (next && next !== "/") {
    fetch("/session", { credentials: "same-origin", cache: "no-store" })
      .then((answer) => { if (answer.ok) location.replace(next); });
  }

  // Times in the clock of whoever looks; the server writes UTC, and what was "now" when it wrote.
  function localize(part) {
    for (const one of part.querySelectorAll("time[datetime]")) {
      const at = new Date(one.dateTime);
      if (!Number.isNaN(at.getTime())) one.title = at.toLocaleString();
    }
  }
  localize(document);
  const units = [[86400, "d"], [3600, "h"], [60, "min"]];
  function ago(seconds) {
    const length = Math.abs(seconds);
    if (length < 1) return "now";
    const [size, unit] = units.find(([one]) => length >= 2 * one || (one === 60 && length >= 60))
      || [1, "s"];
    const words = `${Math.floor(length / size)} ${unit}`;
    return seconds > 0 ? `${words} ago` : `in ${words}`;
  }
  setInterval(() => {
    if (document.hidden) return;
    for (const one of document.querySelectorAll("time.ago")) {
      const words = ago((Date.now() - new Date(one.dateTime).getTime()) / 1000);
      if (one.textContent !== words) one.textContent = words;
    }
  }, 5000);

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
