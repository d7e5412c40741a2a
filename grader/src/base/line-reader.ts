const NEW_LINE = 0x0a;

/**
 * Splits a stream of bytes into lines, buffering at most one line of `limit` bytes. A longer line is reported
 * once to `onTooLong`, and everything after it is dropped.
 */
export function createLineReader(limit: number, onLine: (line: Buffer) => void, onTooLong: () => void) {
  let pieces: Buffer[] = [];
  let size = 0;
  let dropped = false;

  function keep(piece: Buffer): boolean {
    size += piece.length;
    if (size > limit) {
      dropped = true;
      pieces = [];
      onTooLong();
      return false;
    }
    pieces.push(piece);
    return true;
  }

  function take(): Buffer {
    const line = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size);
    pieces = [];
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
    /** Returns the bytes after the last newline. */
    rest: (): Buffer => take(),
  };
}
