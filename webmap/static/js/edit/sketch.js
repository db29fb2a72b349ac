// A line of vertices being drawn, by mouse, by touch, by keyboard or typed, with an undo of its own for each step.

import { makeHistory } from "../lib/history.js";
import { closed, nearestOnRings, pathAlong, same } from "../lib/rings.js";

const SOURCE = "sketch";
const COLOR = "#7c3a00";
const CLOSE_PIXELS = 12;
const FEWEST = { polygon: 3, hole: 3, line: 2 };

const empty = { type: "FeatureCollection", features: [] };
const feature = (type, coordinates, properties = {}) => ({ type: "Feature", geometry: { type, coordinates }, properties });

/**
 * Makes the sketch of a map. `snapping` gives {snap(lngLat), rings(), tolerance()}; `changed()` is called after every
 * step, `finished(kind, vertices)` when the line is closed, `refused(reason)` when it cannot be.
 */
export function makeSketch({ map, snapping, changed, finished, refused }) {
  let kind = null;
  let steps = makeHistory([]);
  let pointer = null;
  let tracing = false;
  let traceStart = null;

  addLayers(map);
  const canvas = map.getCanvas();
  const vertices = () => steps.current;
  const pixels = (a, b) => Math.hypot(map.project(a).x - map.project(b).x, map.project(a).y - map.project(b).y);

  function draw() {
    const line = pointer && kind ? [...vertices(), pointer] : vertices();
    const features = vertices().map((at, i) => feature("Point", at, { end: i === 0 || i === vertices().length - 1 }));
    if (pointer && kind) features.push(feature("Point", pointer, { pointer: true }));
    if (traceStart) features.push(feature("Point", traceStart.at, { trace: true }));
    if (line.length > 1) features.push(feature("LineString", line));
    if (kind !== "line" && line.length > 2) features.push(feature("Polygon", [closed(line)]));
    map.getSource(SOURCE).setData(kind ? { ...empty, features } : empty);
  }

  function step(list) {
    if (steps.push(list)) changed();
    draw();
  }

  function add(at) {
    const last = vertices().at(-1);
    if (!last || !same(last, at)) step([...vertices(), at]);
  }

  function start(next) {
    kind = next;
    steps = makeHistory([]);
    pointer = null;
    traceStart = null;
    map.doubleClickZoom.disable();
    canvas.classList.add("drawing");
    map.getContainer().classList.add("sketching");
    draw();
    changed();
  }

  function stop() {
    kind = null;
    tracing = false;
    traceStart = null;
    steps = makeHistory([]);
    map.doubleClickZoom.enable();
    canvas.classList.remove("drawing");
    map.getContainer().classList.remove("sketching");
    draw();
    changed();
  }

  function finish() {
    if (!kind) return;
    const [done, list] = [kind, vertices()];
    if (list.length < FEWEST[done]) {
      refused("too_few_vertices");
      return;
    }
    if (finished(done, list)) stop();
  }

  function click(at) {
    if (tracing) {
      trace(at);
      return;
    }
    const list = vertices();
    const closing = kind === "line" ? list.at(-1) : list[0];
    if (list.length >= FEWEST[kind] && pixels(closing, at) < CLOSE_PIXELS) finish();
    else if (!list.length || pixels(list.at(-1), at) > 1) add(snapping.snap(at));
  }

  // The first click says where on a border the way begins, the second where it ends.
  function trace(at) {
    const near = nearestOnRings(at, traceStart ? [traceStart.ring] : snapping.rings(), snapping.tolerance() * 2);
    if (!near) {
      refused("no_border_here");
      return;
    }
    if (!traceStart) {
      traceStart = near;
      changed();
      draw();
      return;
    }
    const path = pathAlong(traceStart.ring, traceStart, near);
    traceStart = null;
    tracing = false;
    const first = vertices().at(-1) && same(vertices().at(-1), path[0]) ? path.slice(1) : path;
    step([...vertices(), ...first.map((position) => [...position])]);
  }

  map.on("click", (event) => {
    if (kind) click(event.lngLat.toArray());
  });
  map.on("mousemove", (event) => {
    if (!kind) return;
    pointer = snapping.snap(event.lngLat.toArray());
    draw();
    changed({ moving: true });
  });
  map.on("mouseout", () => {
    pointer = null;
    draw();
  });
  map.on("dblclick", () => {
    if (kind && !tracing && vertices().length >= FEWEST[kind]) finish();
  });
  canvas.addEventListener("keydown", (event) => {
    if (!kind) return;
    const action = {
      " ": () => click(map.getCenter().toArray()),
      Enter: finish,
      Backspace: () => step(vertices().slice(0, -1)),
      Escape: stop,
    }[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });

  return {
    start,
    stop,
    finish,
    add,
    set: (list) => step(list),
    undo() {
      if (traceStart) traceStart = null;
      else steps.undo();
      draw();
      changed();
    },
    redo() {
      steps.redo();
      draw();
      changed();
    },
    trace(on) {
      tracing = on;
      traceStart = null;
      draw();
      changed();
    },
    get kind() {
      return kind;
    },
    get vertices() {
      return vertices();
    },
    get withPointer() {
      return pointer && kind && !tracing ? [...vertices(), pointer] : vertices();
    },
    get tracing() {
      return tracing ? (traceStart ? "end" : "start") : null;
    },
    get canUndo() {
      return Boolean(kind) && (steps.canUndo || Boolean(traceStart));
    },
    get canRedo() {
      return Boolean(kind) && steps.canRedo;
    },
    get canFinish() {
      return Boolean(kind) && vertices().length >= FEWEST[kind];
    },
  };
}

function addLayers(map) {
  map.addSource(SOURCE, { type: "geojson", data: empty });
  map.addLayer({
    id: "sketch-fill",
    type: "fill",
    source: SOURCE,
    filter: ["==", ["geometry-type"], "Polygon"],
    paint: { "fill-color": "#b45309", "fill-opacity": 0.18 },
  });
  map.addLayer({
    id: "sketch-line",
    type: "line",
    source: SOURCE,
    filter: ["==", ["geometry-type"], "LineString"],
    paint: { "line-color": COLOR, "line-width": 3, "line-dasharray": [2, 1] },
  });
  map.addLayer({
    id: "sketch-point",
    type: "circle",
    source: SOURCE,
    filter: ["==", ["geometry-type"], "Point"],
    paint: {
      "circle-radius": ["case", ["has", "trace"], 8, ["to-boolean", ["get", "end"]], 6, 4],
      "circle-color": ["case", ["has", "trace"], "#0b5a54", "#ffffff"],
      "circle-stroke-color": COLOR,
      "circle-stroke-width": 2,
    },
  });
}
