import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeCountingChallenge } from "../../../test/environment/counting-environment.ts";
import { writeChaosChallenge } from "../chaos-challenge.ts";
import { png } from "./image.ts";

/** The challenge of the sessions. */
export const PLAYED = "played";
/** The challenge of values that are not valid. It is there once they are submitted. */
export const TYPED = "typed";

/** Scores what it gets at once, with an image and a file where the challenge is about media. */
const EVALUATOR = `import base64, json, os, sys, time
for line in sys.stdin:
    job = json.loads(line)
    given = job["input"].get("data") or {"score": 1}
    result = {"id": job["id"], "type": "result", "score": given.get("score", 1)}
    if job["function"] == "double":
        result["score"] = given["x"] * 2
    if "final" in given:
        result["score_final"] = given["final"]
    time.sleep(given.get("seconds", 0))
    if len(sys.argv) > 1:
        with open(os.path.join(job["output_dir"], "shown.png"), "wb") as file:
            file.write(base64.b64decode("${png().toString("base64")}"))
        with open(os.path.join(job["output_dir"], "notes.txt"), "w") as file:
            file.write(str(given))
        result["media"] = {"path": "shown.png"}
        result["artifacts"] = [{"path": "notes.txt", "name": "notes.txt"}]
    print(json.dumps(result), flush=True)
`;

const quick = (id: string, more: Record<string, unknown> = {}, args: string[] = []) => ({
  id,
  title: id,
  score: { title: "Score", precision: 6 },
  rounds: [{ id: "1", parallel_limit: null }],
  accepts: { file: { extensions: [] }, json: {}, code: {}, model: {} },
  evaluator: { command: ["python3", "evaluate.py", ...args], timeout_seconds: 60 },
  ...more,
});

/** Writes what the work of all stops is about. */
export async function writeChallenges(challenges: string, webhook: string): Promise<void> {
  await writeChaosChallenge(challenges);
  await writeCountingChallenge(challenges, PLAYED, {
    args: ["3"],
    // An agent cannot speak while its broker starts, and an environment starts slowly as well on a busy
    // machine.
    environment: { seeds: { count: 2 }, limits: { idle_seconds: 600, reset_seconds: 600 } },
    config: { rounds: [{ id: "1", parallel_limit: null }] },
  });
  const hook = { url: webhook, events: ["submission.graded"] };
  await writeQuickChallenge(
    challenges,
    quick("large", {
      evaluator: functions(),
      accepts: {
        file: { extensions: [] },
        json: {},
        model: {},
      },
    }),
  );
  await writeQuickChallenge(challenges, quick("media", {}, ["media"]));
  await writeQuickChallenge(challenges, quick("hooked", { webhooks: [hook] }));
  await writeQuickChallenge(challenges, quick("coded"));
  await writeQuickChallenge(challenges, quick("regraded"));
  await writeQuickChallenge(challenges, quick("regraded-slowly"));
  await writeFinalChallenge(challenges, 2);
  await writeQuickChallenge(
    challenges,
    quick("strict", {
      code: { capture: "required" },
      accepts: {
        json: {},
        code: {},
      },
    }),
  );

  function functions() {
    return { command: ["python3", "evaluate.py"], timeout_seconds: 60, functions: ["submit", "double"] };
  }
}

/** Writes the challenge with final scores, of which so many submissions may be selected. */
export const writeFinalChallenge = (challenges: string, select: number): Promise<void> =>
  writeQuickChallenge(challenges, quick("final", { final: { select } }));

/** Writes the challenge whose values have a schema. Compiling it costs each start of a broker an eighth. */
export const writeTypedChallenge = (challenges: string): Promise<void> =>
  writeQuickChallenge(
    challenges,
    quick(TYPED, {
      accepts: { json: { schema: { type: "object", properties: { score: { type: "number" } } } } },
    }),
  );

/** Writes a challenge that nothing is submitted to. */
export const writeIdleChallenge = (challenges: string, id: string): Promise<void> =>
  writeQuickChallenge(challenges, quick(id));

async function writeQuickChallenge(challenges: string, config: { id: string }): Promise<void> {
  const folder = join(challenges, config.id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "evaluate.py"), EVALUATOR);
  await writeFile(join(folder, "challenge.json"), JSON.stringify(config, null, 2));
}
