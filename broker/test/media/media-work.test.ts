import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSubmissionId, type Submission } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onPath } from "../../../scripts/lib/find-program.ts";
import { missing } from "../../../test/required-programs.ts";
import { addParticipant } from "../../src/domain/participants/api-keys.ts";
import { openSqlite } from "../../src/records/sqlite.ts";
import { type BrokerProcess, createBrokerProcess } from "../support/broker-process.ts";
import { runCommand } from "../support/run-command.ts";
import { until } from "../support/until.ts";
import { MEDIA_TIMEOUT, noise, startStage, writeMediaChallenge } from "./media-broker.ts";

describe.skipIf(missing("ffmpeg", "ffprobe"))("media in progress when the broker is killed with -9", () => {
  let broker: BrokerProcess;
  beforeEach(async () => {
    broker = await createBrokerProcess();
  });
  afterEach(() => broker.close());

  it("delay no grade and are completed after the restart", async () => {
    const { folder } = broker;
    const [bin, data] = [join(folder, "bin"), join(folder, "data")];
    const env = { PATH: `${bin}:${process.env.PATH}` };
    // The first ffmpeg reports that it runs, and then does nothing for a minute.
    const [begun, go] = [join(folder, "begun"), join(folder, "go")];
    await mkdir(bin);
    const slow = `#!/bin/sh\ntouch '${begun}'\n[ -e '${go}' ] || sleep 60\nexec '${onPath("ffmpeg")}' "$@"\n`;
    await writeFile(join(bin, "ffmpeg"), slow);
    await chmod(join(bin, "ffmpeg"), 0o755);
    const video = join(folder, "video.mp4");
    const source = ["-f", "lavfi", "-i", "testsrc=size=160x120:rate=5:duration=1"];
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", ...source, "-pix_fmt", "yuv420p", video]);
    await writeMediaChallenge(join(folder, "challenges"));
    await mkdir(data, { recursive: true });
    const records = await openSqlite(join(data, "records.sqlite"));
    const key = await addParticipant(records, "ada", new Date().toISOString());
    await records.close();

    let url = await broker.start(env);
    const id = createSubmissionId();
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const read = async () =>
      (await (await fetch(`${url}/api/v1/submissions/${id}`, { headers })).json()) as Submission;
    const input = { kind: "inline", data: { media: { copy: video, name: "video.mp4" } } };
    const body = JSON.stringify({ id, challenge: "test", input });
    expect((await fetch(`${url}/api/v1/submissions`, { method: "POST", headers, body })).ok).toBe(true);
    await until(async () => existsSync(begun));
    expect(await read()).toMatchObject({ state: "graded", score: 1, media: null, media_dropped: null });

    await broker.kill();
    await writeFile(go, "");
    url = await broker.start(env);
    const { media } = await until(async () => {
      const found = await read();
      return (found.media ?? found.media_dropped) !== null && found;
    });
    expect(media).toMatchObject({ type: "video/mp4" });
    expect((await fetch(media!.large)).status).toBe(200);
  });
});

describe("a regrade", MEDIA_TIMEOUT, () => {
  it("replaces the media and removes the old ones", async () => {
    const stage = await startStage();
    try {
      const [before, after] = [join(stage.folder, "before.png"), join(stage.folder, "after.jpg")];
      await noise(40, 30).png().toFile(before);
      await noise(50, 30).jpeg().toFile(after);
      const { id } = await stage.submit({ media: { copy: before, name: "plot" } });
      const old = (await stage.settled(id)).media!;
      expect(old.type).toBe("image/png");

      await writeFile(
        join(stage.folder, "challenges/test/media.json"),
        JSON.stringify({ copy: after, name: "plot" }),
      );
      const places = ["--data", join(stage.folder, "data")];
      const ran = await runCommand(stage.folder, ["challenge", "regrade", "test", ...places]);
      expect(ran.code, ran.stderr).toBe(0);
      const { media } = await until(async () => {
        const found = await stage.read(id);
        return found.regraded !== null && found.media !== null && found;
      }, MEDIA_TIMEOUT.timeout);
      expect(media?.type).toBe("image/jpeg");
      expect((await fetch(media!.large)).status).toBe(200);
      for (const url of [old.large, old.thumbnail]) expect((await fetch(url)).status).toBe(404);
      const kept = (url: string) =>
        join(stage.folder, "data/objects/stored", `${url.split("/media/")[1]}@proof`);
      expect(existsSync(kept(media!.large))).toBe(true);
      await until(async () => !existsSync(kept(old.large)) && !existsSync(kept(old.thumbnail)));
    } finally {
      await stage.close();
    }
  });
});
