// Shows what the chosen options come to, as the server counts them, without keeping anything.

import { followCase, followKeys, lock } from "./choosing.js";

const DELAY = 300;

const form = document.querySelector("[data-check]");
const texts = document.querySelector("[data-texts]").dataset;
const result = form.querySelector("[data-result]");
const live = form.querySelector("[data-live]");

let waiting = null;
let asked = 0;

function line(text, tag = "p") {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function list(title, items) {
  const rows = document.createElement("ul");
  rows.append(...items.map((item) => line(item, "li")));
  return [line(title), rows];
}

function show(told) {
  const summary = `${told.average} ${texts.points} · ${texts.expected} ${told.stars}★`;
  live.value = summary;
  const facts = [summary, `${texts.band} ${told.band}★`, `${texts.ceiling} ${told.ceiling}★`];
  if (told.missing.length) facts.push(`${texts.left}: ${told.missing.length}`);
  const parts = [line(facts.join(" · "))];
  if (told.stopped) parts.push(line(`${texts.stopped}: ${told.stopped}`));
  if (told.blockers.length) {
    const items = told.blockers.map((b) => `${b.criterion} ${b.name}: ${texts.needed} ${b.needed}, ${b.option}`);
    parts.push(...list(`${texts.blocked} ${told.ceiling + 1}★`, items));
  }
  if (told.next_star.length) {
    const items = told.next_star.map((s) => `${s.criterion} ${s.name}: ${s.from} → ${s.to}`);
    parts.push(...list(texts.way, items));
  }
  result.replaceChildren(...parts);
  lock(form, told.locked);
}

async function check() {
  const mine = ++asked;
  try {
    const answer = await fetch(form.dataset.check, { method: "POST", body: new FormData(form) });
    const told = await answer.json();
    if (mine !== asked) return;
    if (answer.ok) show(told);
    else result.replaceChildren(line(told.sentence ?? ""));
  } catch (error) {
    result.replaceChildren(line(error.message));
  }
}

followCase(form);
followKeys(form);
form.addEventListener("change", () => {
  clearTimeout(waiting);
  waiting = setTimeout(check, DELAY);
});
