// Copies the few browser files we serve from node_modules into webmap/static/vendor/<name>-<version>/,
// with the licence of each package, and lists them with their SHA-256 in vendor.json.
// Run after `npm ci`: node tools/vendor.mjs

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const MODULES = join(ROOT, "node_modules");
const TARGET = join(ROOT, "webmap", "static", "vendor");

const WEIGHTS = ["400", "700"];
const SUBSETS = ["vietnamese", "latin"];
const FONT = "be-vietnam-pro";
const fontFile = (subset, weight) => `${FONT}-${subset}-${weight}-normal.woff2`;

const PACKAGES = [
  {
    name: "maplibre-gl",
    files: ["maplibre-gl.mjs", "maplibre-gl-worker.mjs", "maplibre-gl-shared.mjs", "maplibre-gl.css"].map(
      (file) => `dist/${file}`,
    ),
  },
  { name: "terra-draw", files: ["dist/terra-draw.modern.js"] },
  {
    name: "terra-draw-maplibre-gl-adapter",
    files: ["dist/terra-draw-maplibre-gl-adapter.modern.js"],
  },
  // For maps as one file that one can mail (folium).
  { name: "leaflet", files: ["leaflet.js", "leaflet.css", "layers.png", "layers-2x.png"].map((file) => `dist/${file.endsWith("png") ? "images/" : ""}${file}`) },
  { name: "polyclip-ts", files: ["dist/esm/index.js"] },
  { name: "bignumber.js", files: ["bignumber.mjs"] },
  { name: "splaytree-ts", files: ["dist/esm/index.js"] },
  {
    name: `@fontsource/${FONT}`,
    files: SUBSETS.flatMap((subset) => WEIGHTS.map((weight) => `files/${fontFile(subset, weight)}`)),
    generate: { "fonts.css": fontFaces },
  },
  // The same font as TrueType, for the letters on map images that the server draws.
  {
    name: `@expo-google-fonts/${FONT}`,
    as: `${FONT}-ttf`,
    files: ["400Regular/BeVietnamPro_400Regular.ttf", "LICENSE_FONT"],
  },
];

function fontFaces(source) {
  const ranges = JSON.parse(readFileSync(join(source, "unicode.json"), "utf8"));
  const faces = SUBSETS.flatMap((subset) =>
    WEIGHTS.map((weight) =>
      [
        "@font-face {",
        '  font-family: "Be Vietnam Pro";',
        "  font-style: normal;",
        "  font-display: swap;",
        `  font-weight: ${weight};`,
        `  src: url("${fontFile(subset, weight)}") format("woff2");`,
        `  unicode-range: ${ranges[subset]};`,
        "}",
      ].join("\n"),
    ),
  );
  return `${faces.join("\n")}\n`;
}

function licenceOf(source, name) {
  const file = readdirSync(source).find((entry) => /^licen[cs]e/i.test(entry));
  return file ?? declaredLicence(source, name);
}

function declaredLicence(source, name) {
  const { license } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  if (license !== "MIT") throw new Error(`${name}: no licence file, and "${license}" is not MIT`);
  return null;
}

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR
THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

function mitText({ name, author }) {
  const holder = typeof author === "string" ? author : (author?.name ?? `the ${name} authors`);
  return `MIT License\n\nCopyright (c) ${holder}\n\n${MIT}`;
}

// A source map is not shipped, so the comment that points at it would only cause a 404 in the browser's tools.
function withoutSourceMap(file) {
  if (!/\.(m?js|css)$/.test(file)) return;
  const text = readFileSync(file, "utf8");
  const clean = text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "\n");
  if (clean !== text) writeFileSync(file, clean);
}

function vendorOne({ name, as = basename(name), files, generate = {} }) {
  const source = join(MODULES, name);
  if (!existsSync(source)) throw new Error(`${name} is not in node_modules: run npm ci first`);
  const about = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  const folder = `${as}-${about.version}`;
  const target = join(TARGET, folder);
  mkdirSync(target, { recursive: true });

  const written = [];
  for (const file of files) {
    const to = join(target, basename(file));
    copyFileSync(join(source, file), to);
    withoutSourceMap(to);
    written.push(to);
  }
  for (const [file, make] of Object.entries(generate)) {
    writeFileSync(join(target, file), make(source));
    written.push(join(target, file));
  }
  const licence = licenceOf(source, name);
  if (licence) copyFileSync(join(source, licence), join(target, "LICENSE"));
  else writeFileSync(join(target, "LICENSE"), mitText(about));
  written.push(join(target, "LICENSE"));

  return {
    name: as,
    package: name,
    version: about.version,
    license: about.license,
    files: written.map((path) => ({
      path: `${folder}/${basename(path)}`,
      sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
    })),
  };
}

rmSync(TARGET, { recursive: true, force: true });
const packages = PACKAGES.map(vendorOne);
writeFileSync(join(TARGET, "vendor.json"), `${JSON.stringify({ packages }, null, 2)}\n`);
console.log(`${packages.flatMap(({ files }) => files).length} files in webmap/static/vendor`);
