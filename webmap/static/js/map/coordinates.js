// The coordinate read-out under the map and the box that goes to a coordinate.

import { decimalText, planeText, readLonLat, readPlane, sexagesimalText } from "../lib/coordinates.js";
import { announce, el } from "../lib/dom.js";
import { lang, local, t } from "../lib/text.js";
import { makeVn2000 } from "../lib/vn2000.js";

const CLOSE_ENOUGH = 15;
const EXAMPLES = {
  vi: { lonLat: "9,18; 105,15", plane: "1015233,3; 571235,4" },
  en: { lonLat: "9.18; 105.15", plane: "1015233.3; 571235.4" },
};

/** Wires the read-out; `parameters` are the server's VN-2000 parameters, or null where they did not come. */
export function makeCoordinates({ map, elements, parameters, maplibre }) {
  const { system, output, form, input, error } = elements;
  const zones = parameters ? makeVn2000(parameters) : [];
  for (const zone of zones) system.append(el("option", { value: zone.code }, local(zone.title)));
  const plane = () => zones.find((zone) => String(zone.code) === system.value);
  let position = null;
  let marker = null;

  function write() {
    const { lng, lat } = position ?? map.getCenter();
    const zone = plane();
    if (zone) output.textContent = planeText(zone.toPlane([lng, lat]));
    else output.textContent = (system.value === "dms" ? sexagesimalText : decimalText)([lng, lat]);
  }

  map.on("mousemove", (event) => {
    position = event.lngLat;
    write();
  });
  map.on("mouseout", () => {
    position = null;
    write();
  });
  map.on("move", () => position || write());
  const showExample = () => {
    input.placeholder = EXAMPLES[lang][plane() ? "plane" : "lonLat"];
  };
  system.addEventListener("change", () => {
    showExample();
    write();
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const zone = plane();
    const typed = zone ? readPlane(input.value) : readLonLat(input.value);
    const lonLat = typed && (zone ? zone.toLonLat(typed) : typed);
    const good = lonLat?.every(Number.isFinite);
    error.textContent = good ? "" : t("coordinates_not_read");
    input.setAttribute("aria-invalid", String(!good));
    if (!good) return;
    marker ??= new maplibre.Marker({ color: "#9a4a00" });
    marker.setLngLat(lonLat).addTo(map);
    map.jumpTo({ center: lonLat, zoom: Math.max(map.getZoom(), CLOSE_ENOUGH) });
    announce(t("moved_to", { place: decimalText(lonLat) }));
  });
  showExample();
  write();
}
