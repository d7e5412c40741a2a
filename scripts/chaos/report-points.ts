import { stopAtPoints } from "./points.ts";

/** Ends the servers at each point, and prints how often and what was found. Returns the exit code. */
export async function reportPoints(options: {
  times: number;
  seed: number;
  runtime: string;
  keep: boolean;
}): Promise<number> {
  const { times, seed } = options;
  console.log(
    `points: seed ${seed}, each ${times} times\nagain:  npm run chaos -- --points --times ${times} --seed ${seed}\n`,
  );
  const began = performance.now();
  const { stops, findings, acknowledged } = await stopAtPoints({ ...options, say: console.log });
  const counts = [...stops.values()];
  const reached = counts.filter((count) => count > 0);
  const row = (name: string, count: number | string) =>
    console.log(`  ${name.padEnd(36)}${String(count).padStart(8)}`);
  console.log("\ndone");
  row("points", counts.length);
  row("points that were reached", reached.length);
  row(
    "stops",
    counts.reduce((sum, count) => sum + count, 0),
  );
  row("submissions acknowledged", acknowledged);
  row("seconds in all", ((performance.now() - began) / 1000).toFixed(0));
  console.log("\nfound");
  for (const { promise, broken } of findings) row(promise, broken.length);
  for (const { promise, broken } of findings)
    if (broken.length > 0) console.log(`\n${promise}:\n${broken.map((one) => `  ${one}`).join("\n")}`);
  return findings.some(({ broken }) => broken.length > 0) ? 1 : 0;
}
