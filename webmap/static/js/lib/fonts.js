// The map's letters: our own font files, so that no glyph server is needed.

const RANGES = {
  vietnamese: [
    "U+0102-0103", "U+0110-0111", "U+0128-0129", "U+0168-0169", "U+01A0-01A1", "U+01AF-01B0", "U+0300-0301",
    "U+0303-0304", "U+0308-0309", "U+0323", "U+0329", "U+1EA0-1EF9", "U+20AB",
  ],
  latin: [
    "U+0000-00FF", "U+0131", "U+0152-0153", "U+02BB-02BC", "U+02C6", "U+02DA", "U+02DC", "U+2000-206F",
    "U+20AC", "U+2122", "U+2191", "U+2193", "U+2212", "U+2215", "U+FEFF", "U+FFFD",
  ],
};

export const REGULAR = "Be Vietnam Pro Regular";
export const BOLD = "Be Vietnam Pro Bold";

const absolute = (url) => new URL(url, document.baseURI).href;

/** Builds the style's `font-faces` from {regular: {vietnamese, latin}, bold: {…}} addresses. */
export function fontFaces(fonts) {
  const faces = (files) =>
    Object.entries(files).map(([subset, url]) => ({ url: absolute(url), "unicode-range": RANGES[subset] }));
  return { [REGULAR]: faces(fonts.regular), [BOLD]: faces(fonts.bold) };
}

/** Replaces whatever font a style names by ours, keeping its weight. */
export function ourFont(textFont) {
  return JSON.stringify(textFont ?? "").includes("Bold") ? [BOLD] : [REGULAR];
}
