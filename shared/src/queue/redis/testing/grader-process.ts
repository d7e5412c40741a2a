// A grader in a separate process, for tests that kill or freeze it: takes jobs of "iris", prints a line for
// each, and never ends one.
//   node grader-process.ts <redis url> <prefix> <name>

import { createRedisQueue } from "../redis-queue.ts";
import { connectionsTo } from "../redis-url.ts";

const [url = "", prefix = "", grader = ""] = process.argv.slice(2);
const say = (about: object) => process.stdout.write(`${JSON.stringify(about)}\n`);
const queue = await createRedisQueue({
  redis: connectionsTo(url).connect,
  prefix,
  log: { info() {}, warn() {}, error() {} },
});
await queue.consume(
  { grader, challenges: () => ["iris"], concurrency: 1, signal: new AbortController().signal },
  ({ job: { submission }, delivery, signal }) => {
    say({ took: submission, delivery });
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        say({ lost: submission });
        resolve();
      });
    });
  },
);
