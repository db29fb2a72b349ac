// Drawing and changing polygons with Terra Draw: several parts, holes kept, undo.

import * as maplibre from "maplibre-gl";
import {
  TerraDraw,
  TerraDrawModeUndoRedo,
  TerraDrawPolygonMode,
  TerraDrawSelectMode,
  TerraDrawSessionUndoRedo,
} from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";

const PRECISION = 9;
const COLOR = "#b45309";
const OUTLINE = "#7c3a00";

const styles = { fillColor: COLOR, fillOpacity: 0.25, outlineColor: OUTLINE, outlineWidth: 3 };
const selectedStyles = {
  selectedPolygonColor: COLOR,
  selectedPolygonFillOpacity: 0.35,
  selectedPolygonOutlineColor: OUTLINE,
  selectedPolygonOutlineWidth: 3,
  selectionPointColor: "#ffffff",
  selectionPointOutlineColor: OUTLINE,
  selectionPointOutlineWidth: 3,
  selectionPointWidth: 7,
  midPointColor: COLOR,
  midPointOutlineColor: "#ffffff",
  midPointWidth: 5,
};

/** Starts drawing on a map; `changed(polygons)` is called after every finished change. */
export function makeDrawing({ map, tools, changed }) {
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map, lib: maplibre, coordinatePrecision: PRECISION }),
    modes: [
      new TerraDrawPolygonMode({ styles }),
      new TerraDrawSelectMode({
        styles: selectedStyles,
        flags: {
          polygon: {
            feature: {
              draggable: false,
              coordinates: { midpoints: true, draggable: true, deletable: true },
            },
          },
        },
      }),
    ],
    undoRedo: { modeLevel: new TerraDrawModeUndoRedo(), sessionLevel: new TerraDrawSessionUndoRedo() },
  });
  draw.start();
  let selected = null;
  const buttons = Object.fromEntries([...tools.querySelectorAll("[data-tool]")].map((b) => [b.dataset.tool, b]));

  // Selection handles are points and a polygon being drawn is no part yet; only whole polygons count.
  const polygons = () =>
    draw
      .getSnapshot()
      .filter(({ geometry, properties }) => geometry.type === "Polygon" && !properties.currentlyDrawing)
      .map(({ geometry }) => geometry.coordinates);

  function use(mode) {
    draw.setMode(mode);
    for (const name of ["polygon", "select"]) buttons[name].setAttribute("aria-pressed", String(name === mode));
    refresh();
  }

  function refresh() {
    buttons.delete.disabled = selected === null;
    buttons.undo.disabled = !draw.canUndo();
  }

  function finished() {
    changed(polygons());
    refresh();
  }

  draw.on("finish", finished);
  draw.on("history", refresh);
  draw.on("select", (id) => {
    selected = id;
    refresh();
  });
  draw.on("deselect", () => {
    selected = null;
    refresh();
  });
  buttons.polygon.addEventListener("click", () => use("polygon"));
  buttons.select.addEventListener("click", () => use("select"));
  buttons.undo.addEventListener("click", () => {
    draw.undo();
    finished();
  });
  buttons.delete.addEventListener("click", () => {
    if (selected === null) return;
    const gone = selected;
    draw.deselectFeature(gone);
    draw.removeFeatures([gone]);
    finished();
  });

  return {
    replace(parts) {
      draw.clear();
      draw.addFeatures(
        parts.map((coordinates) => ({
          type: "Feature",
          geometry: { type: "Polygon", coordinates: rounded(coordinates) },
          properties: { mode: "polygon" },
        })),
      );
      draw.clearUndoRedoHistory();
      use(parts.length ? "select" : "polygon");
    },
  };
}

// Terra Draw refuses coordinates with more decimals than it was told to keep.
function rounded(rings) {
  const factor = 10 ** PRECISION;
  return rings.map((ring) => ring.map(([lon, lat]) => [Math.round(lon * factor) / factor, Math.round(lat * factor) / factor]));
}
