// The outline under work: its parts and holes as Terra Draw shapes whose vertices are dragged, added and removed,
// and the history of whole operations.

import * as maplibre from "maplibre-gl";
import { TerraDraw, TerraDrawPolygonMode, TerraDrawSelectMode } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import { assembled, leftTurning } from "../lib/clip.js";
import { makeHistory } from "../lib/history.js";

const PRECISION = 9;
const COLOR = "#b45309";
const OUTLINE = "#7c3a00";
const HOLE = "#f8f5ee";
const HOLE_OUTLINE = "#0b5a54";

const isHole = ({ properties }) => properties.role === "hole";
const styles = {
  fillColor: (shape) => (isHole(shape) ? HOLE : COLOR),
  fillOpacity: (shape) => (isHole(shape) ? 0.75 : 0.25),
  outlineColor: (shape) => (isHole(shape) ? HOLE_OUTLINE : OUTLINE),
  outlineWidth: 3,
};
const selectedStyles = {
  selectedPolygonColor: styles.fillColor,
  selectedPolygonFillOpacity: (shape) => (isHole(shape) ? 0.85 : 0.4),
  selectedPolygonOutlineColor: styles.outlineColor,
  selectedPolygonOutlineWidth: 4,
  selectionPointColor: "#ffffff",
  selectionPointOutlineColor: OUTLINE,
  selectionPointOutlineWidth: 3,
  selectionPointWidth: 7,
  midPointColor: COLOR,
  midPointOutlineColor: "#ffffff",
  midPointWidth: 5,
};

/**
 * Starts the drawing of a map. `snap(lngLat, own)` moves a dragged vertex; `changed()` is called after every finished
 * operation, `moving()` while one goes on, `selection()` when another ring is selected.
 */
export function makeDrawing({ map, snap, changed, moving, selection }) {
  const toCustom = ({ lng, lat }, { currentId }) => snap([lng, lat], ringOf(currentId)) ?? undefined;
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map, lib: maplibre, coordinatePrecision: PRECISION }),
    modes: [
      new TerraDrawPolygonMode({ styles }),
      new TerraDrawSelectMode({
        styles: selectedStyles,
        keyEvents: { deselect: "Escape", delete: null, rotate: null, scale: null },
        flags: {
          polygon: {
            feature: {
              draggable: false,
              coordinates: { midpoints: { draggable: true }, draggable: true, deletable: true, snappable: { toCustom } },
            },
          },
        },
      }),
    ],
  });
  draw.start();
  let selected = null;
  let history = makeHistory([]);
  let quiet = false;

  // Selection handles are points; only the polygons are rings of the outline.
  const rings = () =>
    draw
      .getSnapshot()
      .filter(({ geometry, properties }) => geometry.type === "Polygon" && properties.role)
      .map(({ id, geometry, properties }) => ({ id, role: properties.role, ring: geometry.coordinates[0] }));

  function ringOf(id) {
    return rings().find((entry) => entry.id === id)?.ring ?? null;
  }

  const collected = () => {
    const all = rings();
    const of = (role) => all.filter((entry) => entry.role === role).map(({ ring }) => ring);
    return assembled(of("part"), of("hole"));
  };

  function show(polygons) {
    quiet = true;
    const mode = draw.getMode();
    if (mode === "select") draw.setMode("static");
    selected = null;
    draw.clear();
    draw.addFeatures(polygons.flatMap(([outer, ...holes]) => [shapeOf(outer, "part"), ...holes.map((h) => shapeOf(h, "hole"))]));
    draw.setMode(mode === "static" ? "static" : "select");
    quiet = false;
    selection();
  }

  function finished() {
    if (quiet) return;
    if (history.push(collected())) changed();
  }

  draw.on("finish", finished);
  draw.on("change", (_ids, type) => {
    if (!quiet && type === "update") moving(collected);
  });
  draw.on("select", (id) => {
    selected = id;
    selection();
  });
  draw.on("deselect", () => {
    selected = null;
    if (!quiet) selection();
  });

  return {
    /** Begins anew with polygons: nothing to undo. */
    begin(polygons) {
      const neat = rounded(polygons);
      history = makeHistory(neat);
      show(neat);
    },
    /** Puts polygons in the place of the present ones, as one operation. */
    put(polygons) {
      const neat = rounded(polygons);
      const isNew = history.push(neat);
      show(neat);
      if (isNew) changed();
    },
    /** Puts another ring in the place of one that is shown. */
    setRing(id, ring) {
      draw.updateFeatureGeometry(id, { type: "Polygon", coordinates: rounded([[ring]])[0] });
      if (history.push(collected())) changed();
    },
    removeSelected() {
      const gone = selected;
      if (gone === null) return;
      draw.deselectFeature(gone);
      draw.removeFeatures([gone]);
      finished();
      if (!rings().some(({ role }) => role === "part")) show([]);
    },
    /** Lets vertices be changed, or nothing while something else is drawn. */
    use(mode) {
      draw.setMode(mode);
    },
    select(id) {
      if (draw.getMode() !== "select") draw.setMode("select");
      if (selected !== null) draw.deselectFeature(selected);
      if (id !== null) draw.selectFeature(id);
    },
    undo() {
      const before = history.undo();
      if (before) show(before);
      return before;
    },
    redo() {
      const after = history.redo();
      if (after) show(after);
      return after;
    },
    rings,
    get polygons() {
      return history.current;
    },
    get selected() {
      return rings().find(({ id }) => id === selected) ?? null;
    },
    get canUndo() {
      return history.canUndo;
    },
    get canRedo() {
      return history.canRedo;
    },
  };
}

const shapeOf = (ring, role) => ({
  type: "Feature",
  geometry: { type: "Polygon", coordinates: [leftTurning(ring)] },
  properties: { mode: "polygon", role },
});

// Terra Draw refuses coordinates with more decimals than it was told to keep.
function rounded(polygons) {
  const factor = 10 ** PRECISION;
  const round = (value) => Math.round(value * factor) / factor;
  return polygons.map((rings) => rings.map((ring) => ring.map(([lon, lat]) => [round(lon), round(lat)])));
}
