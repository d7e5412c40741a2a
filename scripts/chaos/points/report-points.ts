import { readSteps } from "../../check/marked-steps.ts";
import { UNREACHED } from "./scenarios.ts";
import { stopAtPoints } from "./stop-at-points.ts";
import { addToTally, readTally } from "./tally.ts";

/** The exit code of a command that was ended early. */
const INTERRUPTED = 130;

/** Ends the servers at each point, and prints how often and what was found. Returns the exit code. */
export async function reportPoints(options: {
  times: number;
  seed: number;
  runtime: string;
  lanes: number;
  /** Only steps whose names contain one of these; all without any. */
  parts: readonly string[];
  /** The stops of earlier commands, which count too. */
  tally: string | null;
  keep: boolean;
}): Promise<number> {
  const { times, seed, parts, lanes, tally } = options;
  const steps = readSteps().names.filter(
    (name) => parts.length === 0 || parts.some((part) => name.includes(part)),
  );
  if (steps.length === 0) {
    console.error(`No step has a name that contains ${parts.join(" or ")}.`);
    return 2;
  }
  console.log(
    `points: seed ${seed}, ${steps.length} steps, each point ${times} times, ${lanes} fleets; SIGINT ends it early\n` +
      `again:  npm run chaos -- --points ${[...parts, ""].join(" ")}--times ${times} --lanes ${lanes} --seed ${seed}\n\n` +
      `  ${"".padEnd(40)}   stops  s to it  s after`,
  );
  const began = performance.now();
  const done = readTally(tally);
  const ending = new AbortController();
  const { signal } = ending;
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => ending.abort());
  const { stops, findings, acknowledged } = await stopAtPoints({
    ...{ ...options, steps, done, signal, say: console.log },
  });
  const counts = [...stops.values()];
  const short = signal.aborted
    ? []
    : [...stops].filter(([point, count]) => count + (done.get(point) ?? 0) < times);
  const row = (name: string, count: number | string) =>
    console.log(`  ${name.padEnd(36)}${String(count).padStart(8)}`);
  const excused = steps.filter((step) => UNREACHED[step] !== undefined);
  if (excused.length > 0) console.log("\nnot reached in this run");
  for (const step of excused) console.log(`  ${step.padEnd(32)}${UNREACHED[step]}`);
  console.log(signal.aborted ? "\ndone, ended early" : "\ndone");
  row("points", counts.length);
  row("stops", sum(counts));
  row("submissions acknowledged", acknowledged);
  row("seconds in all", ((performance.now() - began) / 1000).toFixed(0));
  const isBroken = findings.some(({ broken }) => broken.length > 0);
  if (tally !== null && !isBroken) {
    const all = [...addToTally(tally, stops).values()];
    row("points of all commands", all.length);
    row("stops of all commands", sum(all));
  } else if (tally !== null) console.log("  not added to the tally: something was found");
  console.log("\nfound");
  for (const { promise, broken } of findings) row(promise, broken.length);
  row("points that were not reached", short.length);
  for (const { promise, broken } of findings)
    if (broken.length > 0) console.log(`\n${promise}:\n${broken.map((one) => `  ${one}`).join("\n")}`);
  if (short.length > 0)
    console.log(`\nnot reached:\n${short.map(([point, count]) => `  ${point}: ${count}`).join("\n")}`);
  if (short.length > 0 || isBroken) return 1;
  return signal.aborted ? INTERRUPTED : 0;
}

const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
