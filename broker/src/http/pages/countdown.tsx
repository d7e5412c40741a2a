import type { RoundConfig } from "@crowdai/shared/challenge-folder";
import type { RoundMoment } from "./challenges.tsx";
import { shownDuration } from "./format.ts";

/**
 * The time left to submit, or until the first round opens. The script counts on; without it, the text is that
 * of the answer.
 */
export function Countdown({ round, when, now }: { round: RoundConfig; when: RoundMoment; now: Date }) {
  const { state, closedAt, next } = when;
  if (closedAt !== null) return null;
  const [until, before, after] =
    state === "open" ? [round.ends_at, "", " left to submit"] : [(next ?? round).starts_at, "Opens in ", ""];
  if (until === null || Date.parse(until) <= now.getTime()) return null;
  return (
    <p class="countdown">
      {before}
      <time datetime={until} data-countdown="">
        {shownDuration(Date.parse(until) - now.getTime())}
      </time>
      {after}
    </p>
  );
}
