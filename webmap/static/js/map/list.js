// The list twin: a listbox of the records in view, for the keyboard and for small screens.

import { el } from "../lib/dom.js";
import { countSentence } from "./inview.js";
import { factsOf, titleOf } from "./records.js";

/** Wires the listbox; `pick(id, {zoom, open, from})` is called when a record is chosen. */
export function makeList({ elements, layers, inView, bus, pick }) {
  const { listbox, count, previous, next } = elements;
  let active = -1;
  let chosen = null;
  let drawn = null;

  function draw(state) {
    count.textContent = countSentence(state);
    previous.disabled = state.loading || state.first === 0;
    next.disabled = state.loading || !state.next;
    listbox.setAttribute("aria-busy", String(state.loading));
    // Rows of another layer must not be chosen as rows of this one.
    if (drawn !== state.layer) listbox.replaceChildren();
    drawn = state.layer;
    if (state.loading) return;
    const layer = layers.get(state.layer);
    listbox.replaceChildren(...state.rows.map((feature, i) => option(layer, feature, i)));
    active = -1;
    listbox.removeAttribute("aria-activedescendant");
    markChosen();
  }

  function markChosen() {
    const here = chosen?.layer === inView.state.layer ? String(chosen.id) : null;
    [...listbox.children].forEach((node, i) => {
      node.setAttribute("aria-selected", String(node.dataset.id === here));
      if (node.dataset.id === here) move(i);
    });
  }

  function option(layer, { id, properties }, index) {
    const facts = factsOf(layer, properties, 2).map(([, text]) => text);
    const node = el(
      "li",
      { role: "option", id: `option-${index}`, "aria-selected": "false", data: { id } },
      el("strong", {}, titleOf(layer, properties, id)),
      facts.length ? el("span", {}, facts.join(" · ")) : null,
    );
    node.addEventListener("click", () => {
      move(index);
      pick(id, {});
    });
    node.addEventListener("dblclick", () => pick(id, { zoom: true, open: true }));
    return node;
  }

  function move(index) {
    const options = listbox.children;
    if (!options.length) return;
    options[active]?.classList.remove("active");
    active = Math.min(options.length - 1, Math.max(0, index));
    options[active].classList.add("active");
    options[active].scrollIntoView({ block: "nearest" });
    listbox.setAttribute("aria-activedescendant", options[active].id);
  }

  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
  listbox.addEventListener("keydown", (event) => {
    if (event.key in steps) {
      event.preventDefault();
      move(active < 0 ? 0 : active + steps[event.key]);
    } else if ((event.key === "Enter" || event.key === " ") && active >= 0) {
      event.preventDefault();
      const explicit = event.key === "Enter";
      pick(Number(listbox.children[active].dataset.id), { zoom: explicit, open: explicit, from: () => listbox });
    }
  });
  previous.addEventListener("click", () => inView.previous());
  next.addEventListener("click", () => inView.next());

  bus.on("inview", draw);
  bus.on("selection", ({ selected }) => {
    chosen = selected;
    markChosen();
  });
}
