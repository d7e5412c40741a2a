// `npm run demo`: broker and grader in one process, a challenge with real data, and two participants who use the built `crowdai`
// command as a person would. `--keep` leaves the broker running until Ctrl-C.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prompt } from "./demo/prompt.ts";
import { participate } from "./demo/story.ts";
import { startBroker } from "./running-broker.ts";

const keep = process.argv.includes("--keep");
const began = performance.now();
const folder = mkdtempSync(join(tmpdir(), "crowdai-demo-"));
const data = join(folder, "data");
mkdirSync(data);
const challenges = join(import.meta.dirname, "demo/challenges");

const interrupted = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => resolve());
});

const broker = await startBroker({ data, challenges });
try {
  prompt("crowdai-broker start --with-grader --challenges scripts/demo/challenges &");
  console.log(`broker and grader run in one process at ${broker.url}`);
  const ada = await participate(broker, folder);
  const page = `${broker.url}/challenges/iris`;
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (keep) {
    console.log(`
Done in ${seconds} s, and running until Ctrl-C. The leaderboard: ${page}
Be Ada, in another terminal in this folder:

export CROWDAI_BROKER=${broker.url}
export CROWDAI_CHALLENGE=iris
export CROWDAI_API_KEY=${ada.key}

npx crowdai submissions
npx crowdai submit ${ada.predictions} -m "Once more"
npx crowdai leaderboard
`);
    await Promise.race([interrupted, new Promise((resolve) => broker.process.once("exit", resolve))]);
  } else {
    console.log(`
Done in ${seconds} s. The leaderboard was at ${page}
Try next:

npm run demo -- --keep          the same, left running, with the lines to copy to be Ada
npx crowdai --help              what a participant can do
npx crowdai-broker --help       what an organiser can do
`);
  }
} finally {
  await broker.stop();
  rmSync(folder, { recursive: true });
}
process.exit(process.exitCode);
