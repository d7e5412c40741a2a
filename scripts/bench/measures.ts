import { measureAccepts } from "./accepts.ts";
import { measureBoard } from "./board.ts";
import { measureBox } from "./box.ts";
import { measureCodeAgent } from "./code-agent.ts";
import { measureCommands } from "./commands.ts";
import { measureEndToEnd } from "./end-to-end.ts";
import { measureEmbedded, measureOverRedis, measureTogether } from "./environment.ts";
import type { Figure } from "./figure.ts";
import { measureHelp } from "./help.ts";
import { measurePages } from "./pages.ts";
import { measureQueueLayer } from "./queue-layer.ts";
import { measureRoundTrip } from "./round-trip.ts";
import { measureSnapshot } from "./snapshot.ts";
import { measureStarts } from "./starts.ts";
import { measureUploads } from "./uploads.ts";
import { measureWatchers } from "./watchers.ts";

type Figures = Iterable<Figure> | AsyncIterable<Figure>;

/** Each measures one group of figures once, from its own servers to their end. */
export const MEASURES: Record<string, () => Figures | Promise<Figures>> = {
  "round-trip": measureRoundTrip,
  "client:help": measureHelp,
  "client:commands": measureCommands,
  "client:uploads": measureUploads,
  accepts: measureAccepts,
  starts: () => measureStarts(),
  board: () => measureBoard(),
  pages: () => measurePages(),
  watchers: measureWatchers,
  "queue-layer": measureQueueLayer,
  "end-to-end": measureEndToEnd,
  snapshot: measureSnapshot,
  box: measureBox,
  "environment:code": measureCodeAgent,
  "environment:embedded": measureEmbedded,
  "environment:redis": measureOverRedis,
  "environment:together": measureTogether,
};

/** The groups that a name stands for: `client` for all of `client:…`. Throws for a name without any. */
export function chosenMeasures(names: readonly string[]): string[] {
  const all = Object.keys(MEASURES);
  if (names.length === 0) return all;
  const isChosen = (measure: string, by: string) => measure === by || measure.startsWith(`${by}:`);
  const unknown = names.filter((by) => !all.some((measure) => isChosen(measure, by)));
  if (unknown.length > 0)
    throw new Error(`there is no figure ${unknown.join(", ")}; there are ${all.join(", ")}`);
  return all.filter((measure) => names.some((by) => isChosen(measure, by)));
}
