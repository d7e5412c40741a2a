import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ProcessConfig } from "@crowdai/shared/challenge-folder";
import { describe, expect, it } from "vitest";
import { makeChallenge, temporaryFolder } from "../../testing/challenge.ts";
import { isAlive, limitTools, makeEvaluator } from "../../testing/evaluation.ts";
import { planLaunch } from "./launch.ts";

const REPORT = `
import json, os, sys
job = json.loads(sys.stdin.readline())
import stat
descriptors = {}
for name in os.listdir("/proc/self/fd"):
    try: descriptors[name] = os.readlink("/proc/self/fd/" + name)
    except OSError: pass
print(json.dumps({"id": job["id"], "type": "result", "score": 1, "data": {
    "environment": dict(os.environ), "descriptors": descriptors, "group": os.getpgid(0), "session": os.getsid(0), "pid": os.getpid()}}))
`;

async function look() {
  const { run } = await makeEvaluator({ command: ["python3", "look.py"] }, { "look.py": REPORT });
  const { verdict } = await run();
  if (verdict.kind !== "result") throw new Error(JSON.stringify(verdict));
  return verdict.result.data as {
    environment: Record<string, string>;
    descriptors: Record<string, string>;
    group: number;
    session: number;
    pid: number;
  };
}

describe("an evaluator's process", () => {
  it("has an environment of a few named variables, none of them from the grader", async () => {
    process.env.AWS_SECRET_ACCESS_KEY = "not-for-evaluators";
    process.env.DATABASE_URL = "postgres://not-for-evaluators";
    try {
      const { environment } = await look();
      const text = JSON.stringify(environment);
      expect(text).not.toContain("not-for-evaluators");
      expect(Object.keys(environment)).toEqual(
        expect.arrayContaining(["PATH", "HOME", "TMPDIR", "LANG", "PYTHONUNBUFFERED"]),
      );
      expect(environment.HOME).toMatch(/job-1$/);
      expect(environment.TMPDIR).toBe(environment.HOME);
    } finally {
      delete process.env.AWS_SECRET_ACCESS_KEY;
      delete process.env.DATABASE_URL;
    }
  });

  it("inherits no open files or sockets of the grader", async () => {
    const { descriptors } = await look();
    const inherited = Object.entries(descriptors).filter(
      ([name, target]) => Number(name) > 2 && !target.startsWith("/proc"),
    );
    const outer = Object.values(await descriptorsOf(process.ppid));
    expect(inherited.filter(([, target]) => !outer.includes(target))).toEqual([]);
  });

  it("leads its own session and process group", async () => {
    const { group, session, pid } = await look();
    expect([group, session]).toEqual([pid, pid]);
  });

  it.runIf(limitTools.setpriv)("dies when the grader is killed", async () => {
    const folder = await temporaryFolder();
    const launch = fileURLToPath(new URL("./process.ts", import.meta.url));
    const program = `
      import { startProcess } from ${JSON.stringify(launch)};
      startProcess({
        launch: { argv: ["setpriv", "--pdeathsig", "KILL", "--", "sh", "-c", "echo $$; exec sleep 60"], cwd: "/", path: process.env.PATH },
        home: ${JSON.stringify(folder)}, stdin: "pipe",
        onLine: (line) => console.log(line.toString()), onOutputLimit() {},
      });`;
    const grader = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [chunk] = await once(grader.stdout, "data");
    const pid = Number(chunk.toString());
    expect(await isAlive(pid)).toBe(true);
    grader.kill("SIGKILL");
    while (await isAlive(pid)) await sleep(10);
  });
});

describe("a launch", () => {
  it("uses setpriv and prlimit, and finds a relative program in the challenge folder", async () => {
    const folder = await makeChallenge(
      { command: ["./run", "--fast"], memory_mb: 64 },
      { run: "#!/bin/sh\n" },
    );
    const { argv, notice } = planLaunch(
      folder,
      folder.config.evaluator as ProcessConfig,
      { setpriv: true, prlimit: true },
      "/bin",
    );
    expect(argv.join(" ")).toBe(
      `setpriv --pdeathsig KILL -- prlimit --data=67108864 -- ${folder.dir}/run --fast`,
    );
    expect(notice).toBeNull();
  });
});

describe("a launch without limit tools", () => {
  it("notes that the memory limit is not set", async () => {
    const folder = await makeChallenge({ command: ["./run"], memory_mb: 64 }, { run: "#!/bin/sh\n" });
    const launch = planLaunch(
      folder,
      folder.config.evaluator as ProcessConfig,
      { setpriv: false, prlimit: false },
      "/bin",
    );
    expect(launch.argv).toEqual([`${folder.dir}/run`]);
    expect(launch.notice).toMatch(/64 MB was not set: prlimit/);
  });
});

async function descriptorsOf(pid: number): Promise<Record<string, string>> {
  const { readdir, readlink } = await import("node:fs/promises");
  const found: Record<string, string> = {};
  for (const name of await readdir(`/proc/${pid}/fd`))
    found[name] = await readlink(`/proc/${pid}/fd/${name}`).catch(() => "");
  return found;
}
