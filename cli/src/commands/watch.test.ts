import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { useCommandLine } from "../../test/command-line.ts";
import { jsonLines } from "../../test/run-cli.ts";

const cli = useCommandLine();
const { run } = cli;
async function submitted(): Promise<string> {
  const { stdout } = await run(["submit", "--json", "[1]", "-c", "iris", "--no-wait"]);
  return stdout.trim();
}

describe("crowdai watch", () => {
  it("prints all events of a submission, from anywhere, any number of times", async () => {
    const id = await submitted();
    for (let i = 0; i < 2; i++) {
      const { code, stdout } = await run(["watch", id, "--format", "ndjson"]);
      const lines = jsonLines(stdout);
      expect(code).toBe(0);
      expect(lines.map(({ event, type }) => event?.seq ?? type)).toEqual([1, 2, 3, 4, 5, "result"]);
    }
    expect((await run(["watch", id], { tty: { stdout: true } })).stdout).toBe(
      "Accuracy: 0.900\nRank: 3 of 17 (up 2)\n",
    );
    expect((await run(["watch", id, "--quiet"])).stdout).toBe(`${id}\n`);
  });

  it("waits for the grade and respects --timeout and --min-score", async () => {
    cli.broker.grader = null;
    const id = await submitted();
    expect((await run(["watch", id, "--timeout", "0.05"])).code).toBe(8);
    cli.broker.intercept = (what) => {
      if (what === "watch") setTimeout(() => cli.broker.finish(id, { state: "graded", score: 0.5 }), 20);
      return false;
    };
    expect((await run(["watch", id, "--min-score", "0.6"])).code).toBe(7);
  });

  it("exits with the outcome of the submission, and with 2 for an unknown id", async () => {
    cli.broker.grader = () => ({ error: { code: "rejected", message: "row 17" } });
    const id = await submitted();
    const { code, stderr } = await run(["watch", id]);
    expect(code).toBe(6);
    expect(stderr).toContain("row 17");
    expect((await run(["watch", "nothing-here"])).code).toBe(2);
  });

  it("prints the queue position, the expected start and the graders", async () => {
    cli.broker.grader = null;
    const id = await submitted();
    const facts = { expected_at: new Date(Date.now() + 20_400).toISOString(), graders: 2 };
    cli.broker.intercept = (what) => {
      if (what === "watch") setTimeout(() => cli.broker.place(id, 3, null, facts), 20);
      return false;
    };
    const { code, stderr, stdout } = await run(["watch", id, "--format", "ndjson", "--timeout", "2"]);
    expect(code).toBe(8);
    const lines = jsonLines(stdout);
    expect(lines).toContainEqual({
      schema_version: 1,
      time: expect.any(String),
      type: "place",
      submission: id,
      place: 3,
      waiting: null,
      ...facts,
    });
    expect(lines.at(-1).error.details).toMatchObject({ place: 3, ...facts });
    expect(stderr).not.toContain("position 3 in the queue");
  });

  it("says after the timeout that no grader serves the challenge", async () => {
    cli.broker.grader = null;
    const id = await submitted();
    const why = "no grader serves iris since 14:02 UTC";
    cli.broker.intercept = (what) => {
      if (what === "watch") setTimeout(() => cli.broker.place(id, 1, why, { graders: 0 }), 20);
      return false;
    };
    const { code, stderr } = await run(["watch", id, "--timeout", "2"]);
    expect(code).toBe(8);
    expect(stderr).toContain(`It is waiting: ${why}.`);
  });

  it("says at once that the connection is lost, and when it is back", async () => {
    cli.broker.grader = null;
    for (const stderr of [false, true]) {
      const id = await submitted();
      const restart = async () => {
        cli.broker.intercept = null;
        await cli.broker.stop();
        await sleep(450);
        await cli.broker.start();
        cli.broker.finish(id, { state: "graded", score: 0.5 });
      };
      cli.broker.intercept = (what) => {
        if (what === "watch") setTimeout(restart, 20);
        return false;
      };
      const watched = await run(["watch", id, "--format", stderr ? "text" : "ndjson"], { tty: { stderr } });
      expect(watched.code).toBe(0);
      expect(watched.stderr).toMatch(/Connection lost, trying again[\s\S]*Connected again after \d+ s\./);
      if (!stderr)
        expect(jsonLines(watched.stdout).map(({ type }) => type)).toEqual([
          "event",
          "event",
          "event",
          "result",
        ]);
    }
  });

  it("says that the submission continues when it is interrupted", async () => {
    cli.broker.grader = null;
    const id = await submitted();
    const stop = new AbortController();
    cli.broker.intercept = (what) => {
      if (what === "watch") setTimeout(() => stop.abort(), 20);
      return false;
    };
    const { code, stderr } = await run(["watch", id], { signal: stop.signal });
    expect(code).toBe(130);
    expect(stderr).toContain(`crowdai watch ${id}`);
  });
});

describe("crowdai cancel", () => {
  it("cancels, and succeeds if the submission is cancelled already", async () => {
    cli.broker.grader = null;
    const id = await submitted();
    expect(await run(["cancel", id])).toMatchObject({ code: 0, stdout: `Submission ${id} is cancelled.\n` });
    expect((await run(["cancel", id, "--quiet"])).stdout).toBe(`${id}\n`);
    expect(JSON.parse((await run(["cancel", id, "--format", "json"])).stdout)).toMatchObject({
      submission: { state: "cancelled" },
    });
    const watched = await run(["watch", id]);
    expect(watched.code).toBe(6);
  });

  it("refuses a graded submission", async () => {
    const id = await submitted();
    await run(["watch", id]);
    expect((await run(["cancel", id])).code).toBe(4);
  });
});
