/**
 * Returns a Content-Disposition that makes browsers save the bytes as `name`, which may contain any
 * characters.
 */
export function attachmentHeader(name = "object"): string {
  const wellFormed = name.replace(/\p{Surrogate}/gu, "\ufffd");
  // RFC 8187: encodeURIComponent leaves a few characters that are not allowed here.
  const encoded = encodeURIComponent(wellFormed).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename*=UTF-8''${encoded}`;
}
