import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFile, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openObjects } from "../../broker/src/startup/open-objects.ts";
import { Challenge, type CrowdaiError } from "../../cli/src/index.ts";
import { createSeededRandom } from "../../scripts/chaos/seeded-random.ts";
import { root } from "../../scripts/lib/root.ts";
import { type RunningBroker, startBroker, withoutBrokerSettings } from "../../scripts/lib/running-broker.ts";
import { freePorts } from "../../scripts/services/daemon.ts";
import { withoutService } from "../../scripts/services/programs.ts";
import { createSubmissionId, partSizeFor } from "../../shared/src/index.ts";
import { bucketEnvironment, nameBucket } from "../shared-services.ts";
import { type HostileProxy, startHostileProxy } from "./hostile-proxy.ts";

const MB = 1_000_000;
/** One part more than the client sends at once, and a short one. */
const SIZE = 42 * MB + 12_345;
const PART = partSizeFor(SIZE);
/** Two parts and a short one, where the number of parts does not matter. */
const FEW_PARTS = 17 * MB;
/** How many parts the client sends at once. */
const PARALLEL_PARTS = 4;
/** Requests, headers and sessions beside the bytes. */
const OVERHEAD_BYTES = 1 * MB;
const CUTS = 6;

const EVALUATOR = `import json, os, sys
job = json.loads(sys.stdin.readline())
print(json.dumps({"id": job["id"], "type": "result", "score": os.path.getsize(job["input"]["path"])}))
`;

/** Uploads to a broker with this store, through a proxy that fails. */
export function uploadsContract(store: "folder" | "swift"): void {
  describe.skipIf(store === "swift" && withoutService("swift"))(
    `an upload over a hostile proxy, store: ${store}`,
    { timeout: 300_000 },
    () => {
      let folder: string;
      let proxy: HostileProxy;
      let bucket: Awaited<ReturnType<typeof nameBucket>> | null = null;
      let broker: RunningBroker;
      let key: string;
      let others = 0;

      beforeAll(async () => {
        folder = await mkdtemp(join(tmpdir(), "crowdai-uploads-"));
        const challenge = join(folder, "challenges/big");
        await mkdir(challenge, { recursive: true });
        await mkdir(join(folder, "data"));
        await writeFile(
          join(challenge, "challenge.json"),
          JSON.stringify({
            id: "big",
            title: "Big files",
            score: { title: "Size", order: "descending", precision: 0 },
            accepts: { file: { extensions: [".bin"], max_bytes: 1_000_000_000 } },
            evaluator: { command: ["python3", "evaluate.py"], mode: "batch" },
          }),
        );
        await writeFile(join(challenge, "evaluate.py"), EVALUATOR);
        proxy = await startHostileProxy();
        let env: NodeJS.ProcessEnv = { PUBLIC_URL: proxy.url };
        if (store === "swift") {
          bucket = await nameBucket();
          proxy.target = Number(new URL(bucket.endpoint).port);
          env = bucketEnvironment({ ...bucket, endpoint: proxy.url });
        }
        const port = await freePorts();
        broker = await startBroker({
          port,
          data: join(folder, "data"),
          challenges: join(folder, "challenges"),
          env,
        });
        if (store === "folder") proxy.target = port;
        key = await broker.addParticipant("ada");
      }, 300_000);
      afterEach(() => proxy.calm());
      afterAll(async () => {
        await broker?.stop();
        await proxy?.close();
        await rm(folder, { recursive: true, force: true });
      });

      /** Other bytes each time: what is in the store already would not be sent. */
      async function randomFile(size = SIZE): Promise<string> {
        const path = join(folder, `${others++}.bin`);
        // Repeats, but not from part to part: the size of a part is not a multiple of it.
        await writeFile(path, Buffer.alloc(size, randomBytes(MB + 1)));
        return path;
      }

      /** The store itself, not through the proxy. */
      const ofStore = () => bucket;
      const brokerUrl = () => (store === "folder" ? proxy.url : broker.url);
      const open = () => Challenge.open("big", { apiKey: key, broker: brokerUrl() });
      const command = (path: string): ChildProcess & { said: () => string } => {
        const child = spawn(
          process.execPath,
          [join(root, "cli/bin/crowdai.js"), "submit", path, "-c", "big", "--format", "json"],
          {
            stdio: ["ignore", "pipe", "pipe"],
            env: {
              ...withoutBrokerSettings(),
              CROWDAI_API_KEY: key,
              CROWDAI_BROKER: brokerUrl(),
              CROWDAI_CONFIG_DIR: join(folder, "client"),
            },
          },
        );
        let text = "";
        child.stdout!.on("data", (chunk) => {
          text += chunk;
        });
        child.stderr!.on("data", (chunk) => {
          text += chunk;
        });
        return Object.assign(child, { said: () => text });
      };

      it(`is whole after ${CUTS} cuts at random offsets, and each cut costs at most a part in each lane`, async () => {
        const random = createSeededRandom(store === "folder" ? 1 : 2);
        const session = await open();
        proxy.cutAfter(Array.from({ length: CUTS }, () => random.between(MB, SIZE / 3)));
        const { id } = await session.submitFile(await randomFile(), { wait: false });
        const { cuts, sent } = proxy;
        proxy.cutAfter([]);
        expect(cuts).toBeGreaterThan(3);
        expect(sent).toBeLessThan(SIZE + cuts * PARALLEL_PARTS * PART + OVERHEAD_BYTES);
        expect((await session.wait(id)).score).toBe(SIZE);
        await session.close();
      });

      it("goes on where a client was that was killed with -9, again and again, and each costs at most a part in each lane", async () => {
        const path = await randomFile();
        let sent = 0;
        const kills = [0.5, 0.2, 0.1];
        for (const share of kills) {
          const held = proxy.holdAt(SIZE * share);
          const client = command(path);
          await held;
          client.kill("SIGKILL");
          await once(client, "exit");
          sent += proxy.sent;
          proxy.calm();
        }
        const last = command(path);
        const [code] = await once(last, "exit");
        expect(code, last.said()).toBe(0);
        // How many parts were whole by then is the machine's doing.
        expect(last.said()).toContain("Continuing the unfinished submission");
        sent += proxy.sent;
        if (process.env.CROWDAI_FIGURES)
          console.log(`${store}: sent again ${((sent - SIZE) / PART).toFixed(2)} parts`);
        expect(sent - SIZE).toBeLessThan(kills.length * PARALLEL_PARTS * PART + OVERHEAD_BYTES);
      });

      it("starts again when the store discarded what had arrived", async () => {
        const path = await randomFile();
        const session = await open();
        // More bytes than the parts under way can hold: one part is whole, or will be as soon as the store
        // has written it.
        const held = proxy.holdAt((PARALLEL_PARTS + 0.5) * PART);
        const grade = session.submitFile(path);
        await held;
        const { objects } = await openObjects({ s3: ofStore(), dataFolder: join(folder, "data") }, brokerUrl);
        await expect
          .poll(() => objects.abandonUploads(Date.now() + 60_000), { timeout: 60_000 })
          .toBeGreaterThan(0);
        await objects.close();
        proxy.calm();
        proxy.cut();
        expect((await grade).score).toBe(SIZE);
        await session.close();
      });

      it("is one submission when the last answer was lost, and the client learns of it", async () => {
        const path = await randomFile();
        const id = createSubmissionId();
        const session = await open();
        proxy.loseAnswerAfter(SIZE);
        await session.submitFile(path, { id, wait: false });
        expect((await session.wait(id)).score).toBe(SIZE);
        const same = (await session.submissions()).filter((one) => one.id === id);
        expect(same).toHaveLength(1);
        expect(proxy.sent).toBeLessThan(SIZE + PARALLEL_PARTS * PART + OVERHEAD_BYTES);
        await session.close();
      });

      it("is mended when a bit turned on the way, and refused with the part's number when bits go on turning", async () => {
        const session = await open();
        proxy.flip(1);
        const grade = await session.submitFile(await randomFile(FEW_PARTS));
        expect(grade.score).toBe(FEW_PARTS);

        proxy.flip(Number.POSITIVE_INFINITY);
        const refused = await session.submitFile(await randomFile(FEW_PARTS)).then(
          () => null,
          (error: CrowdaiError) => error,
        );
        expect(refused).toMatchObject({ code: "digest_mismatch", details: { part: expect.any(Number) } });
        expect(refused?.message).toMatch(/^Part \d+ \(bytes \d+ to \d+\)/);
        await session.close();
      });

      it("is refused when the file changes while it is sent, and the slot comes back", async () => {
        const path = join(folder, "changing.bin");
        await copyFile(await randomFile(FEW_PARTS), path);
        const id = createSubmissionId();
        const session = await open();
        const held = proxy.holdAt(FEW_PARTS / 2);
        const refused = session.submitFile(path, { id }).then(
          () => null,
          (error: CrowdaiError) => error,
        );
        await held;
        await appendFile(path, "one row more");
        proxy.calm();
        proxy.cut();
        expect((await refused)?.code).toBe("file_changed");
        const stored = (await session.submissions()).find((one) => one.id === id);
        expect(stored).toMatchObject({ state: "cancelled", slot: "returned" });
        await session.close();
      });
    },
  );
}
