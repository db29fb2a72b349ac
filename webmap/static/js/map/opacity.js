// Scales the opacity of a layer's paint, whatever expression its style uses for it.

const PAINT = {
  fill: ["fill-opacity"],
  line: ["line-opacity"],
  circle: ["circle-opacity", "circle-stroke-opacity"],
  symbol: ["text-opacity", "icon-opacity"],
};

/** Applies a factor between 0 and 1 to the opacity that the style declared. */
export function applyOpacity(map, layer, factor) {
  for (const property of PAINT[layer.type] ?? []) {
    map.setPaintProperty(layer.id, property, scaled(layer.paint?.[property] ?? 1, factor));
  }
}

// An expression over the zoom must stay outermost, so the factor goes into its outputs.
function scaled(value, factor) {
  if (factor === 1) return value;
  if (typeof value === "number") return value * factor;
  const [operator] = value;
  if (operator === "interpolate") return value.map((part, i) => (i > 3 && i % 2 === 0 ? scaled(part, factor) : part));
  if (operator === "step") return value.map((part, i) => (i > 1 && i % 2 === 0 ? scaled(part, factor) : part));
  return ["*", value, factor];
}
