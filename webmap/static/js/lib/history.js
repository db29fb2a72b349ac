// States that one can go back to and forward from.

const MOST = 200;

/** Makes a history that begins with a state; `push` forgets what had been undone. */
export function makeHistory(first) {
  let past = [first];
  let future = [];
  return {
    push(state) {
      if (JSON.stringify(state) === JSON.stringify(past.at(-1))) return false;
      past = [...past.slice(-MOST), state];
      future = [];
      return true;
    },
    undo() {
      if (past.length < 2) return null;
      future.push(past.pop());
      return past.at(-1);
    },
    redo() {
      if (!future.length) return null;
      past.push(future.pop());
      return past.at(-1);
    },
    get current() {
      return past.at(-1);
    },
    get canUndo() {
      return past.length > 1;
    },
    get canRedo() {
      return future.length > 0;
    },
  };
}
