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

/**
 * An evaluator that returns what its input asks for: `copy` is a file of the test, `name` its name in the
 * result. It waits while the file `hold` is missing.
 */
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

/** Each image and video takes one or several processes, which a busy machine runs slowly. */
export const MEDIA_TIMEOUT = { timeout: 120_000 };

export interface Stage extends TestBroker {
  client: TestClient;
  /** Submits, and resolves with the submission right after its grade. */
  submit(data: unknown, intent?: Partial<IntentRequest>): Promise<Submission>;
  /** Resolves with the submission once its media are shown or dropped. */
  settled(id: string): Promise<Submission>;
  read(id: string): Promise<Submission>;
}

/** Writes the challenge with this evaluator into a folder of challenges. */
export async function writeMediaChallenge(
  challenges: string,
  config: Record<string, unknown> = {},
): Promise<void> {
  await writeFile(join(await writeChallenge(challenges, config), "evaluate.py"), EVALUATOR);
}

/** Starts a broker whose evaluator returns the files that submissions name. */
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

/** An image of noise, which does not compress. */
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
