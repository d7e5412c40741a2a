/** "1.2 kB", in steps of 1000. */
export function shownSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3) - 1);
  return `${(bytes / 1000 ** (step + 1)).toFixed(1)} ${units[step]}`;
}
