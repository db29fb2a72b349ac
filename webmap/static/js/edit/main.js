// The edit form: its map, its table of vertices, its drafts, and the GeoJSON field kept in step with what is drawn.

import { createMap, maplibre, mergeStyles } from "../lib/basemap.js";
import { withPart } from "../lib/clip.js";
import { el, getJson } from "../lib/dom.js";
import { boundsOf, polygonsOf } from "../lib/geometry.js";
import { pageData, t } from "../lib/text.js";
import { showConflict } from "./conflict.js";
import { makeDrafting } from "./drafting.js";
import { makeEditor } from "./editor.js";
import { showLocalFile } from "./files.js";
import { shapeSentence, sketchSentence } from "./measure.js";
import { makeSaving } from "./saving.js";
import { makeVertices } from "./vertices.js";

const byId = (id) => document.getElementById(id);
const config = pageData("map-config");
const BACKGROUND_LAYERS = ["provinces", "districts", "communes"];

async function backgroundStyle() {
  const styles = await Promise.all(BACKGROUND_LAYERS.map((id) => getJson(`/styles/${id}.json`)));
  return mergeStyles({ styles, fonts: config.fonts, basemap: config.basemap });
}

function readField(field, error) {
  const text = field.value.trim();
  error.textContent = "";
  field.removeAttribute("aria-invalid");
  if (!text) return [];
  try {
    const polygons = polygonsOf(JSON.parse(text));
    if (polygons.length) return polygons;
  } catch {
    // Falls through to the same sentence: either it is no JSON, or it holds no polygon.
  }
  error.textContent = t("geojson_not_read");
  field.setAttribute("aria-invalid", "true");
  return null;
}

function viewOf(polygons) {
  const bounds = boundsOf(polygons) ?? config.bounds;
  return { bounds, fitBoundsOptions: { padding: 40, maxZoom: 17 } };
}

function readPlans(field) {
  try {
    return JSON.parse(field.value || "[]");
  } catch {
    return [];
  }
}

function wireForm() {
  const form = byId("edit-form");
  const field = byId("geometry");
  const restorers = [];
  const restore = (content) => {
    for (const [name, value] of Object.entries(content)) {
      const control = form.elements[name];
      if (control) control.value = value;
    }
    restorers.forEach((put) => put());
  };
  const drafting = makeDrafting({ form, notice: byId("draft-notice"), restore });
  makeSaving({ form, message: byId("save-message"), drafting });
  return { form, field, drafting, onRestore: (put) => restorers.push(put) };
}

async function openMap(initial) {
  const container = byId("edit-map");
  try {
    return createMap({ container, style: await backgroundStyle(), view: viewOf(initial), attribution: config.attribution });
  } catch (failure) {
    byId("measure").textContent = failure instanceof maplibre.GPUInitializationError ? t("no_webgl") : failure.message;
    return null;
  }
}

function measured(editor, table, ringChoice) {
  return (state) => {
    const { tool, tracing, polygons, sketch } = state;
    byId("measure").textContent = sketch?.vertices.length ? sketchSentence(sketch) : shapeSentence(polygons);
    byId("tool-hint").textContent = t(tracing ? `hint_trace_${tracing}` : `hint_${tool}`);
    table()?.draw();
    const rings = editor()?.rings() ?? [];
    const titles = { part: 0, hole: 0 };
    const options = rings.map(({ id, role }) => {
      titles[role] += 1;
      return el("option", { value: id }, t(role === "hole" ? "hole_number" : "part_number", { n: titles[role] }));
    });
    if (document.activeElement !== ringChoice) ringChoice.replaceChildren(...options);
  };
}

async function start() {
  const { form, field, drafting, onRestore } = wireForm();
  const error = byId("geometry-error");
  const initial = readField(field, error) ?? [];
  byId("draw").hidden = false;
  const map = await openMap(initial);
  if (!map) return;
  map.once("style.load", () => work({ map, form, field, error, initial, drafting, onRestore }));
}

async function work({ map, form, field, error, initial, drafting, onRestore }) {
  const plansField = byId("neighbours");
  const ringChoice = byId("ring-choice");
  let table = null;
  const editor = makeEditor({
    map,
    layer: form.dataset.layer,
    own: form.dataset.row ? Number(form.dataset.row) : null,
    elements: {
      tools: byId("draw").querySelector(".draw-tools"),
      panel: byId("neighbour-panel"),
      plans: byId("neighbour-plans"),
      message: byId("draw-message"),
    },
    changed(polygons, plans) {
      field.value = polygons.length ? JSON.stringify({ type: "MultiPolygon", coordinates: polygons }) : "";
      plansField.value = plans.length ? JSON.stringify(plans) : "";
      drafting.touched();
    },
    shown: measured(() => editor, () => table, ringChoice),
  });
  editor.begin(initial, readPlans(plansField));

  const fit = (polygons) => polygons.length && map.fitBounds(boundsOf(polygons), { padding: 40, maxZoom: 17 });
  const reread = () => {
    const pasted = readField(field, error);
    if (!pasted) return;
    editor.put(pasted);
    editor.use(pasted.length ? "select" : "polygon");
    fit(pasted);
  };
  field.addEventListener("change", reread);
  onRestore(() => {
    const kept = readField(field, error) ?? [];
    editor.begin(kept, readPlans(plansField));
    fit(kept);
  });
  showLocalFile({
    input: byId("geometry-file"),
    field,
    addRings(rings) {
      if (!rings.length) {
        byId("draw-message").textContent = t("gpx_not_read");
        return false;
      }
      const all = rings.reduce((polygons, ring) => withPart(polygons, ring), editor.polygons);
      editor.use("select");
      editor.put(all);
      fit(all);
      return true;
    },
  });
  const snapOn = byId("snap-on");
  const snapPixels = byId("snap-pixels");
  for (const control of [snapOn, snapPixels]) {
    control.addEventListener("change", () => editor.snapping(snapOn.checked, Number(snapPixels.value)));
  }
  ringChoice.addEventListener("change", () => {
    const ids = editor.rings();
    editor.select(ids[ringChoice.selectedIndex]?.id ?? null);
  });
  const section = byId("conflict-section");
  if (section) showConflict({ map, outlines: pageData("conflict-outlines"), section, form, choose: editor.put });
  map.on("movestart", () => delete byId("edit-map").dataset.still);
  map.on("moveend", () => {
    byId("edit-map").dataset.still = "1";
  });
  byId("edit-map").dataset.drawReady = "1";

  table = await makeVertices({
    address: config.crs,
    elements: {
      systemChoice: byId("vertex-system"),
      body: byId("vertex-rows"),
      heads: [byId("vertex-head-1"), byId("vertex-head-2")],
      caption: byId("vertex-caption"),
      add: byId("vertex-add"),
      more: byId("vertex-more"),
    },
    source: () => editor.ring(),
    target: () => editor.ring({ adding: true }),
    begin: () => editor.use("polygon"),
    lookAt: (at) => at && !map.getBounds().contains(at) && map.panTo(at),
  });
}

start();
