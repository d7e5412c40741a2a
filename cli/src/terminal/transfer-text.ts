import type { Pace } from "./rate.ts";
import { sizeText } from "./size.ts";
import type { Terminal } from "./terminal.ts";
import { durationText } from "./time.ts";

type Shown = Pick<Terminal, "bar" | "progressWidth">;

/**
 * Returns such as `Uploading ████░░ 40% 4 MB of 10 MB, 2 MB/s, 3 s left`, and less of it on a narrow
 * terminal.
 */
export function transferText(
  verb: string,
  { done, total, pace }: { done: number; total: number; pace: Pace | null },
  terminal: Shown,
): string {
  const fraction = total === 0 ? 1 : done / total;
  if (isNarrow(terminal)) return [`${verb} ${percentText(fraction)}`, ...paceTexts(pace)].join(", ");
  const amounts = [`${sizeText(done)} of ${sizeText(total)}`, ...paceTexts(pace)].join(", ");
  return `${verb} ${barText(fraction, terminal)} ${amounts}`;
}

/** Returns a bar that leaves room on a narrow terminal, and the percentage. */
export function barText(fraction: number, terminal: Shown): string {
  const width = isNarrow(terminal) ? 6 : terminal.progressWidth < 100 ? 12 : 20;
  return `${terminal.bar(fraction, width)} ${percentText(fraction)}`;
}

/** On a narrow terminal, what is left matters more than the bar. */
export const isNarrow = ({ progressWidth }: Pick<Terminal, "progressWidth">) => progressWidth < 60;

const percentText = (fraction: number) => `${Math.floor(Math.min(1, Math.max(0, fraction || 0)) * 100)}%`;

function paceTexts(pace: Pace | null): string[] {
  if (pace?.perSecond == null || pace.leftMs === null) return [];
  const left = pace.leftMs > 0 ? [`${durationText(pace.leftMs)} left`] : [];
  return [`${sizeText(pace.perSecond)}/s`, ...left];
}
