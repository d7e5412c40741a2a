// `npm run bench`: the figures that were promised, measured on this machine. `--json <file>` writes them down too;
// names of figures (round-trip, client, environment, environment:code …) measure only these.
import { writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { parseArgs } from "node:util";
import { measureAccepts } from "./bench/accepts.ts";
import { measureBoard } from "./bench/board.ts";
import { measureBox } from "./bench/box.ts";
import { exitWhenInterrupted } from "./bench/cleanup.ts";
import { measureCodeAgent } from "./bench/code-agent.ts";
import { measureCommands } from "./bench/commands.ts";
import { measureEndToEnd } from "./bench/end-to-end.ts";
import { measureEmbedded, measureOverRedis, measureTogether } from "./bench/environment.ts";
import type { Figure } from "./bench/figure.ts";
import { measureHelp } from "./bench/help.ts";
import { otherWork } from "./bench/other-work.ts";
import { measurePages } from "./bench/pages.ts";
import { measureQueueLayer } from "./bench/queue-layer.ts";
import { measureRoundTrip } from "./bench/round-trip.ts";
import { measureSnapshot } from "./bench/snapshot.ts";
import { measureUploads } from "./bench/uploads.ts";
import { measureWatchers } from "./bench/watchers.ts";
import { MissingProgramError } from "./services/programs.ts";
import ensureBuilt from "./test/ensure-built.ts";
import { installSystemPackages, REQUIRED_PROGRAMS } from "./test/system-packages.ts";

const MEASURES = {
  "round-trip": measureRoundTrip,
  "client:help": measureHelp,
  "client:commands": measureCommands,
  "client:uploads": measureUploads,
  accepts: measureAccepts,
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
const isChosen = (name: string, by: string) => name === by || name.startsWith(`${by}:`);
const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "string" } } });
const unknown = positionals.filter((by) => !Object.keys(MEASURES).some((name) => isChosen(name, by)));
if (unknown.length > 0) {
  console.error(`there is no figure ${unknown.join(", ")}; there are ${Object.keys(MEASURES).join(", ")}`);
  process.exit(2);
}

/** What figures stand beside, and what they stand on. */
const PROGRAMS = [
  ...REQUIRED_PROGRAMS.filter(({ program }) => /^(redis-server|postgres|swift-.*|memcached)$/.test(program)),
  { program: "aws", debian: "awscli", without: "uploads beside aws s3 cp" },
  { program: "rclone", debian: "rclone", without: "uploads beside rclone" },
  { program: "bwrap", debian: "bubblewrap", without: "boxes" },
  { program: "runc", debian: "runc", without: "boxes beside runc" },
];
installSystemPackages(PROGRAMS);
await ensureBuilt();

const date = new Date().toISOString().slice(0, 10);
const runtime = process.versions.bun ? `Bun ${process.versions.bun}` : `Node.js ${process.versions.node}`;
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`;
console.log(`${date}, ${runtime}\n${machine}\n`);

exitWhenInterrupted();
const figures: Figure[] = [];
for (const [name, measure] of Object.entries(MEASURES)) {
  if (positionals.length > 0 && !positionals.some((by) => isChosen(name, by))) continue;
  const busy = await otherWork();
  try {
    for await (const figure of await measure()) {
      figures.push(figure);
      console.log(row(figure));
    }
  } catch (error) {
    // Where a service cannot be installed, one sentence says what to install.
    if (!(error instanceof MissingProgramError)) throw error;
    console.error(`${name} cannot be measured: ${error.message}`);
    process.exit(2);
  }
  const load = [busy, await otherWork()].map((percent) => `${Math.round(percent)} %`).join(" and ");
  console.log(`  (other work on the processors before and after ${name}: ${load})`);
}
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ date, runtime, machine, figures }, null, 2)}\n`);

function row({ name, value, unit, target, met }: Figure): string {
  const verdict = target ? `   ${target}: ${met ? "met" : "MISSED"}` : "";
  return `${name.padEnd(40)}${value.toFixed(value < 100 ? 2 : 0).padStart(10)} ${unit}${verdict}`;
}
