/** Returns the result of `work`. When it throws, runs `undo` first. */
export function undoOnError<T>(undo: () => void, work: () => T): T {
  try {
    return work();
  } catch (error) {
    undo();
    throw error;
  }
}
