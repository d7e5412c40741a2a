const NEW_LINE = 0x0a;

/**
 * Cuts a stream of bytes into lines, holding at most one line of `limit` bytes. A longer one is told once to
 * `onTooLong`, and everything after it is dropped.
 */
export function createLineReader(limit: number, onLine: (line: Buffer) => void, onTooLong: () => void) {
  let held: Buffer[] = [];
  let size = 0;
  let dropped = false;

  function keep(piece: Buffer): boolean {
    size += piece.length;
    if (size > limit) {
      dropped = true;
      held = [];
      onTooLong();
      return false;
    }
    held.push(piece);
    return true;
  }

  function take(): Buffer {
    const line = held.length === 1 ? held[0]! : Buffer.concat(held, size);
    held = [];
    size = 0;
    return line;
  }

  return {
    push(chunk: Buffer): void {
      let start = 0;
      while (!dropped) {
        const end = chunk.indexOf(NEW_LINE, start);
        if (end < 0) break;
        if (!keep(chunk.subarray(start, end))) return;
        onLine(take());
        start = end + 1;
      }
      if (!dropped && start < chunk.length) keep(chunk.subarray(start));
    },
    /** What came after the last new line. */
    rest: (): Buffer => take(),
  };
}
