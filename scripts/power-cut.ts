// `npm run power-cut`: records what a broker does to its files, and cuts the power at many moments of the
// recording: what was not synced is gone. Everything acknowledged before must be there. See docs/chaos.md.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createSeededRandom } from "./chaos/seeded-random.ts";
import { checkCut } from "./power-cut/check-cut.ts";
import { cutRepeatedly } from "./power-cut/cut-repeatedly.ts";
import { recordBroker } from "./power-cut/record-broker.ts";
import { findProgram } from "./services/programs.ts";
import ensureBuilt from "./test/ensure-built.ts";

const HELP = `npm run power-cut -- [options]

  --cuts <n>            default 200
  --submissions <n>     default 60
  --seed <n>            a random one by default; it is printed
  --runtime <program>   runs the broker: node (default: this one) or bun
  --keep                keep the recording
`;
const SHOWN = 10;

const { values } = parseArgs({
  options: {
    cuts: { type: "string", default: "200" },
    submissions: { type: "string", default: "60" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
    runtime: { type: "string", default: process.execPath },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const [cuts, submissions, seed] = [values.cuts, values.submissions, values.seed].map(Number) as [
  number,
  number,
  number,
];
if (![cuts, submissions, seed].every((n) => Number.isSafeInteger(n) && n >= 0) || cuts * submissions === 0) {
  console.error(HELP);
  process.exit(2);
}
if (findProgram("strace") === null) {
  console.error("Cannot run without strace. On Debian, install with: apt-get install strace");
  process.exit(2);
}
await ensureBuilt();
const scratch = mkdtempSync(join(tmpdir(), "crowdai-power-cut-"));
console.log(`power cut: seed ${seed}, ${cuts} cuts, ${submissions} submissions`);
const recorded = await recordBroker({ folder: scratch, submissions, runtime: values.runtime });
const secret = readFileSync(join(recorded.folder, "data/secret"));
const began = performance.now();
const result = await cutRepeatedly({
  ...recorded,
  ...{ cuts, scratch },
  random: createSeededRandom(seed),
  check: (folder, time) => checkCut(folder, { ...recorded, time, secret }),
});
const seconds = Math.round((performance.now() - began) / 1000);
console.log(
  `${result.cuts} cuts in ${result.steps} steps of a broker: ${result.found.length} lost something (${seconds} s)`,
);
for (const { step, mercy, lost } of result.found.slice(0, SHOWN))
  console.log(`  after step ${step}, the disk kept ${mercy} of what was not synced: ${lost.join(", ")}`);
if (values.keep) console.log(`recording: ${scratch}`);
else rmSync(scratch, { recursive: true, force: true });
process.exitCode = result.found.length > 0 ? 1 : 0;
