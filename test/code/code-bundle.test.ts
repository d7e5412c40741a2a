import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../broker/test/support/run-command.ts";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { until } from "../../broker/test/support/until.ts";
import { Challenge } from "../../cli/src/index.ts";
import { main as grade } from "../../grader/src/main.ts";
import { root } from "../../scripts/lib/root.ts";
import { withoutService } from "../../scripts/services/programs.ts";
import { startRedis } from "../../scripts/services/redis.ts";
import type { Service } from "../../scripts/services/service.ts";
import { closeInheritedFiles } from "../../shared/src/close-inherited-files.ts";
import { missing } from "../required-programs.ts";
import { bucketEnvironment, nameBucket } from "../shared-services.ts";

/** As graders need them for boxes. */
const hasBoxes = process.getuid?.() === 0 && !missing("bwrap", "git", "mksquashfs", "unsquashfs");
const absent = withoutService("redis") || withoutService("swift") || !hasBoxes;

/** Files that the image has beside a shell, and the machine has not. */
const FACTS = "opt/species";

/** Makes a root folder with links, as those of distributions have. */
function makeImage(image: string): void {
  for (const name of ["sh", "tar", "find", "stat"]) {
    const libraries = execFileSync("ldd", [`/bin/${name}`], { encoding: "utf8" }).match(/\/\S+/g) ?? [];
    for (const path of [`/bin/${name}`, ...libraries]) {
      const place = join(image, path.startsWith("/usr/") ? path : `usr${path}`);
      mkdirSync(dirname(place), { recursive: true });
      copyFileSync(path, place);
    }
  }
  for (const name of ["bin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(image, name));
  mkdirSync(join(image, "opt"));
  writeFileSync(join(image, "opt/.hidden"), "setosa\n");
  symlinkSync("/opt/.hidden", join(image, FACTS));
  execFileSync("chmod", ["-R", "a+rX", image]);
}

const MAIN = `read species < /${FACTS}
{ read header; echo id,species; while IFS=, read id rest; do echo $id,$species; done; } \\
  < $CROWDAI_INPUT/test.csv > $CROWDAI_OUT/predictions.csv
`;

describe.skipIf(absent)(
  "a challenge that runs code, bundled, on a grader without its folder",
  { timeout: 120_000 },
  () => {
    let folder: string;
    let redis: Service;
    let broker: TestBroker;
    let env: Record<string, string>;
    const stop = new AbortController();
    const graderLog = new PassThrough();
    let grading: Promise<number>;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "crowdai-code-bundle-"));
      redis = await startRedis({ folder: join(folder, "redis") });
      env = { ...bucketEnvironment(await nameBucket()), REDIS_URL: redis.url };
      broker = await startBroker({ challenges: [], withGrader: false, env });
      closeInheritedFiles();
      // The folder of its challenges does not exist, and it shares no disk with the broker.
      grading = grade({
        args: ["start"],
        env: { PATH: process.env.PATH, LOG_LEVEL: "silent", ...env },
        ...{ stdout: graderLog, stderr: graderLog, signal: stop.signal },
      });
      mkdirSync(join(folder, "project"));
      writeFileSync(join(folder, "project/main.sh"), MAIN);
    }, 300_000);
    afterAll(async () => {
      stop.abort();
      await grading;
      await broker?.close();
      await redis?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Adds the example with an image to the broker, and removes its folder. */
    async function add(id: string, image: string, make: (path: string) => void): Promise<void> {
      const dir = join(folder, id);
      cpSync(join(root, "examples/challenges/code-csv"), dir, { recursive: true });
      const config = JSON.parse(readFileSync(join(dir, "challenge.json"), "utf8"));
      make(join(dir, image));
      const run = { ...config.run, build: null, image: { path: image } };
      writeFileSync(join(dir, "challenge.json"), JSON.stringify({ ...config, id, run }));
      const args = ["challenge", "add", dir, "--data", join(broker.folder, "data")];
      const ran = await runCommand(broker.folder, args, { env });
      expect(ran.code, ran.stderr).toBe(0);
      rmSync(dir, { recursive: true });
      await until(async () => (await broker.fetch(`/api/v1/challenges/${id}`)).ok);
    }

    async function submit(id: string) {
      const url = broker.broker.url;
      const session = await Challenge.open(id, { apiKey: broker.key, broker: url });
      const command = ["sh", "main.sh"];
      const submission = await session.submitCode({ code: join(folder, "project"), command });
      await session.close();
      return submission;
    }

    it.each<[string, string, (path: string) => void]>([
      [
        "squashed",
        "image.squashfs",
        (path) => {
          const image = join(folder, "squash");
          makeImage(image);
          execFileSync("mksquashfs", [image, path, "-quiet", "-no-progress", "-all-root"], {
            stdio: "ignore",
          });
        },
      ],
      ["linked", "image", makeImage],
    ])("is graded from the object store, with an image that is %s", async (id, image, make) => {
      await add(id, image, make);
      const submission = await submit(id);
      // A third of the flowers.
      expect(submission.error).toBeNull();
      expect(submission.score).toBeGreaterThan(0.2);
      expect(submission.run).toMatchObject({
        image: expect.stringMatching(/^[0-9a-f]{64}$/),
        stages: [
          { stage: "sample", exit_code: 0 },
          { stage: "run", exit_code: 0 },
        ],
      });
    });
  },
);
