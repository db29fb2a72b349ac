// What was typed and drawn but not saved, kept by the browser (IndexedDB) under the address of its form.

const DATABASE = "ocopmap";
const STORE = "drafts";

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function inStore(mode, action) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = action(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

const lastWords = (key) => `draft:${key}`;

/** Returns the draft of a key, or null. */
export async function readDraft(key) {
  const said = localStorage.getItem(lastWords(key));
  if (said) {
    await keepDraft(JSON.parse(said));
    localStorage.removeItem(lastWords(key));
  }
  return (await inStore("readonly", (store) => store.get(key))) ?? null;
}

/** Keeps a draft under its key, in place of the one before. */
export const keepDraft = (draft) => inStore("readwrite", (store) => store.put(draft));

/** Keeps a draft while the page is being left, when only what is done at once is done at all. */
export const keepAtLast = (draft) => localStorage.setItem(lastWords(draft.key), JSON.stringify(draft));

/** Throws a draft away. */
export async function dropDraft(key) {
  localStorage.removeItem(lastWords(key));
  await inStore("readwrite", (store) => store.delete(key));
}
