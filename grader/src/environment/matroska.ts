// A video in Matroska whose frames are images as they came, so that nothing is encoded here. See
// https://www.matroska.org.

export interface EncodedImage {
  type: "png" | "jpeg";
  width: number;
  height: number;
}

/** Returns what a image is; null when it is neither PNG nor JPEG. */
export function readImage(data: Buffer): EncodedImage | null {
  if (data.length > 33 && data.toString("latin1", 0, 8) === "\x89PNG\r\n\x1a\n")
    return { type: "png", width: data.readUInt32BE(16), height: data.readUInt32BE(20) };
  if (data.length < 4 || data.readUInt16BE(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 < data.length && data[at] === 0xff; ) {
    const marker = data[at + 1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { type: "jpeg", height: data.readUInt16BE(at + 5), width: data.readUInt16BE(at + 7) };
    at += 2 + data.readUInt16BE(at + 2);
  }
  return null;
}

/** Writes what comes before the first frame. The duration is not known yet. */
export function fileHead(image: EncodedImage, msPerFrame: number): Buffer {
  return Buffer.concat([beforeDuration(), number64(0), afterDuration(image, msPerFrame)]);
}

/** Returns the duration, and where it belongs. */
export function duration(ms: number): { at: number; data: Buffer } {
  return { at: beforeDuration().length, data: number64(ms) };
}

/** Writes a frame, as a cluster of its own. */
export function writeBlock(image: Buffer, ms: number): Buffer {
  // Track 1, no time of its own, a key frame.
  const block = Buffer.concat([Buffer.from([0x81, 0, 0, 0x80]), image]);
  return element("1f43b675", element("e7", whole(ms)), element("a3", block));
}

const UNKNOWN_SIZE = Buffer.from("01ffffffffffffff", "hex");

function beforeDuration(): Buffer {
  // Times are milliseconds.
  const scale = element("2ad7b1", whole(1_000_000));
  const durationHead = Buffer.concat([Buffer.from("4489", "hex"), sizeOf(8)]);
  return Buffer.concat([
    element(
      "1a45dfa3",
      ...[
        element("4286", whole(1)),
        element("42f7", whole(1)),
        element("42f2", whole(4)),
        element("42f3", whole(8)),
      ],
      ...[element("4282", Buffer.from("matroska")), element("4287", whole(4)), element("4285", whole(2))],
    ),
    Buffer.from("18538067", "hex"),
    UNKNOWN_SIZE,
    Buffer.from("1549a966", "hex"),
    sizeOf(scale.length + durationHead.length + 8 + APPS.length),
    scale,
    durationHead,
  ]);
}

function afterDuration({ type, width, height }: EncodedImage, msPerFrame: number): Buffer {
  const codec =
    type === "jpeg"
      ? [element("86", Buffer.from("V_MJPEG"))]
      : [element("86", Buffer.from("V_MS/VFW/FOURCC")), element("63a2", bitmapHeader(width, height))];
  return Buffer.concat([
    APPS,
    element(
      "1654ae6b",
      element(
        "ae",
        ...[element("d7", whole(1)), element("73c5", whole(1)), element("83", whole(1)), ...codec],
        element("23e383", whole(Math.round(msPerFrame * 1_000_000))),
        element("e0", element("b0", whole(width)), element("ba", whole(height))),
      ),
    ),
  ]);
}

/** Names PNG as the codec. */
function bitmapHeader(width: number, height: number): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt32LE(40, 0);
  header.writeInt32LE(width, 4);
  header.writeInt32LE(height, 8);
  header.writeUInt16LE(1, 12);
  header.writeUInt16LE(24, 14);
  header.write("MPNG", 16, "latin1");
  return header;
}

function element(id: string, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from(id, "hex"), sizeOf(body.length), body]);
}

/** A size of 4 bytes, of which the first bits say so. */
function sizeOf(bytes: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(0x10000000 + bytes);
  return size;
}

function whole(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  const first = bytes.findIndex((byte) => byte !== 0);
  return bytes.subarray(first < 0 ? 7 : first);
}

function number64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

const APPS = Buffer.concat([
  element("4d80", Buffer.from("crowdAI")),
  element("5741", Buffer.from("crowdAI")),
]);
