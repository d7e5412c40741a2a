import { parentPort, workerData } from "node:worker_threads";
import { md5OfParts } from "./md5-of-parts.ts";

parentPort?.postMessage(await md5OfParts(workerData.file, workerData.share));
