import { crc32 as crc32OfZlib } from "node:zlib";
import { expect, it } from "vitest";
import { crc32 } from "./crc32.ts";

it.each(["", "a", "123456789", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"])(
  "returns the checksum that zlib returns for %j",
  (text) => expect(crc32(text)).toBe(crc32OfZlib(text)),
);
