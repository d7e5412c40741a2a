import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli, temporaryFolder } from "../../../cli/test/run-cli.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

const logged: string[] = [];
let test: TestBroker;
beforeAll(async () => {
  const log = pino({ level: "info" }, { write: (line: string) => void logged.push(line) });
  test = await startBroker({ withGrader: false, log });
});
afterAll(() => test.close());

const linesWith = (id: string) => logged.filter((line) => line.includes(id)).map((line) => JSON.parse(line));

describe("44: the id of a request", () => {
  it("is in the answer, in an error and in the broker's log", async () => {
    const response = await fetch(`${test.broker.url}/api/v1/challenges/nothing`);
    const id = response.headers.get("x-request-id")!;
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(await response.json()).toMatchObject({
      error: { code: "challenge_unknown", request_id: id },
    });
    expect(linesWith(id)).toEqual([
      expect.objectContaining({ event: "request_refused", code: "challenge_unknown", request_id: id }),
    ]);
  });

  it("is the one that a proxy or client sent, if it has the form of one", async () => {
    const asked = async (id: string) =>
      (await fetch(`${test.broker.url}/healthz`, { headers: { "x-request-id": id } })).headers.get(
        "x-request-id",
      );
    expect(await asked("from-a-proxy-0123")).toBe("from-a-proxy-0123");
    for (const bad of ["short", "with space in it", `${"x".repeat(65)}`, '"},{"level":60']) {
      expect(await asked(bad)).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  it("is printed by the command, of requests over HTTP and over the socket", async () => {
    await using folder = await temporaryFolder();
    const env = { CROWDAI_BROKER: test.broker.url, CROWDAI_API_KEY: test.key };
    for (const args of [
      ["show", "unknown0"],
      ["submit", "--json", "[1]", "-c", "nothing"],
    ]) {
      const { stdout, stderr } = await runCli([...args, "--format", "json"], { cwd: folder.path, env });
      const { request_id: id, docs, code } = JSON.parse(stdout).error;
      expect(docs).toMatch(new RegExp(`/docs/errors.md#${code}$`));
      expect(stderr).toContain(`Request: ${id}`);
      expect(linesWith(id)).toHaveLength(1);
    }
  });
});
