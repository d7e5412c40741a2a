// A grader in a process of its own, for tests that kill and freeze it: takes jobs of "iris" and never ends one; says each on a line.
//   node grader.ts <redis url> <prefix> <name>

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
