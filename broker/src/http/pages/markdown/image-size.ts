/**
 * Returns the pixels of an image by its first bytes; null where they do not say. Pages reserve that room
 * while it loads.
 */
export function readImageSize(head: Buffer): { width: number; height: number } | null {
  try {
    const size = sizeOf(head);
    return size && size.width > 0 && size.height > 0 ? size : null;
  } catch {
    // The file ends before its size.
    return null;
  }
}

function sizeOf(head: Buffer): { width: number; height: number } | null {
  const text = (from: number, to: number) => head.toString("latin1", from, to);
  if (text(1, 4) === "PNG") return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
  if (text(0, 3) === "GIF") return { width: head.readUInt16LE(6), height: head.readUInt16LE(8) };
  if (text(8, 12) === "WEBP") return webp(head, text(12, 16));
  if (head.readUInt16BE(0) === 0xffd8) return jpeg(head);
  return null;
}

function webp(head: Buffer, chunk: string): { width: number; height: number } | null {
  if (chunk === "VP8X") return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 };
  if (chunk === "VP8 ")
    return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff };
  if (chunk !== "VP8L") return null;
  const bits = head.readUInt32LE(21);
  return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
}

/** Walks to the frame header. */
function jpeg(head: Buffer): { width: number; height: number } | null {
  let at = 2;
  while (head.readUInt8(at) === 0xff) {
    const marker = head.readUInt8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { width: head.readUInt16BE(at + 7), height: head.readUInt16BE(at + 5) };
    at += 2 + head.readUInt16BE(at + 2);
  }
  return null;
}
