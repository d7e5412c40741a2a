import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createSubmissionId } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FLUSH, packetLine } from "../../src/background/git/pkt-line.ts";
import { addParticipant } from "../../src/domain/participants/api-keys.ts";
import { openSqlite } from "../../src/records/sqlite.ts";
import { type BrokerProcess, createBrokerProcess } from "../support/broker-process.ts";
import { writeChallenge } from "../support/test-broker.ts";
import { commitOf, pack, packed, treeOf } from "./crafted-pack.ts";

const MEBIBYTE = 1024 * 1024;
/** Above the memory of an idle broker. */
const MAX_EXTRA_MEMORY = 256 * MEBIBYTE;
const SLOW = { timeout: 90_000 };

describe.skipIf(!existsSync("/proc/self/status"))("a broker that receives far too large pushes", () => {
  let broker: BrokerProcess;
  let url: string;
  let headers: Record<string, string>;
  let before: number;
  beforeAll(async () => {
    broker = await createBrokerProcess({ withGrader: false });
    await writeChallenge(join(broker.folder, "challenges"));
    url = await broker.start();
    const records = await openSqlite(join(broker.folder, "data/records.sqlite"));
    const key = await addParticipant(records, "ada", new Date().toISOString());
    await records.close();
    headers = { authorization: `Bearer ${key}` };
    await push("of one file", packed("blob", "x").bytes);
    before = await peak();
  });
  afterAll(() => broker.close());

  async function peak(): Promise<number> {
    const status = await readFile(`/proc/${broker.pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /**
   * Pushes a commit of the tree, which by default contains one small file. Returns the output that the user
   * sees.
   */
  async function push(
    message: string,
    blob: Buffer,
    tree = packed("tree", treeOf([["100644", "f", packed("blob", "x").name]])),
    more: () => Iterable<Buffer> = () => [],
  ): Promise<string> {
    const commit = packed("commit", commitOf(tree.name, { message }));
    const id = createSubmissionId();
    const intent = {
      id,
      challenge: "test",
      input: { kind: "inline", data: { score: 1 } },
      code: { commit: commit.name, tree: tree.name, files: 1, bytes: 1 },
    };
    const announced = await fetch(`${url}/api/v1/submissions`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(intent),
    });
    expect(announced.status).toBe(200);
    const command = `${"0".repeat(40)} ${commit.name} refs/incoming/${id}\0 report-status side-band-64k`;
    const begin = Buffer.concat([packetLine(command), FLUSH, pack([commit.bytes, tree.bytes, blob])]);
    const body = (async function* () {
      yield new Uint8Array(begin);
      for (const chunk of more()) yield new Uint8Array(chunk);
    })();
    const answer = await fetch(`${url}/code/test/ada.git/git-receive-pack`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/x-git-receive-pack-request" },
      body: ReadableStream.from(body),
      duplex: "half",
    } as RequestInit);
    expect(answer.status).toBe(200);
    return Buffer.from(await answer.arrayBuffer()).toString("latin1");
  }

  async function held(): Promise<void> {
    expect((await peak()) - before).toBeLessThan(MAX_EXTRA_MEMORY);
    expect(await readdir(join(broker.folder, "data/code/.arriving"))).toEqual([]);
  }

  it("does not hold a pack above the size limit in memory", SLOW, async () => {
    const chunk = randomBytes(MEBIBYTE);
    const told = await push("large", packed("blob", "x").bytes, undefined, function* () {
      for (let n = 0; n < 300; n++) yield chunk;
    });
    expect(told).toMatch(/error\[code_too_large\]: The pushed pack has more than \d+ bytes/);
    await held();
  });

  it("does not hold a file above the size limit in memory", SLOW, async () => {
    const zeros = packed("blob", Buffer.alloc(400 * MEBIBYTE));
    const tree = packed("tree", treeOf([["100644", "zeros", zeros.name]]));
    expect(await push("zeros", zeros.bytes, tree)).toMatch(/error\[code_(too_large|unfit)\]/);
    await held();
  });

  it.each([200_000, 400_000])("does not hold a tree of %i files in memory", SLOW, async (files) => {
    const blob = packed("blob", "x");
    const name = "n".repeat(100);
    const entries = Array.from({ length: files }, (_, n) => {
      return ["100644", `${name}${String(n).padStart(7, "0")}`, blob.name] as const;
    });
    const told = await push(String(files), blob.bytes, packed("tree", treeOf(entries)));
    expect(told).toMatch(files > 200_000 ? /error\[code_too_large\]/ : /ok refs\/incoming/);
    await held();
  });
});
