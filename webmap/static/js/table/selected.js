// Which rows are selected, with the version of each that was seen; kept while one turns pages or comes back.

/** Makes the selection of a layer's table; `listen(callback)` is told of every change. */
export function makeSelected({ layer }) {
  const key = `selected:${layer}`;
  const listeners = [];
  let rows = new Map(read(key));

  function changed(from) {
    try {
      sessionStorage.setItem(key, JSON.stringify([...rows]));
    } catch {
      // A full or closed store only means that the selection does not outlive this page.
    }
    listeners.forEach((listener) => listener(from));
  }

  return {
    listen: (callback) => listeners.push(callback),
    has: (id) => rows.has(id),
    get ids() {
      return [...rows.keys()];
    },
    get rows() {
      return [...rows];
    },
    get size() {
      return rows.size;
    },
    only(list, from) {
      rows = new Map(list);
      changed(from);
    },
    add(list, from) {
      rows = new Map([...rows, ...list]);
      changed(from);
    },
    toggle(id, version, from) {
      if (!rows.delete(id)) rows.set(id, version);
      changed(from);
    },
    version(id, version) {
      if (rows.has(id)) rows.set(id, version);
    },
    clear: (from) => {
      rows = new Map();
      changed(from);
    },
  };
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "[]");
  } catch {
    return [];
  }
}
