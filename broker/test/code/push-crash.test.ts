import { join } from "node:path";
import { createSubmissionId, type Receipt, type Submission } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addParticipant } from "../../src/domain/participants/api-keys.ts";
import { openSqlite } from "../../src/records/sqlite.ts";
import { type BrokerProcess, createBrokerProcess } from "../support/broker-process.ts";
import { writeChallenge } from "../support/test-broker.ts";
import { until } from "../support/until.ts";
import { createPlainGit, type PlainGit, type Snapshot } from "./plain-git.ts";

const ROUNDS = 5;

describe("a broker killed with -9 while code is pushed", () => {
  let broker: BrokerProcess;
  let git: PlainGit;
  beforeEach(async () => {
    [broker, git] = await Promise.all([createBrokerProcess(), createPlainGit()]);
  });
  afterEach(async () => {
    await Promise.all([broker.close(), git.close()]);
  });

  it("makes each submission's commit once, in a linear history", { timeout: 300_000 }, async () => {
    await writeChallenge(join(broker.folder, "challenges"));
    let url = await broker.start();
    const records = await openSqlite(join(broker.folder, "data/records.sqlite"));
    const key = await addParticipant(records, "ada", new Date().toISOString());
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const submit = async (id: string, code: Snapshot): Promise<Receipt> => {
      const body = JSON.stringify({
        id,
        challenge: "test",
        input: { kind: "inline", data: { score: 0.5 } },
        code,
      });
      const answer = await fetch(`${url}/api/v1/submissions`, { method: "POST", headers, body });
      expect(answer.status).toBe(200);
      return (await answer.json()) as Receipt;
    };
    const handed: { id: string; snapshot: Snapshot }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const snapshot = await git.snapshot({ a: String(round), same: "in all" });
      const id = createSubmissionId();
      handed.push({ id, snapshot });
      const { code } = await submit(id, snapshot);
      const pushing = git.run(["push", code!.url, `${snapshot.commit}:${code!.ref}`], { key });
      // Each round kills the broker at another point of the push and of the work after it.
      await new Promise((resolve) => setTimeout(resolve, 60 + round * 120));
      await broker.kill();
      await pushing;
      url = await broker.start();
      // As a client does that found its push failed.
      const again = await submit(id, snapshot);
      const pushed = again.code!.have
        ? { code: 0, stderr: "" }
        : await git.run(["push", again.code!.url, `${snapshot.commit}:${code!.ref}`], { key });
      expect(pushed.code, pushed.stderr).toBe(0);
    }
    for (const { id } of handed)
      await until(async () => {
        const answer = await fetch(`${url}/api/v1/submissions/${id}`, { headers });
        return ((await answer.json()) as Submission).code?.tag;
      }, 30_000);
    await records.close();
    const clone = join(git.folder, "clone");
    await git.must(["clone", "-q", `${url}/code/test/ada.git`, clone], { key });
    expect(await git.must(["fsck", "--strict"], { dir: clone })).toBe("");
    expect(await git.must(["rev-list", "--count", "HEAD"], { dir: clone })).toBe(String(ROUNDS));
    for (const { id, snapshot } of handed)
      expect(await git.must(["rev-parse", `submission-${id}^{tree}`], { dir: clone })).toBe(snapshot.tree);
  });
});
