// A GeoJSON file is shown on the map as soon as it is chosen; every other format is read by the server on saving.

const LARGEST = 5_000_000;

/** Puts the text of a chosen GeoJSON file into the field, which then draws it. */
export function showLocalFile({ input, field }) {
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file || !/\.(geo)?json$/i.test(file.name) || file.size > LARGEST) return;
    field.value = await file.text();
    field.dispatchEvent(new Event("change"));
    if (!field.hasAttribute("aria-invalid")) input.value = "";
  });
}
