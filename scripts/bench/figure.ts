/** One line of the bench's table. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** The target in words; absent where it only stands beside another. */
  target?: string;
  met?: boolean;
}

/** The value below which `share` of the samples lie, by the nearest-rank method. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);
