import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeProject } from "../../cli/test/project.ts";
import { runCli } from "../../cli/test/run-cli.ts";
import { type RunningBroker, startBroker } from "../../scripts/lib/running-broker.ts";
import { missing } from "../required-programs.ts";

const EVALUATOR = `
import json, sys
job = json.loads(sys.stdin.readline())
print(json.dumps({"id": job["id"], "type": "result", "score": 1}))
`;

describe.skipIf(missing("git", "python3"))("code, from the command line to the broker's repository", () => {
  let broker: RunningBroker;
  let key: string;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-code-"));
    mkdirSync(join(folder, "data"));
    mkdirSync(join(folder, "challenges/one"), { recursive: true });
    writeFileSync(join(folder, "challenges/one/evaluate.py"), EVALUATOR);
    writeFileSync(
      join(folder, "challenges/one/challenge.json"),
      JSON.stringify({
        id: "one",
        title: "One",
        score: { precision: 3 },
        evaluator: { command: ["python3", "evaluate.py"] },
        code: { capture: "required" },
      }),
    );
    broker = await startBroker({ data: join(folder, "data"), challenges: join(folder, "challenges") });
    key = await broker.addParticipant("ada");
  });
  afterAll(async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is a commit a submission, that plain git clones, compares and finds sound", async () => {
    await using project = makeProject();
    project.write("predictions.csv", "1\n");
    project.write("train.py", "print(1)\n");
    project.write("tool.sh", "#!/bin/sh\n");
    const converted = {
      "wide.txt": Buffer.from("\ufeffüber\r\n", "utf16le"),
      "dos.bat": "a\nb\r\n",
      "id.py": "# $Id: 0 $\n",
    };
    for (const [name, bytes] of Object.entries(converted)) project.write(name, bytes);
    project.write(".gitattributes", "wide.txt text working-tree-encoding=UTF-16\n*.bat text eol=crlf\n");
    project.write("deep/.gitattributes", "[attr]marked ident\n* -text\n");
    project.git("add", "dos.bat");
    const env = { ...project.env, CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: key };
    const submit = async (message: string) => {
      const args = ["submit", "predictions.csv", "-c", "one", "-m", message, "--format", "json"];
      const { code, stdout, stderr } = await runCli(args, { cwd: project.folder, env });
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stderr).not.toContain("was not sent");
      return JSON.parse(stdout).submission;
    };
    const first = await submit("first");
    expect(first.code).toMatchObject({ state: "stored", files: 6 });
    project.write("train.py", "print(2)\n");
    const second = await submit("second");
    const third = await submit("unchanged");
    expect(third.code.commit).toBe(second.code.commit);

    const clone = join(folder, "clone");
    const header = `Authorization: Basic ${Buffer.from(`crowdai:${key}`).toString("base64")}`;
    const git = (...args: string[]) =>
      execFileSync("git", args, {
        encoding: "utf8",
        env: {
          ...project.env,
          GIT_CONFIG_COUNT: "1",
          GIT_CONFIG_KEY_0: "http.extraHeader",
          GIT_CONFIG_VALUE_0: header,
        },
      });
    const tags = [first, second, third].map(({ id }) => `submission-${id}`);
    await expect
      .poll(() => git("ls-remote", "--tags", third.code.url), { timeout: 20_000, interval: 200 })
      .toContain(tags[2]);
    git("clone", "-q", third.code.url, clone);
    expect(git("-C", clone, "fsck", "--strict", "--full")).toBe("");
    for (const [name, bytes] of Object.entries(converted))
      expect(readFileSync(join(clone, name))).toEqual(Buffer.from(bytes as string));
    expect(git("-C", clone, "status", "--short")).toBe("");
    expect(git("-C", clone, "diff", tags[0]!, tags[1]!)).toContain("-print(1)\n+print(2)\n");
    expect(git("-C", clone, "diff", tags[1]!, tags[2]!)).toBe("");
    expect(git("-C", clone, "log", "-1", "--format=%an%n%B", tags[1]!)).toMatch(
      /^Ada Lovelace\nsecond\n[\s\S]*\nHead: unborn\nBranch: main\nDirty: yes\n/,
    );
    expect(readFileSync(join(folder, "data/broker.log"), "utf8")).not.toContain(key);
  });
});
