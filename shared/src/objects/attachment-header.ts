/** Content-Disposition of bytes that are to be saved, never shown: under `name`, whatever characters it has. */
export function attachmentHeader(name = "object"): string {
  const wellFormed = name.replace(/\p{Surrogate}/gu, "\ufffd");
  // RFC 8187: encodeURIComponent leaves a few characters that a header's value may not hold bare.
  const encoded = encodeURIComponent(wellFormed).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename*=UTF-8''${encoded}`;
}
