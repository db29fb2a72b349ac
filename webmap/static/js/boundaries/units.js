// The choice of units: the map and the list show the same choice, and the list can be narrowed.

import { fold } from "../lib/text.js";

const form = document.getElementById("units-form");
const boxes = [...form.querySelectorAll('input[name="unit"]')];
const shapes = [...document.querySelectorAll("#pick-map [data-unit]")];
const status = document.getElementById("chosen-units");
const filter = document.getElementById("unit-filter");

function show() {
  const chosen = boxes.filter((box) => box.checked);
  const ids = new Set(chosen.map((box) => box.value));
  for (const shape of shapes) shape.classList.toggle("here", ids.has(shape.dataset.unit));
  const names = chosen.map((box) => box.closest("label").textContent.trim().replace(/\s+/g, " "));
  status.textContent = names.length ? `${status.dataset.some} ${names.join(", ")}` : status.dataset.none;
}

for (const shape of shapes) {
  shape.addEventListener("click", () => {
    const box = boxes.find(({ value }) => value === shape.dataset.unit);
    if (!box) return;
    box.checked = !box.checked;
    box.closest("label").scrollIntoView({ block: "nearest" });
    show();
  });
}
form.addEventListener("change", show);

document.getElementById("unit-filter-field").hidden = false;
filter.addEventListener("input", () => {
  const words = fold(filter.value).split(/\s+/).filter(Boolean);
  for (const label of form.querySelectorAll("[data-find]")) {
    const text = fold(label.dataset.find);
    label.hidden = !words.every((word) => text.includes(word));
  }
  for (const group of form.querySelectorAll(".unit-list fieldset")) {
    group.hidden = !group.querySelector("[data-find]:not([hidden])");
  }
});
filter.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});
show();
