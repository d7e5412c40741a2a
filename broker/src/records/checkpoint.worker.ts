import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

// Each message asks for one copy, and is answered when it has ended. PASSIVE lets others read and write
// meanwhile.
const database = new DatabaseSync(workerData as string);
const copy = database.prepare("pragma wal_checkpoint(passive)");
parentPort?.on("message", (message: "copy" | "end") => {
  if (message === "end") {
    database.close();
    parentPort?.close();
    return;
  }
  try {
    copy.get();
  } catch {
    // The disk failed. The log has it all; the next copy tries again.
  }
  parentPort?.postMessage("copied");
});
