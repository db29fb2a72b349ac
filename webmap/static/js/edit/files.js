// GeoJSON files and GPX tracks are shown on the map as soon as they are chosen; every other format is read by the
// server on saving.

import { ringsOfGpx } from "../lib/gpx.js";

const LARGEST = 5_000_000;

/** Puts the outline of a chosen GeoJSON file into the field, which then draws it; `addRings` takes those of a track. */
export function showLocalFile({ input, field, addRings }) {
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file || file.size > LARGEST) return;
    if (/\.gpx$/i.test(file.name)) {
      if (addRings(ringsOfGpx(await file.text()))) input.value = "";
    } else if (/\.(geo)?json$/i.test(file.name)) {
      field.value = await file.text();
      field.dispatchEvent(new Event("change"));
      if (!field.hasAttribute("aria-invalid")) input.value = "";
    }
  });
}
