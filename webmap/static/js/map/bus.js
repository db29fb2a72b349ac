// What the parts of the map tell one another, without knowing who listens.

/** Makes a bus: `on(name, listener)` and `tell(name, facts)`. */
export function makeBus() {
  const target = new EventTarget();
  return {
    on: (name, listener) => target.addEventListener(name, (event) => listener(event.detail)),
    tell: (name, facts = {}) => target.dispatchEvent(new CustomEvent(name, { detail: facts })),
  };
}
