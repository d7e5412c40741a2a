/** Maximum packets in a request; no real client sends more. */
const MAX_PACKETS = 10_000;
/** Number of digits of the largest message accepted. */
const MAX_DIGITS = 8;

/**
 * Returns whether bytes are complete packets in engine.io 3's binary framing: for each, 0 (text) or 1
 * (binary), its length as decimal digits of one byte each with values 0 to 9, 255, and the packet. engine.io
 * itself does not reject malformed framing.
 */
export function isWellFramed(bytes: Uint8Array): boolean {
  let at = 0;
  let packets = 0;
  while (at < bytes.length) {
    const digits = bytes.subarray(at + 1, at + 2 + MAX_DIGITS);
    const end = digits.indexOf(255);
    if (bytes[at]! > 1 || end < 1 || digits.subarray(0, end).some((digit) => digit > 9)) return false;
    const length = Number(digits.subarray(0, end).join(""));
    if (length === 0 || ++packets > MAX_PACKETS) return false;
    at += 2 + end + length;
  }
  return packets > 0 && at === bytes.length;
}
