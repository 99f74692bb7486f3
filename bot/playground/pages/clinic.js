// The clinic's console beside the chat: the real one, in a frame, signed in as the demo's owner.

import { el } from "./dom.js";
import { act } from "./wire.js";

const $ = (id) => document.getElementById(id);
let address = "";

export function offerClinic(hasConsole) {
  $("show-clinic").hidden = !hasConsole;
}

// Opens the console once; another press only shows it again, on the page where it was left.
export async function showClinic() {
  address ||= await signIn();
  if (!$("clinic").hasChildNodes()) $("clinic").append(isFramed() ? frame() : elsewhere());
  $("own-window").href = `${address}/today`;
  choose(true);
}

export function showBehind() {
  choose(false);
}

// The console must have the page's own host name: a cookie belongs to a name, not to a port.
async function signIn() {
  const { port } = await act("console");
  const there = new URL(location.href);
  there.port = port;
  return there.origin;
}

// No safety header can name an address of the newer kind, so there is no frame on one.
function isFramed() {
  return !location.hostname.startsWith("[");
}

function frame() {
  return el("iframe", { src: `${address}/today`, title: "The clinic's console" });
}

function elsewhere() {
  return el("p", { class: "nothing" }, el("a", { href: `${address}/today`, target: "_blank", rel: "noopener" },
    "Open the clinic's console in a window of its own"));
}

function choose(clinic) {
  $("app").classList.toggle("with-clinic", clinic);
  $("show-clinic").setAttribute("aria-pressed", String(clinic));
  $("show-behind").setAttribute("aria-pressed", String(!clinic));
  $("peek").setAttribute("aria-label", clinic ? "The clinic" : "Behind the chat");
  $("clinic").hidden = !clinic;
  $("own-window").hidden = !clinic;
  $("peeked").hidden = clinic;
}
