// A ballot saves itself after each choice and shows points, band, ceiling and blockers as the server counts them.

import { followCase, followKeys, lock, progress } from "./choosing.js";

const DELAY = 500;

const form = document.querySelector("[data-ballot]");
const texts = document.querySelector("[data-texts]").dataset;
const live = form.querySelector("[data-live]");
const saved = form.querySelector("[data-saved]");
const version = form.elements.version;

let waiting = null;
let saving = null;
let again = false;

function show(told) {
  const facts = [
    `${told.average} ${texts.points}`,
    `${texts.band} ${told.band}★`,
    `${texts.ceiling} ${told.ceiling}★`,
  ];
  if (told.blockers.length) facts.push(`${texts.blocked} ${told.blockers.map((b) => b.criterion).join(", ")}`);
  if (told.missing.length) facts.push(`${texts.missing} ${told.missing.length}`);
  live.value = facts.join(" · ");
  lock(form, told.locked);
  progress(form, told.missing.length);
}

// One save at a time: the answer to the first carries the version that the next must name.
async function save() {
  if (saving) {
    again = true;
    return;
  }
  saving = fetch(form.action, {
    method: "POST",
    body: new FormData(form),
    headers: { Accept: "application/json" },
  });
  try {
    const answer = await saving;
    const told = await answer.json();
    if (!answer.ok) {
      saved.textContent = told.sentence ?? "";
    } else {
      version.value = told.version;
      saved.textContent = texts.saved;
      show(told);
    }
  } catch (error) {
    saved.textContent = error.message;
  } finally {
    saving = null;
    if (again) {
      again = false;
      save();
    }
  }
}

followCase(form);
if (form.hasAttribute("data-editable")) {
  followKeys(form);
  form.addEventListener("change", () => {
    clearTimeout(waiting);
    waiting = setTimeout(save, DELAY);
  });
  form.addEventListener("submit", () => clearTimeout(waiting));
}
