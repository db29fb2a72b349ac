// Moving from cell to cell and changing one in place; what the server refuses is said at the cell and nothing is lost.

import { announce, el } from "../lib/dom.js";
import { t } from "../lib/text.js";

const STEPS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Makes the control that a field is changed with. */
export function controlOf(field, value, attributes = {}) {
  if (field.codes || field.type === "boolean") {
    const choices = field.codes ?? [["true", t("yes")], ["false", t("no")]];
    const options = choices.map(([code, label]) => el("option", { value: code, selected: String(code) === value }, label));
    return el("select", attributes, el("option", { value: "" }), ...options);
  }
  if (field.multiline) {
    const area = el("textarea", { rows: 3, ...attributes });
    area.value = value;
    return area;
  }
  const type = field.type === "date" ? "date" : "text";
  return el("input", { type, value, inputmode: field.is_number ? "decimal" : null, autocomplete: "off", ...attributes });
}

/** Says a typed value as the server reads it: numbers may have a decimal comma. */
export function valueOf(field, control) {
  const text = control.value.trim();
  if (text === "") return null;
  return field.is_number ? text.replace(/\s/g, "").replace(",", ".") : text;
}

/** Wires the grid of the table. */
export function makeGrid({ side, page, server, selected, rows }) {
  const fields = new Map(page.fields.map((field) => [field.name, field]));
  const cells = (row) => [...row.querySelectorAll("[data-field]")];
  let editing = null;

  function focusCell(cell) {
    for (const other of side.querySelectorAll('tbody [tabindex="0"]')) other.tabIndex = -1;
    cell.tabIndex = 0;
    cell.focus();
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function entryPoint() {
    const first = side.querySelector("tbody [data-field]");
    if (first) first.tabIndex = 0;
  }

  function move(cell, [down, right]) {
    const list = rows.all();
    const row = cell.closest("tr");
    const column = cells(row).indexOf(cell);
    const goal = list[list.indexOf(row) + down];
    const target = goal && cells(goal)[column + right];
    if (target) focusCell(target);
  }

  function open(cell, typed) {
    if (!cell.classList.contains("can-edit")) {
      complain(cell, t("not_editable"));
      return;
    }
    close();
    const field = fields.get(cell.dataset.field);
    const control = controlOf(field, typed ?? cell.dataset.value, { "aria-label": t("edit_cell", { name: field.title }) });
    editing = { cell, field, control, before: [...cell.childNodes] };
    cell.classList.add("editing");
    cell.replaceChildren(control);
    control.focus();
    control.select?.();
  }

  function close({ focus = false } = {}) {
    if (!editing) return;
    const { cell, before } = editing;
    editing = null;
    cell.classList.remove("editing", "refused");
    cell.replaceChildren(...before);
    if (focus) focusCell(cell);
  }

  async function keep(step) {
    const { cell, field, control } = editing;
    const row = cell.closest("tr");
    if (control.value.trim() === cell.dataset.value.trim()) {
      close({ focus: true });
      if (step) move(cell, step);
      return;
    }
    const body = { field: field.name, value: valueOf(field, control), version: Number(row.dataset.version) };
    control.disabled = true;
    try {
      const { version, cell: now } = await server.change(row.dataset.id, body);
      row.dataset.version = version;
      selected.version(rows.idOf(row), version);
      cell.dataset.value = now.value;
      const link = cell.querySelector("a") ?? editing.before.find((node) => node.nodeName === "A");
      if (link) link.textContent = now.text;
      editing.before = link ? [link] : [document.createTextNode(now.text)];
      close({ focus: true });
      say("");
      announce(t("cell_saved", { name: field.title }));
      if (step) move(cell, step);
    } catch (error) {
      control.disabled = false;
      cell.classList.add("refused");
      if (error.status === 409) await showTheirs(row, error.current, field);
      say(error.status === 409 ? t("cell_stale") : error.message);
      control.focus();
    }
  }

  // The row is read anew, but what was typed stays in the open cell.
  async function showTheirs(row, current) {
    row.dataset.version = current;
    const answer = await fetch(`/layers/${page.layer}/${row.dataset.id}.geojson`).catch(() => null);
    if (!answer?.ok) return;
    const { properties } = await answer.json();
    for (const cell of cells(row)) {
      const value = properties[cell.dataset.field];
      const text = value === null || value === undefined ? "" : String(value);
      if (text === cell.dataset.value) continue;
      cell.dataset.value = text;
      const label = fields.get(cell.dataset.field).codes?.find(([code]) => String(code) === text)?.[1] ?? text;
      cell.classList.add("theirs");
      if (cell === editing?.cell) {
        editing.before = [document.createTextNode(label)];
        cell.dataset.theirs = label;
      } else cell.textContent = label;
    }
  }

  function say(sentence) {
    document.getElementById("table-message").textContent = sentence;
  }

  function complain(cell, sentence) {
    say(sentence);
    cell.classList.add("refused");
    setTimeout(() => cell.classList.remove("refused"), 1500);
  }

  side.addEventListener("dblclick", (event) => {
    const cell = event.target.closest("tbody [data-field]");
    if (cell && !event.target.closest("a, .editing")) open(cell);
  });
  side.addEventListener("focusin", ({ target }) => {
    if (editing && !editing.cell.contains(target) && !editing.control.disabled) keep();
  });
  side.addEventListener("keydown", (event) => {
    const cell = event.target.closest("tbody [data-field]");
    if (!cell) return;
    if (editing?.cell === cell) whileEditing(event);
    else whileMoving(event, cell);
  });

  function whileEditing(event) {
    const multiline = editing.field.multiline && !event.ctrlKey;
    if (event.key === "Escape") {
      close({ focus: true });
      say("");
    } else if (event.key === "Enter" && !multiline) keep([1, 0]);
    else if (event.key === "Tab") keep([0, event.shiftKey ? -1 : 1]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function whileMoving(event, cell) {
    const letter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== " ";
    if (STEPS[event.key]) move(cell, STEPS[event.key]);
    else if (event.key === "Home") focusCell(cells(cell.closest("tr"))[0]);
    else if (event.key === "End") focusCell(cells(cell.closest("tr")).at(-1));
    else if (event.key === "Enter" || event.key === "F2") open(cell);
    else if (event.key === " ") selected.toggle(...rows.entry(cell.closest("tr")), "table");
    else if (letter && cell.classList.contains("can-edit")) open(cell);
    else return;
    if (!letter) event.preventDefault();
  }

  rows.onRedraw(() => {
    editing = null;
    entryPoint();
  });
}
