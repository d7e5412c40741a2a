// A bare BullMQ worker on its own, for the end-to-end figures: answers each job with the number it carries.
//
//   node scripts/bench/bullmq-worker.ts <redis port> <queue> <concurrency>
import { Worker } from "bullmq";

const [port, queue, concurrency] = process.argv.slice(2);
const worker = new Worker(queue as string, async ({ data }) => data.value, {
  connection: { host: "127.0.0.1", port: Number(port), maxRetriesPerRequest: null },
  concurrency: Number(concurrency),
});
await worker.waitUntilReady();
console.log("ready");
