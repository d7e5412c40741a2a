import { writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openChallenge } from "../../broker/test/legacy/legacy-challenge.ts";
import { startBroker, type TestBroker, untilEnd } from "../../broker/test/support/test-broker.ts";
import { Challenge, ExactNumber } from "../../cli/src/index.ts";
import { runCli, temporaryFolder } from "../../cli/test/run-cli.ts";
import { missing } from "../required-programs.ts";

/** Returns the input as it came, digit by digit, and as Python reads it. */
const ECHO = `
import json, sys
for line in sys.stdin:
    job = json.loads(line)
    if "path" in job["input"]:
        got, given = open(job["input"]["path"]).read(), None
    else:
        got, given = line.split('"data":', 1)[1].rsplit('},"code"', 1)[0], job["input"]["data"]
    print('{"id": %s, "type": "result", "score": 1, "data": {"got": %s, "echo": %s}, "meta": {"echo": %s}}'
        % (json.dumps(job["id"]), json.dumps(got), got if given is not None else "null", got), flush=True)
`;

/** The value as it is sent, and a text of it with the white space of a file. */
const VALUE = '{"tweet_id":1460323737035677698,"all":[-9007199254740993,0.12345678901234567890,1.0]}';
const SPACED = VALUE.replaceAll(",", ", ").replaceAll(":", ":\n ");

describe.skipIf(missing("python3"))("numbers that JavaScript does not hold", () => {
  let test: TestBroker;
  let challenge: Challenge;
  beforeAll(async () => {
    const own = (id: string, more: object) => ({
      id,
      evaluator: { command: ["python3", "echo.py"], mode: "persistent", functions: ["submit", "evaluate"] },
      ...more,
    });
    test = await startBroker({
      challenges: [
        own("test", {
          accepts: { json: { schema: { type: "object", properties: { tweet_id: { type: "integer" } } } } },
        }),
        own("list", { accepts: { json: { schema: { type: "array", uniqueItems: true } } } }),
      ],
      prepare: async (folder) => {
        for (const id of ["test", "list"]) {
          await mkdir(join(folder, "challenges", id), { recursive: true });
          await writeFile(join(folder, "challenges", id, "echo.py"), ECHO);
        }
      },
    });
    challenge = await Challenge.open("test", { broker: test.broker.url, apiKey: test.key });
  });
  afterAll(async () => {
    await challenge?.close();
    await test?.close();
  });

  /** Returns the latest submission as the evaluator received it, and the text of its answer. */
  async function latest() {
    const row = await test.records.db
      .selectFrom("submissions")
      .select(["id", "data", "meta"])
      .orderBy("number", "desc")
      .limit(1)
      .executeTakeFirstOrThrow();
    return { ...row, got: (JSON.parse(row.data as string) as { got: string }).got };
  }
  async function cli(args: string[], stdin?: string) {
    await using folder = await temporaryFolder();
    writeFileSync(join(folder.path, "value.json"), SPACED);
    const env = { CROWDAI_BROKER: test.broker.url, CROWDAI_API_KEY: test.key, CROWDAI_CHALLENGE: "test" };
    const run = await runCli(args, { cwd: folder.path, env, ...(stdin === undefined ? {} : { stdin }) });
    expect(run).toMatchObject({ code: 0 });
    return run.stdout;
  }

  it.each([
    ["a file", ["submit", "value.json"], undefined],
    ["--json", ["submit", "--json", SPACED], undefined],
    ["standard input", ["submit", "-"], SPACED],
    ["a file to a function", ["evaluate", "value.json"], undefined],
    ["standard input to a function", ["evaluate", "-"], SPACED],
  ])("reach the evaluator digit by digit from %s, and come back", async (_, args, stdin) => {
    const printed = await cli([...args, "--format", "json"], stdin);
    const { id, got, meta } = await latest();
    expect(got).toBe(VALUE);
    expect(meta).toContain(
      '{"tweet_id":1460323737035677698,"all":[-9007199254740993,0.12345678901234567890,',
    );
    const parts = ['"tweet_id": 1460323737035677698', "-9007199254740993", "0.12345678901234567890"];
    for (const part of parts) expect(printed).toContain(part);
    const shown = await cli(["show", id, "--format", "json"]);
    for (const part of parts) expect(shown).toContain(part);
    expect(await cli(["show", id])).toContain('"tweet_id":1460323737035677698');
  });

  it("reach it from a value that is too large for a message", async () => {
    await cli(["submit", "-"], `${VALUE.slice(0, -1)}, "text": "${"x".repeat(70_000)}"}`);
    expect((await latest()).got).toContain(VALUE.slice(0, -1));
  });

  it("stay distinct for a schema, and in each of several values", async () => {
    const ids = "[1460323737035677698,1460323737035677699]";
    await cli(["submit", "--json", ids, "-c", "list"]);
    expect((await latest()).got).toBe(ids);
    const printed = await cli(["evaluate", "--json", ids, "--parallel", "-c", "list"]);
    expect(printed.match(/"got":"\d+"/g)).toEqual([
      '"got":"1460323737035677698"',
      '"got":"1460323737035677699"',
    ]);
  });

  it("are BigInts in the library, and exact numbers in its answers", async () => {
    const [answer] = await challenge.evaluate([{ tweet_id: 1460323737035677698n }]);
    expect(answer?.data).toMatchObject({ echo: { tweet_id: new ExactNumber("1460323737035677698") } });
    const { echo } = answer!.data as { echo: { tweet_id: ExactNumber } };
    expect(BigInt(echo.tweet_id as never)).toBe(1460323737035677698n);
    const grade = await challenge.submit(echo);
    expect((await latest()).got).toBe('{"tweet_id":1460323737035677698}');
    expect(grade.data).toMatchObject({ echo });
  });

  it("are refused by the library, with their path, where they may have lost digits", async () => {
    const value = { tweet_id: Number("1460323737035677698") };
    for (const call of [challenge.submit(value), challenge.evaluate([value])])
      await expect(call).rejects.toMatchObject({
        code: "value_not_exact",
        message: expect.stringContaining("$.tweet_id"),
        next: expect.stringContaining("BigInt"),
      });
  });

  it.each(["socket", "http"] as const)("travel over %s in every message", async (transport) => {
    const other = await Challenge.open("test", { broker: test.broker.url, apiKey: test.key, transport });
    const [answer] = await other.evaluate([{ tweet_id: 2n ** 64n }]);
    await other.submit({ tweet_id: 2n ** 64n });
    await other.close();
    expect(answer?.data).toMatchObject({ echo: { tweet_id: new ExactNumber("18446744073709551616") } });
    expect((await latest()).got).toBe('{"tweet_id":18446744073709551616}');
  });

  it("come from any client of the API, and of the socket", async () => {
    const body = (id: string) =>
      `{"id":"${id}","challenge":"test","function":"evaluate","input":{"kind":"inline","data":${VALUE}}}`;
    const answer = await fetch(`${test.broker.url}/api/v1/submissions`, {
      method: "POST",
      headers: { authorization: `Bearer ${test.key}`, "content-type": "application/json" },
      body: body("over-http-1"),
    });
    expect(answer.status).toBe(200);
    const client = await test.connect();
    await untilEnd(client, "over-http-1");
    expect(await latest()).toMatchObject({ id: "over-http-1", got: VALUE });

    const raw = new WebSocket(
      `${test.broker.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`,
    );
    raw.addEventListener("message", ({ data }) => {
      if (String(data).startsWith("0{"))
        raw.send(`40{"apiKey":"${test.key}","challenge":"test","client":"raw"}`);
      if (String(data).startsWith('42["session"')) raw.send(`420["submit",${body("over-socket-1")}]`);
    });
    await expect.poll(async () => (await latest()).id, { timeout: 20_000 }).toBe("over-socket-1");
    await untilEnd(client, "over-socket-1");
    raw.close();
    expect((await latest()).got).toBe(VALUE);
  });

  it("come from clients of the first crowdAI", async () => {
    const older = await openChallenge(test.broker.url, test.key, "test");
    const { answer } = await older.call("evaluate", [{ tweet_id: new ExactNumber("1460323737035677698") }]);
    older.connection.close();
    expect(answer).toHaveLength(1);
    expect((await latest()).got).toBe('{"tweet_id":1460323737035677698}');
  });

  it("in challenge.json are refused with their field", async () => {
    const { loadChallengeFolder } = await import("@crowdai/shared/challenge-folder");
    await using folder = await temporaryFolder();
    const text =
      '{"id":"x","title":"X","score":{},"evaluator":{"command":["x"]},"accepts":{"json":{"schema":{"const":9007199254740993}}}}';
    await writeFile(join(folder.path, "challenge.json"), text);
    await expect(loadChallengeFolder(folder.path)).rejects.toThrow(
      /accepts\.json\.schema\.const.*9007199254740993/,
    );
  });
});
