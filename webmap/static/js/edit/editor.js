// One outline on one map: what is drawn anew, what is changed, what is taken from neighbours, and the way back.

import { announce } from "../lib/dom.js";
import { crossesItself, difference, union, withHole, withPart } from "../lib/clip.js";
import { closed, opened } from "../lib/rings.js";
import { splitShape } from "../lib/split.js";
import { t } from "../lib/text.js";
import { makeDrawing } from "./drawing.js";
import { makeNeighbours } from "./neighbours.js";
import { makeSketch } from "./sketch.js";
import { makeTakeover } from "./takeover.js";

const SKETCHES = { polygon: "polygon", hole: "hole", split: "line" };

/**
 * Makes the editor. `changed(polygons)` is called after every operation and `shown(state)` whenever a measure or a
 * button may have to change.
 */
export function makeEditor({ map, layer, own, elements, changed, shown }) {
  const { tools, plans, panel } = elements;
  const buttons = Object.fromEntries([...tools.querySelectorAll("[data-tool]")].map((b) => [b.dataset.tool, b]));
  const plansAt = new Map();
  let tool = "select";
  let live = null;

  const neighbours = makeNeighbours({ map, layer, own });
  const drawing = makeDrawing({
    map,
    snap: (at, ring) => neighbours.snap(at, drawing.rings().map((r) => r.ring).filter((r) => r !== ring)),
    changed: kept,
    moving: (collect) => {
      live = collect();
      refresh();
    },
    selection: refresh,
  });
  const ownRings = () => drawing.polygons.flat();
  const sketch = makeSketch({
    map,
    snapping: {
      snap: (at) => neighbours.snap(at, ownRings()),
      rings: () => [...neighbours.rings(), ...ownRings()],
      tolerance: () => neighbours.tolerance(),
    },
    changed: refresh,
    finished: apply,
    refused: say,
  });
  const takeover = makeTakeover({
    panel,
    list: plans,
    merge: (record) => drawing.put(union(drawing.polygons, record.polygons)),
    cut: (record) => drawing.put(difference(drawing.polygons, record.polygons)),
    changed: () => {
      plansAt.set(key(), takeover.plans);
      neighbours.mark(null);
      changed(drawing.polygons, takeover.plans);
      refresh();
    },
  });

  const key = () => JSON.stringify(drawing.polygons);

  function say(sentence) {
    elements.message.textContent = t(sentence);
    announce(t(sentence));
  }

  function kept() {
    live = null;
    if (!plansAt.has(key())) plansAt.set(key(), takeover.plans);
    changed(drawing.polygons, takeover.plans);
    refresh();
  }

  function apply(kind, vertices) {
    const ring = closed(vertices);
    if (kind !== "line" && crossesItself(ring)) {
      say("ring_crosses_itself");
      return false;
    }
    const before = drawing.polygons;
    const after = {
      polygon: () => withPart(before, ring),
      hole: () => withHole(before, ring),
      line: () => splitShape(before, vertices),
    }[kind]();
    if (kind === "line" && after.length === before.length) {
      say("line_cuts_nothing");
      return false;
    }
    queueMicrotask(() => {
      use(kind === "line" ? "select" : tool);
      drawing.put(after);
      if (kind === "line") elements.message.textContent = t("split_done", { n: after.length });
    });
    return true;
  }

  function use(next) {
    if (sketch.kind) sketch.stop();
    tool = next;
    elements.message.textContent = "";
    neighbours.mark(null);
    takeover.close();
    drawing.use(next === "select" ? "select" : "static");
    if (SKETCHES[next]) sketch.start(SKETCHES[next]);
    refresh();
  }

  function refresh() {
    for (const name of ["polygon", "hole", "split", "select", "neighbour"]) {
      buttons[name].setAttribute("aria-pressed", String(name === tool));
    }
    const nothing = !drawing.polygons.length;
    buttons.hole.disabled = buttons.split.disabled = nothing;
    buttons.trace.setAttribute("aria-pressed", String(Boolean(sketch.tracing)));
    buttons.delete.disabled = !drawing.selected;
    buttons.undo.disabled = !(sketch.canUndo || drawing.canUndo);
    buttons.redo.disabled = !(sketch.canRedo || (!sketch.vertices.length && drawing.canRedo));
    buttons.finish.hidden = buttons.cancel.hidden = !sketch.kind;
    buttons.finish.disabled = !sketch.canFinish;
    shown({
      tool,
      tracing: sketch.tracing,
      polygons: live ?? drawing.polygons,
      sketch: sketch.kind ? { kind: sketch.kind, vertices: sketch.withPointer } : null,
    });
  }

  // First the steps of the line being drawn, then whole operations.
  function back(operation) {
    if (operation()) {
      live = null;
      takeover.restore(plansAt.get(key()) ?? []);
      changed(drawing.polygons, takeover.plans);
    }
    refresh();
  }
  const undo = () => (sketch.canUndo ? sketch.undo() : back(() => drawing.undo()));
  const redo = () => (sketch.canRedo ? sketch.redo() : sketch.vertices.length || back(() => drawing.redo()));

  for (const name of ["polygon", "hole", "split", "select", "neighbour"]) {
    buttons[name].addEventListener("click", () => use(name));
  }
  buttons.trace.addEventListener("click", () => {
    if (!sketch.kind) use("polygon");
    sketch.trace(!sketch.tracing);
  });
  buttons.undo.addEventListener("click", undo);
  buttons.redo.addEventListener("click", redo);
  buttons.delete.addEventListener("click", () => drawing.removeSelected());
  buttons.finish.addEventListener("click", () => sketch.finish());
  buttons.cancel.addEventListener("click", () => use("select"));
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || isTyping(event.target)) return;
    const letter = event.key.toLowerCase();
    if (letter !== "z" && letter !== "y") return;
    event.preventDefault();
    if (letter === "y" || event.shiftKey) redo();
    else undo();
  });
  map.on("click", ({ lngLat }) => {
    if (tool !== "neighbour") return;
    const record = neighbours.at(lngLat.toArray());
    neighbours.mark(record);
    if (record) takeover.offer(record);
    else say("no_neighbour_here");
  });

  return {
    begin(polygons, wanted = []) {
      drawing.begin(polygons);
      takeover.restore(wanted);
      plansAt.set(key(), wanted);
      use(polygons.length ? "select" : "polygon");
    },
    put: (polygons) => drawing.put(polygons),
    use,
    snapping(on, pixels) {
      neighbours.enabled = on;
      neighbours.pixels = pixels;
    },
    /** The ring whose vertices are listed, or that typed ones join: what is being drawn, else the selected, else the first. */
    ring({ adding = false } = {}) {
      if (sketch.kind && (adding || sketch.vertices.length)) {
        return { title: t("ring_being_drawn"), ring: sketch.vertices, closed: false, set: (list) => sketch.set(list) };
      }
      const all = drawing.rings();
      const chosen = drawing.selected ?? all[0];
      if (!chosen) return null;
      const number = all.filter(({ role }) => role === chosen.role).findIndex(({ id }) => id === chosen.id) + 1;
      return {
        title: t(chosen.role === "hole" ? "hole_number" : "part_number", { n: number }),
        ring: opened(chosen.ring),
        closed: true,
        set: (list) => drawing.setRing(chosen.id, closed(list)),
      };
    },
    rings: () => drawing.rings(),
    select: (id) => {
      if (tool !== "select") use("select");
      drawing.select(id);
    },
    get polygons() {
      return drawing.polygons;
    },
    get plans() {
      return takeover.plans;
    },
  };
}

const isTyping = (node) => node.matches?.("input:not([type=checkbox], [type=radio]), textarea, select") ?? false;
