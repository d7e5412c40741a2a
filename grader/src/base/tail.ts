/** Keeps the last `limit` bytes of a stream, and counts the bytes it drops. */
export function createTail(limit: number) {
  let chunks: Buffer[] = [];
  let size = 0;
  let dropped = 0;

  return {
    add(chunk: Buffer): void {
      chunks.push(chunk);
      size += chunk.length;
      while (size - chunks[0]!.length >= limit) {
        const first = chunks.shift()!;
        size -= first.length;
        dropped += first.length;
      }
    },
    clear(): void {
      chunks = [];
      size = 0;
      dropped = 0;
    },
    text(): string {
      const all = Buffer.concat(chunks, size);
      const over = Math.max(0, size - limit);
      const cut = dropped + over;
      return (cut > 0 ? `… (first ${cut} bytes omitted)\n` : "") + all.subarray(over).toString("utf8");
    },
  };
}
