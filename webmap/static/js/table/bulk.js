// Changing one or several fields of all selected rows at once, after saying how many that is.

import { announce, el, icon } from "../lib/dom.js";
import { number, t } from "../lib/text.js";
import { controlOf, valueOf } from "./grid.js";

const byId = (id) => document.getElementById(id);

/** Wires the dialog of bulk edits. */
export function makeBulk({ page, server, selected, rows }) {
  const dialog = byId("bulk");
  const list = byId("bulk-fields");
  const apply = byId("bulk-apply");
  const fields = page.fields.filter((field) => field.writable);
  let ready = false;
  let lines = 0;

  function changed() {
    ready = false;
    apply.textContent = t("bulk_preview");
    byId("bulk-error").textContent = "";
  }

  function addLine() {
    const number = (lines += 1);
    const used = new Set([...list.querySelectorAll("select[data-which]")].map((node) => node.value));
    const free = fields.find(({ name }) => !used.has(name)) ?? fields[0];
    const which = el(
      "select",
      { id: `bulk-which-${number}`, data: { which: "" } },
      ...fields.map(({ name, title }) => el("option", { value: name, selected: name === free.name }, title)),
    );
    const slot = el("div", { class: "field" });
    const fill = () => {
      const field = fields.find(({ name }) => name === which.value);
      const control = controlOf(field, "", { id: `bulk-value-${number}`, data: { value: "" } });
      slot.replaceChildren(el("label", { for: control.id }, t("bulk_value")), control);
      changed();
    };
    const drop = el("button", { type: "button", class: "button plain small", "aria-label": t("drop_field"), title: t("drop_field") }, icon("trash"));
    const line = el("div", { class: "bulk-line" }, el("div", { class: "field" }, el("label", { for: which.id }, t("bulk_field")), which), slot, drop);
    which.addEventListener("change", fill);
    drop.addEventListener("click", () => {
      if (list.children.length > 1) line.remove();
      changed();
    });
    list.append(line);
    fill();
  }

  const values = () =>
    Object.fromEntries(
      [...list.children].map((line) => {
        const field = fields.find(({ name }) => name === line.querySelector("[data-which]").value);
        return [field.name, valueOf(field, line.querySelector("[data-value]"))];
      }),
    );

  async function preview() {
    const { editable, refused, stale } = await server.bulk({ rows: selected.rows, values: values(), preview: true });
    const troubles = [refused && t("bulk_refused", { n: number(refused, 0) }), stale && t("bulk_stale", { n: number(stale, 0) })];
    const said = troubles.filter(Boolean).join(" ");
    byId("bulk-error").textContent = said;
    if (said) return;
    byId("bulk-count").textContent = t("bulk_will", { n: number(editable, 0) });
    apply.textContent = t("bulk_apply", { n: number(editable, 0) });
    ready = true;
  }

  async function write() {
    const { changed: count } = await server.bulk({ rows: selected.rows, values: values() });
    const ids = new Set(selected.ids);
    dialog.close();
    await rows.swap();
    const { rows: fresh } = await server.ids(location.search);
    selected.only(fresh.filter(([id]) => ids.has(id)), "table");
    announce(t("bulk_done", { n: number(count, 0) }));
    byId("selection-count").textContent = `${t("bulk_done", { n: number(count, 0) })} ${byId("selection-count").textContent}`;
  }

  apply.addEventListener("click", async () => {
    apply.disabled = true;
    try {
      await (ready ? write() : preview());
    } catch (error) {
      ready = false;
      apply.textContent = t("bulk_preview");
      byId("bulk-error").textContent = error.message;
    } finally {
      apply.disabled = false;
    }
  });
  byId("bulk-add").addEventListener("click", addLine);
  byId("bulk-form").addEventListener("submit", (event) => {
    if (event.submitter?.value !== "cancel") event.preventDefault();
  });
  list.addEventListener("input", changed);
  document.getElementById("table-side").addEventListener("click", (event) => {
    if (!event.target.closest("#bulk-open") || !selected.size) return;
    list.replaceChildren();
    addLine();
    byId("bulk-count").textContent = t("bulk_chosen", { n: number(selected.size, 0) });
    dialog.showModal();
  });
}
