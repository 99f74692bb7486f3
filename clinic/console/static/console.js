"use strict";
// Without this file every page works by links and forms. With it, parts of a page that are marked
// with data-live are fetched anew when something changed at the clinic.

const live = () => document.querySelectorAll("[data-live]");
const pending = new Set();
let source = null;

const busy = (element) =>
  element.contains(document.activeElement) &&
  document.activeElement.matches("input, select, textarea");

async function refresh(topic) {
  const parts = [...live()].filter((part) => part.id && part.dataset.live.split(" ").includes(topic));
  if (!parts.length) return;
  if (parts.some(busy)) { pending.add(topic); return; }
  const answer = await fetch(location.href, { headers: { "X-Live": "1" }, cache: "no-store" });
  if (answer.status === 401 || answer.redirected) { leave(); return; }
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts) {
    const next = fresh.getElementById(part.id);
    if (next && next.innerHTML !== part.innerHTML) swap(part, next);
  }
}

function refreshAll() {
  for (const part of live()) refresh(part.dataset.live.split(" ")[0]).catch(() => {});
}

function swap(part, next) {
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  const opened = [...part.querySelectorAll("details[open][id]")].map((one) => one.id);
  part.replaceWith(document.adoptNode(next));
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

// The session has ended. Where a form is on its way, perhaps the one that ended it, its answer
// leads on; a reload would cut it off.
function leave() {
  stop();
  if (!document.querySelector("form[data-sent]")) location.reload();
}

function listen() {
  if (source || document.hidden || !live().length) return;
  source = new EventSource("/live");
  source.addEventListener("changed", (event) => refresh(event.data).catch(() => {}));
  source.addEventListener("ended", leave);
  source.addEventListener("error", () => { if (source?.readyState === EventSource.CLOSED) refused(); });
}

// The browser asks again by itself when a connection breaks, but not after a refusal: the session
// has ended, or too many pages listen already.
function refused() {
  stop();
  refreshAll();
  setTimeout(listen, 15000);
}

function stop() {
  source?.close();
  source = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) { stop(); return; }
  listen();
  refreshAll();
});

document.addEventListener("focusout", () => setTimeout(() => {
  for (const topic of [...pending]) { pending.delete(topic); refresh(topic).catch(() => {}); }
}, 0));

// A second press must not post a form twice, unless the form only chooses what is shown.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("data-at-once")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Forms that only choose what is shown are sent as soon as something is chosen.
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.hasAttribute("data-at-once")) form.requestSubmit();
});

// What changes the rest of a form presses the button beside it, which keeps what was typed.
document.addEventListener("change", (event) => {
  document.getElementById(event.target.dataset.presses ?? "")?.click();
});

// The line of the current minute moves with the clock.
setInterval(() => {
  const part = document.querySelector("[data-minute]")?.closest("[data-live]");
  if (part && !document.hidden) refresh(part.dataset.live.split(" ")[0]).catch(() => {});
}, 60000);

addEventListener("pagehide", stop);
addEventListener("DOMContentLoaded", listen);
if (document.readyState !== "loading") listen();
