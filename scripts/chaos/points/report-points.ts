import { readSteps } from "../../check/marked-steps.ts";
import { UNREACHED } from "./scenarios.ts";
import { stopAtPoints } from "./stop-at-points.ts";

/** Ends the servers at each point, and prints how often and what was found. Returns the exit code. */
export async function reportPoints(options: {
  times: number;
  seed: number;
  runtime: string;
  lanes: number;
  /** Only steps whose names contain one of these; all without any. */
  parts: readonly string[];
  keep: boolean;
}): Promise<number> {
  const { times, seed, parts, lanes } = options;
  const steps = readSteps().names.filter(
    (name) => parts.length === 0 || parts.some((part) => name.includes(part)),
  );
  if (steps.length === 0) {
    console.error(`No step has a name that contains ${parts.join(" or ")}.`);
    return 2;
  }
  console.log(
    `points: seed ${seed}, ${steps.length} steps, each point ${times} times, ${lanes} fleets\n` +
      `again:  npm run chaos -- --points ${[...parts, ""].join(" ")}--times ${times} --lanes ${lanes} --seed ${seed}\n`,
  );
  const began = performance.now();
  const { stops, findings, acknowledged } = await stopAtPoints({ ...options, steps, say: console.log });
  const counts = [...stops.values()];
  const short = [...stops].filter(([, count]) => count < times);
  const row = (name: string, count: number | string) =>
    console.log(`  ${name.padEnd(36)}${String(count).padStart(8)}`);
  const excused = steps.filter((step) => UNREACHED[step] !== undefined);
  if (excused.length > 0) console.log("\nnot reached in this run");
  for (const step of excused) console.log(`  ${step.padEnd(32)}${UNREACHED[step]}`);
  console.log("\ndone");
  row("points", counts.length);
  row(
    "stops",
    counts.reduce((sum, count) => sum + count, 0),
  );
  row("submissions acknowledged", acknowledged);
  row("seconds in all", ((performance.now() - began) / 1000).toFixed(0));
  console.log("\nfound");
  for (const { promise, broken } of findings) row(promise, broken.length);
  row("points that were not reached", short.length);
  for (const { promise, broken } of findings)
    if (broken.length > 0) console.log(`\n${promise}:\n${broken.map((one) => `  ${one}`).join("\n")}`);
  if (short.length > 0)
    console.log(`\nnot reached:\n${short.map(([point, count]) => `  ${point}: ${count}`).join("\n")}`);
  return short.length > 0 || findings.some(({ broken }) => broken.length > 0) ? 1 : 0;
}
