// `npm run demo`: broker and grader in one process, a challenge with real data, and two participants who use
// the built `crowdai` command as a person would. Instead, `--code`: a challenge that runs code;
// `--environment`: one whose environment agents step. `--keep` leaves the broker running until Ctrl-C.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { participateWithCode } from "./demo/code-walkthrough.ts";
import { participateWithAgents } from "./demo/environment-walkthrough.ts";
import { prompt } from "./demo/prompt.ts";
import { participate } from "./demo/walkthrough.ts";
import { startBroker } from "./lib/running-broker.ts";

const keep = process.argv.includes("--keep");
const [challenge, challenges, participants] = process.argv.includes("--environment")
  ? (["lander", "examples/challenges", participateWithAgents] as const)
  : process.argv.includes("--code")
    ? (["iris-code", "examples/challenges", participateWithCode] as const)
    : (["iris", "scripts/demo/challenges", participate] as const);
const began = performance.now();
const folder = mkdtempSync(join(tmpdir(), "crowdai-demo-"));
// Also when what reads the output goes away in the middle.
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.stdout.on("error", () => process.exit(1));
const interrupted = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
});

const data = join(folder, "data");
mkdirSync(data);
const broker = await startBroker({ data, challenges: join(import.meta.dirname, "..", challenges) });
process.exitCode = await Promise.race([show(), interrupted.then(() => 130)]);
await broker.stop();
process.exit();

async function show(): Promise<number> {
  prompt(`crowdai-broker start --with-grader --challenges ${challenges} &`);
  console.log(`broker and grader run in one process at ${broker.url}`);
  const ada = await participants(broker, folder);
  const page = `${broker.url}/challenges/${challenge}`;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (!keep) {
    console.log(`
Done in ${seconds} s. The leaderboard was at ${page}
Try next:

npm run demo -- --keep          keeps the broker running, and prints how to act as Ada
npx crowdai --help              what a participant can do
npx crowdai-broker --help       what an organizer can do
`);
    return 0;
  }
  console.log(`
Done in ${seconds} s, and running until Ctrl-C. The leaderboard: ${page}
To act as Ada, run this in another terminal in this folder:

export CROWDAI_BROKER=${broker.url}
export CROWDAI_CHALLENGE=${challenge}
export CROWDAI_API_KEY=${ada.key}

npx crowdai submissions
npx crowdai submit ${ada.submit} -m "Second try"
npx crowdai leaderboard
`);
  await Promise.race([interrupted, new Promise((resolve) => broker.process.once("exit", resolve))]);
  return 0;
}
