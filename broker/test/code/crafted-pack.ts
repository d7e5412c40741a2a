import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { objectName } from "../../src/background/repositories/final-commit.ts";

const TYPES = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;
const REF_DELTA = 7;

export interface Crafted {
  name: string;
  bytes: Buffer;
}

/** Encodes an object as a pack stores it. */
export function packed(type: keyof typeof TYPES, content: string | Uint8Array): Crafted {
  const bytes = Buffer.from(content);
  return {
    name: objectName(type as "blob", bytes),
    bytes: Buffer.concat([head(TYPES[type], bytes.length), compress(bytes)]),
  };
}

/** Encodes a delta against the named object; its declared size may be wrong. */
export function refDelta(base: string, delta: Uint8Array): Buffer {
  return Buffer.concat([head(REF_DELTA, delta.length), Buffer.from(base, "hex"), compress(delta)]);
}

/** Builds delta instructions that copy the first bytes of the base again and again. */
export function copyDelta(source: number, copied: number, times: number): Buffer {
  const copy = Buffer.from([
    0x80 | 0x10 | 0x20 | 0x40,
    copied & 255,
    (copied >> 8) & 255,
    (copied >> 16) & 255,
  ]);
  return Buffer.concat([varint(source), varint(copied * times), Buffer.alloc(copy.length * times, copy)]);
}

export function insertDelta(source: number, text: string): Buffer {
  return Buffer.concat([varint(source), varint(text.length), Buffer.from([text.length]), Buffer.from(text)]);
}

export function pack(objects: readonly Buffer[], count = objects.length): Buffer {
  const body = Buffer.concat([Buffer.from("PACK"), uint32(2), uint32(count), ...objects]);
  return Buffer.concat([body, createHash("sha1").update(body).digest()]);
}

/** Builds the content of a tree, in the given order. */
export function treeOf(
  entries: readonly (readonly [mode: string, name: string | Buffer, object: string])[],
): Buffer {
  const lengths = entries.map(([mode, name]) => mode.length + Buffer.byteLength(name) + 22);
  const tree = Buffer.alloc(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const [mode, name, object] of entries) {
    at += tree.write(`${mode} `, at, "latin1");
    at += typeof name === "string" ? tree.write(name, at) : name.copy(tree, at);
    // A zero byte ends the name.
    at += 1;
    at += tree.write(object, at, "hex");
  }
  return tree;
}

const PERSON = "Ada <ada@example.org> 1700000000 +0000";

export function commitOf(
  tree: string,
  more: { parent?: string; author?: string; message?: string } = {},
): string {
  const { parent, author = PERSON, message = "crafted" } = more;
  return `tree ${tree}\n${parent ? `parent ${parent}\n` : ""}author ${author}\ncommitter ${PERSON}\n\n${message}\n`;
}

/**
 * As a zlib stream. A small one holds the bytes as they are: tens of thousands of objects would take seconds
 * to deflate.
 */
function compress(bytes: Uint8Array): Buffer {
  if (bytes.length > 1000) return deflateSync(bytes);
  const stream = Buffer.alloc(7 + bytes.length + 4);
  stream.set([0x78, 0x01, 0x01]);
  stream.writeUInt16LE(bytes.length, 3);
  stream.writeUInt16LE(bytes.length ^ 0xffff, 5);
  stream.set(bytes, 7);
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  stream.writeUInt16BE(b, 7 + bytes.length);
  stream.writeUInt16BE(a, 9 + bytes.length);
  return stream;
}

function head(type: number, size: number): Buffer {
  const bytes: number[] = [];
  let rest = Math.floor(size / 16);
  bytes.push((rest ? 0x80 : 0) | (type << 4) | (size % 16));
  while (rest) {
    const next = Math.floor(rest / 128);
    bytes.push((next ? 0x80 : 0) | (rest % 128));
    rest = next;
  }
  return Buffer.from(bytes);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const next = Math.floor(rest / 128);
    bytes.push((next ? 0x80 : 0) | (rest % 128));
    rest = next;
  } while (rest);
  return Buffer.from(bytes);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
