// The form as a draft: kept while it is being filled, offered when one comes back, thrown away when it is saved.

import { debounce } from "../lib/dom.js";
import { dropDraft, keepAtLast, keepDraft, readDraft } from "../lib/drafts.js";
import { lang, t } from "../lib/text.js";

const WAIT = 300;
const NOT_KEPT = new Set(["csrf_token", "geometry_file"]);

/** Says what a form holds, without its token and files. */
export function contentOf(form) {
  const pairs = [...new FormData(form)].filter(([name, value]) => !NOT_KEPT.has(name) && typeof value === "string");
  return Object.fromEntries(pairs.map(([name, value]) => [name, value.replace(/\r\n/g, "\n")]));
}

const moment = (iso) =>
  new Intl.DateTimeFormat(lang === "en" ? "en-GB" : "vi-VN", { dateStyle: "short", timeStyle: "short" }).format(new Date(iso));

/** Watches a form; `restore(content)` puts a draft back into it. Returns what to call when the outline changes or is saved. */
export function makeDrafting({ form, notice, restore }) {
  const key = form.dataset.draft;
  const refused = "refused" in form.dataset;
  // A form that comes back refused holds the draft already, and is itself not saved yet.
  const atFirst = refused ? null : JSON.stringify(contentOf(form));
  let saved = false;

  async function write() {
    if (saved) return;
    const content = contentOf(form);
    try {
      if (JSON.stringify(content) === atFirst) await dropDraft(key);
      else await keepDraft({ key, content, at: new Date().toISOString() });
      form.dataset.draftKept = "1";
    } catch {
      notice.hidden = false;
      notice.querySelector("p").textContent = t("draft_not_kept");
    }
  }
  const later = debounce(write, WAIT);

  function leave() {
    try {
      keepAtLast({ key, content: contentOf(form), at: new Date().toISOString() });
    } catch {
      write();
    }
  }

  async function offer() {
    const draft = refused ? null : await readDraft(key).catch(() => null);
    if (draft && JSON.stringify(draft.content) !== atFirst) {
      notice.hidden = false;
      notice.querySelector("p").textContent = t("draft_found", { at: moment(draft.at) });
      notice.querySelector("[data-draft=restore]").addEventListener("click", () => {
        restore(draft.content);
        notice.hidden = true;
        write();
      });
      notice.querySelector("[data-draft=drop]").addEventListener("click", async () => {
        await dropDraft(key);
        notice.hidden = true;
      });
    }
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    form.dataset.draftReady = "1";
  }

  window.addEventListener("pagehide", () => {
    if (!saved && form.dataset.draftReady && JSON.stringify(contentOf(form)) !== atFirst) leave();
  });
  offer();

  return {
    touched: later,
    now: write,
    async drop() {
      saved = true;
      await dropDraft(key).catch(() => null);
    },
  };
}
