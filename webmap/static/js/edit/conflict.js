// Two people changed one record: the three outlines on the map, and the choice between them.

import { el } from "../lib/dom.js";
import { polygonsOf } from "../lib/geometry.js";

const LOOKS = {
  base: { "line-color": "#4b5b58", "line-width": 2, "line-dasharray": [1, 2] },
  theirs: { "line-color": "#1d4ed8", "line-width": 4 },
  mine: { "line-color": "#b45309", "line-width": 2 },
};

/** Draws the outlines of a conflict and puts what is chosen into the form; `choose(polygons)` takes an outline. */
export function showConflict({ map, outlines, section, choose, form }) {
  form.append(el("input", { type: "hidden", name: "chosen", value: "1" }));
  for (const radio of section.querySelectorAll("input[data-field]")) {
    const put = () => {
      if (radio.checked) form.elements[radio.dataset.field].value = radio.dataset.value;
    };
    radio.addEventListener("change", put);
    put();
  }
  if (outlines.mine) showOutlines({ map, outlines, section, choose });
}

function showOutlines({ map, outlines, section, choose }) {
  for (const [name, paint] of Object.entries(LOOKS)) {
    map.addSource(`conflict-${name}`, { type: "geojson", data: outlines[name] ?? { type: "FeatureCollection", features: [] } });
    map.addLayer({ id: `conflict-${name}`, type: "line", source: `conflict-${name}`, paint });
  }
  section.querySelector("[data-legend]").hidden = false;
  for (const box of section.querySelectorAll("[data-outline]")) {
    box.addEventListener("change", () =>
      map.setLayoutProperty(`conflict-${box.dataset.outline}`, "visibility", box.checked ? "visible" : "none"),
    );
  }
  for (const radio of section.querySelectorAll("input[name=choice-geometry]")) {
    const put = () => radio.checked && choose(polygonsOf(outlines[radio.value]));
    radio.addEventListener("change", put);
    put();
  }
}
