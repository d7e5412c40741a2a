const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Formats a number of bytes, such as `4.2 MB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${UNITS[unit]}`;
}

/** Formats a size with its exact number of bytes, such as `4.2 MB (4200123 bytes)`. */
export function exactSizeText(bytes: number): string {
  return bytes < 1000 ? `${bytes} bytes` : `${sizeText(bytes)} (${bytes} bytes)`;
}
