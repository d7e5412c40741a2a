// Predicts and submits in a worker thread: rows come from a generator, and the main thread shows the events.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.on("message", (text) => console.log(text));
  worker.on("error", (error) => {
    console.error(error);
    process.exitCode = 1;
  });
} else {
  const { Challenge } = await import("crowdai");
  const challenge = await Challenge.open("csv-scorer");
  try {
    const submitting = challenge.submit(predictions(), { name: "predictions.csv", message: "from a worker" });
    for await (const event of submitting) {
      if (event.type === "accepted") parentPort.postMessage(`accepted ${event.submission.id}`);
      if (event.type === "graded") parentPort.postMessage(`score ${event.submission.score.toFixed(1)}`);
    }
  } finally {
    await challenge.close();
  }
}

/** Yields the rows of a CSV file, so that the predictions are never in memory as a whole. */
async function* predictions() {
  yield ["id", "price"];
  let header = true;
  for await (const line of createInterface({ input: createReadStream("csv-scorer/test.csv") })) {
    const [id, area] = line.split(",");
    if (!header) yield [id, 2.9 * area];
    header = false;
  }
}
