import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { IntentRequest, Submission } from "@crowdai/shared";
import sharp from "sharp";
import {
  startBroker,
  type TestBroker,
  type TestClient,
  untilEnd,
  writeChallenge,
} from "../support/test-broker.ts";
import { until } from "../support/until.ts";

/** An evaluator that hands on what it is told to: `copy` is a file of the test's, `name` what it calls it. It waits for the file `hold`. */
const EVALUATOR = `
import json, os, shutil, sys, time
for line in sys.stdin:
    job = json.loads(line)
    given = job["input"].get("data") or {}
    out = job["output_dir"]
    while "hold" in given and not os.path.exists(given["hold"]):
        time.sleep(0.01)
    result = {"id": job["id"], "type": "result", "score": given.get("score", 1)}
    version = json.load(open("media.json")) if os.path.exists("media.json") else {}
    media = version or given.get("media")
    if media:
        if "copy" in media:
            shutil.copy(media["copy"], os.path.join(out, media["name"]))
        result["media"] = {"path": media["name"]}
    artifacts = []
    for i, artifact in enumerate(given.get("artifacts", [])):
        with open(os.path.join(out, "a%d" % i), "w") as file:
            file.write(artifact["text"])
        artifacts.append({"path": "a%d" % i, "name": artifact["name"]})
    result["artifacts"] = artifacts
    print(json.dumps(result), flush=True)
`;

/** Each picture and film is a process of its own, or several: on a busy machine that takes a while. */
export const MEDIA_TIMEOUT = { timeout: 120_000 };

export interface Stage extends TestBroker {
  client: TestClient;
  /** Submits, and resolves to the submission as it is told right after its grade. */
  submit(data: unknown, intent?: Partial<IntentRequest>): Promise<Submission>;
  /** The submission once its media are shown, or dropped. */
  settled(id: string): Promise<Submission>;
  read(id: string): Promise<Submission>;
}

/** The challenge of this evaluator, in a folder of challenges. */
export async function writeMediaChallenge(challenges: string): Promise<void> {
  await writeFile(join(await writeChallenge(challenges), "evaluate.py"), EVALUATOR);
}

/** A broker whose evaluator hands on the files that submissions name. */
export async function startStage(options: Parameters<typeof startBroker>[0] = {}): Promise<Stage> {
  const broker = await startBroker({
    ...options,
    env: { PATH: process.env.PATH ?? "", ...options.env },
    challenges: [],
    prepare: async (folder) => {
      await writeMediaChallenge(join(folder, "challenges"));
      await options.prepare?.(folder);
    },
  });
  const client = await broker.connect();
  const read = async (id: string) =>
    (await (await broker.fetch(`/api/v1/submissions/${id}`)).json()) as Submission;
  return Object.assign(Object.create(broker) as TestBroker, {
    client,
    read,
    async submit(data: unknown, intent: Partial<IntentRequest> = {}) {
      const { submission } = await client.submit({ ...intent, input: { kind: "inline", data } });
      await untilEnd(client, submission.id);
      return read(submission.id);
    },
    async settled(id: string) {
      let found = await read(id);
      await until(async () => {
        found = await read(id);
        return found.media !== null || found.media_dropped !== null;
      }, MEDIA_TIMEOUT.timeout);
      return found;
    },
  });
}

/** A picture of noise: nothing of it is compressed away. */
export function noise(width: number, height: number) {
  return sharp({
    create: {
      width,
      height,
      channels: 3,
      background: "#777",
      noise: { type: "gaussian", mean: 128, sigma: 40 },
    },
  });
}
