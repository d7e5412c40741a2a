import { createHash } from "node:crypto";
import type { Job } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { ObjectStore } from "@crowdai/shared/objects";
import { packTar, type TarEntry } from "modern-tar";
import { makeChallenge } from "./challenge.ts";

/**
 * An evaluator that scores the number of rows of a CSV file that equal the private answers, and reports its
 * job.
 */
const EVALUATE = `import json, sys
job = json.loads(sys.stdin.readline())
rows = open(job["input"]["path"]).read().split()
answers = open("private/answers.csv").read().split()
say = lambda **event: print(json.dumps(dict(event, id=job["id"])), flush=True)
say(type="progress", percent=50, message="half")
say(type="result", score=sum(a == b for a, b in zip(rows, answers)) / len(answers), data=rows[:20])
`;

let challenges = 0;

export const ANSWER_CANARY = "canary-of-the-private-answers";

/** Makes a challenge that runs submitted code on \`private/input/\`, and on \`public/sample/\` before. */
export function makeRunChallenge(
  run: object = {},
  files: Record<string, string> = {},
  { id = `code-${++challenges}`, ...config }: { id?: string } = {},
): Promise<ChallengeFolder> {
  return makeChallenge(
    { command: ["python3", "evaluate.py"] },
    {
      "evaluate.py": EVALUATE,
      "private/answers.csv": `2\n4\n6\n${ANSWER_CANARY}\n`,
      "private/input/numbers.csv": "1\n2\n3\n",
      "public/sample/numbers.csv": "5\n",
      ...files,
    },
    // Graders tell challenges apart by their ids.
    id,
    {
      run: {
        command: ["python3", "main.py"],
        input: "private/input",
        output: { path: "predictions.csv" },
        ...run,
        limits: {
          wall_seconds: 60,
          memory_mb: 128,
          processes: 32,
          scratch_mb: 16,
          build_seconds: 60,
          ...(run as { limits?: object }).limits,
        },
      },
      ...config,
    },
  );
}

/** Stores files as the code of a submission, as a broker would. Returns the fields of its job. */
export async function storeCode(
  objects: ObjectStore,
  files: Record<string, string>,
  command: string[] | null = null,
): Promise<Pick<Job, "input" | "code">> {
  const entries: TarEntry[] = Object.entries(files).map(([name, body]) => ({
    header: {
      name,
      type: "file",
      mode: body.startsWith("#!") ? 0o755 : 0o644,
      size: Buffer.byteLength(body),
    },
    body,
  }));
  const archive = Buffer.from(await packTar(entries));
  const sha256 = createHash("sha256").update(archive).digest("hex");
  const key = `submissions/iris/code-${sha256}`;
  await objects.put(key, archive);
  return { input: { kind: "code", command }, code: { key, sha256, size: archive.length } };
}
