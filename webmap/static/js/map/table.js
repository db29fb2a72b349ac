// The table twin: the same records in columns, sortable, with the selected row kept in step with the map.

import { el, icon } from "../lib/dom.js";
import { fieldText, local } from "../lib/text.js";
import { countSentence } from "./inview.js";
import { nameField, tellingFields, titleOf } from "./records.js";

const COLUMNS = 8;

/** Wires the table; `pick(id, {zoom, open, from})` is called when a row is chosen. */
export function makeTable({ elements, layers, inView, bus, pick }) {
  const { table, count, previous, next } = elements;
  const body = el("tbody", {});
  let chosen = null;
  let drawn = null;
  const head = el("thead", {});
  table.append(head, body);

  function drawHead() {
    const { layer: id, sort } = inView.state;
    const layer = layers.get(id);
    table.setAttribute("aria-label", local(layer.title));
    const cells = columnsOf(layer).map((field) => headCell(field, sort));
    head.replaceChildren(el("tr", { role: "row" }, ...cells));
  }

  function headCell(field, sort) {
    const direction = sort === field.name ? "ascending" : sort === `-${field.name}` ? "descending" : null;
    const title = local(field.title) + (field.unit ? ` (${local(field.unit)})` : "");
    const content = field.sortable
      ? el("button", { type: "button", on: { click: () => inView.sortBy(field.name) } }, title, sortMark(direction))
      : title;
    return el("th", { scope: "col", "aria-sort": direction, class: isNumber(field) ? "number" : null }, content);
  }

  const sortMark = (direction) => (direction ? icon(direction === "ascending" ? "up" : "down") : null);

  function draw(state) {
    count.textContent = countSentence(state);
    previous.disabled = state.loading || state.first === 0;
    next.disabled = state.loading || !state.next;
    table.setAttribute("aria-busy", String(state.loading));
    // Rows of another layer must not be chosen as rows of this one.
    if (drawn !== state.layer) body.replaceChildren();
    drawn = state.layer;
    if (state.loading) return;
    drawHead();
    const layer = layers.get(state.layer);
    const focused = body.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    table.setAttribute("aria-rowcount", state.matched + 1);
    body.replaceChildren(...state.rows.map((feature, i) => row(layer, feature, state.first + i)));
    markChosen();
    const entry = rowWith(focused) ?? rowWith(chosenId()) ?? body.firstElementChild;
    if (entry) entry.tabIndex = 0;
    if (focused !== null) entry?.focus({ preventScroll: true });
  }

  function row(layer, { id, properties }, index) {
    const cells = columnsOf(layer).map((field, i) => {
      const own = { ...field, unit: null };
      const text = i === 0 ? titleOf(layer, properties, id) : fieldText(own, properties[field.name]);
      return el(i === 0 ? "th" : "td", { scope: i === 0 ? "row" : null, class: isNumber(field) ? "number" : null }, text);
    });
    return el(
      "tr",
      { role: "row", tabindex: "-1", "aria-selected": "false", "aria-rowindex": index + 2, data: { id } },
      ...cells,
    );
  }

  const rowOf = (event) => event.target.closest("tbody tr");
  const rowWith = (id) => [...body.children].find((node) => node.dataset.id === id);
  const idOf = (node) => Number(node.dataset.id);
  const chosenId = () => (chosen?.layer === inView.state.layer ? String(chosen.id) : null);

  function markChosen() {
    for (const node of body.children) node.setAttribute("aria-selected", String(node.dataset.id === chosenId()));
  }

  function focusRow(node) {
    for (const other of body.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    node.tabIndex = 0;
    node.focus();
  }

  body.addEventListener("click", (event) => {
    const node = rowOf(event);
    if (!node) return;
    focusRow(node);
    pick(idOf(node), {});
  });
  body.addEventListener("dblclick", (event) => rowOf(event) && pick(idOf(rowOf(event)), { zoom: true, open: true }));
  body.addEventListener("keydown", (event) => {
    const node = rowOf(event);
    const goal = { ArrowDown: node?.nextElementSibling, ArrowUp: node?.previousElementSibling }[event.key];
    if (goal) {
      event.preventDefault();
      focusRow(goal);
    } else if (node && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      const explicit = event.key === "Enter";
      pick(idOf(node), { zoom: explicit, open: explicit, from: () => rowWith(chosenId()) });
    }
  });
  previous.addEventListener("click", () => inView.previous());
  next.addEventListener("click", () => inView.next());

  bus.on("inview", draw);
  bus.on("selection", ({ selected }) => {
    chosen = selected;
    markChosen();
    rowWith(chosenId())?.scrollIntoView({ block: "nearest" });
  });
}

const isNumber = (field) => (field.type === "integer" || field.type === "number") && !field.codes;

function columnsOf(layer) {
  return [nameField(layer), ...tellingFields(layer).slice(0, COLUMNS - 1)];
}
