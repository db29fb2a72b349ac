// The button “Tự kiểm tra”: fetches the public record of a lot and says what came out of recomputing it here.

import { verify } from "./verify.js";

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
const vietnamese = (day) => day.split("-").reverse().join("/");

async function load(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

function say(block, state, sentences) {
  const result = block.querySelector("[data-evidence-result]");
  result.className = `notice ${state}`;
  result.replaceChildren(
    ...sentences.map((sentence) => {
      const line = document.createElement("p");
      line.textContent = sentence;
      return line;
    }),
  );
  result.hidden = false;
  block.dataset.evidence = state;
}

function sentencesOf(texts, found) {
  const told = [fill(texts.good, found)];
  if (found.signatures === "good") told.push(fill(texts.signed, { days: found.heads.map(({ day }) => vietnamese(day)).join(", ") }));
  if (found.signatures === "unsupported") told.push(texts.unsupported);
  if (found.unsigned) told.push(fill(texts.unsigned, found));
  return told;
}

async function check(block) {
  const texts = block.dataset;
  if (!globalThis.crypto?.subtle) {
    say(block, "warn", [texts.insecure]);
    return;
  }
  try {
    const [record, known] = await Promise.all([load(texts.record), load(texts.keys)]);
    const found = await verify(record, known.keys);
    if (found.fault) say(block, "bad", [fill(texts[`fault${found.fault[0].toUpperCase()}${found.fault.slice(1)}`], { position: found.position, day: found.day && vietnamese(found.day) })]);
    else say(block, "ok", sentencesOf(texts, found));
  } catch {
    say(block, "warn", [texts.failed]);
  }
}

for (const block of document.querySelectorAll("[data-evidence-block]")) {
  const button = block.querySelector("[data-evidence-check]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.setAttribute("aria-disabled", "true");
    await check(block);
    button.removeAttribute("aria-disabled");
  });
}
