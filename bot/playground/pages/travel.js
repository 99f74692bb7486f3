// Moving the clock, and what came of it.

import { el } from "./dom.js";
import { act } from "./wire.js";

const $ = (id) => document.getElementById(id);
const KEPT = 4; // lines that stay in sight

export function offerTravel(canTravel) {
  $("to-next").hidden = !canTravel;
}

// One move at a time: a second press while the first is under way would skip what it brings.
export async function travel(path, body) {
  const buttons = document.querySelectorAll("#to-next, .clock-buttons button");
  const were = [...buttons].map((button) => button.disabled);
  for (const button of buttons) button.disabled = true;
  $("to-next").setAttribute("aria-busy", "true");
  const held = document.activeElement;
  try {
    return await act(path, body);
  } finally {
    buttons.forEach((button, index) => { button.disabled = were[index]; });
    $("to-next").removeAttribute("aria-busy");
    if (document.activeElement === document.body) held?.focus();
  }
}

export function showCame(lines, zone) {
  const nodes = lines.map((line) => el("li", {}, el("time", { datetime: line.at }, moment(line.at, zone)),
    el("span", {}, line.words)));
  $("came").hidden = false;
  $("came").append(...nodes);
  while ($("came").children.length > Math.max(KEPT, nodes.length)) $("came").firstChild.remove();
  $("came").scrollTop = $("came").scrollHeight;
}

function moment(iso, zone) {
  return new Date(iso).toLocaleString("en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}
