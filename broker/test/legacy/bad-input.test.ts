import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { revokeKeys } from "../../src/domain/participants/api-keys.ts";
import { startBroker, type TestBroker, untilEnd } from "../support/test-broker.ts";
import { type AnswerEntry, type LegacyChallenge, openChallenge } from "./legacy-challenge.ts";
import { connectLegacy, encodeBinary } from "./legacy-client.ts";

const ERROR = "CrowdAI.Event.Job.ERROR";

describe("bad input of an older client", () => {
  let test: TestBroker;
  let challenge: LegacyChallenge;
  let key: string;
  let people = 0;
  const newcomer = () => test.addParticipant(`participant ${++people}`);
  beforeAll(async () => {
    test = await startBroker({ challenges: [{}, { id: "hidden", visibility: { private: true } }] });
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    key = await newcomer();
    challenge = await openChallenge(test.broker.url, key);
  });
  afterEach(async () => {
    // Other clients are unaffected: connected ones continue, and new ones can connect.
    expect((await challenge.submit("0.5")).answer).toMatchObject([{ data: { score: 0.5 } }]);
    challenge.connection.close();
    const modern = await test.connect();
    const { submission } = await modern.submit({ input: { kind: "inline", data: { score: 1 } } });
    expect((await untilEnd(modern, submission.id)).at(-1)?.type).toBe("graded");
    modern.socket.disconnect();
    expect((await test.fetch("/readyz")).status).toBe(200);
  });

  it.each([
    ["that is malformed", () => "0123456789abcdef0123456789abcde", "malformed"],
    ["of the first crowdAI", () => "0123456789abcdef0123456789abcdef", "does not recognize"],
    ["that does not exist", () => "crowdai_00000000000000000000000000000000000000000000VcTRx", "."],
    ["that is empty", () => "", "No API key"],
    ["that is not a string", () => ({ $ne: null }) as unknown as string, "No API key"],
  ])("a key %s is refused before the acknowledgement", async (_, wrong, words) => {
    await expect(openChallenge(test.broker.url, wrong())).rejects.toThrow(words);
  });

  it.each([
    ["unknown", "tset", 'There is no challenge "tset"; did you mean "test"?'],
    ["of another kind", ["test"] as unknown as string, '"challenge_id"'],
    ["too long", "x".repeat(101), '"challenge_id"'],
    ["private to others", "hidden", "hidden"],
  ])("a challenge that is %s is refused at authentication, before an upload", async (_, id, words) => {
    await expect(openChallenge(test.broker.url, key, id)).rejects.toThrow(words);
  });

  it("a client that names its challenge only in its calls is admitted", async () => {
    for (const id of [undefined, null, ""]) {
      const connection = await connectLegacy(test.broker.url);
      const heard = new Promise((resolve) => connection.on("authenticate_response", resolve));
      await connection.emit("authenticate", { API_KEY: key, challenge_id: id, client_version: "1.0.22" });
      expect(await heard).toMatchObject({ response_type: "CrowdAI.Event.Authentication.SUCCESS" });
      connection.close();
    }
  });

  it("a key that was revoked ends the connection", async () => {
    const bob = await openChallenge(test.broker.url, await newcomer());
    await revokeKeys(test.records, "participant", `participant ${people}`, new Date().toISOString());
    expect((await bob.call("evaluate", [{ x: 1 }])).answer).toMatchObject([{ response_type: ERROR }]);
    await bob.connection.ended;
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["an unknown challenge", { challenge_id: "tset" }, /no challenge "tset"; did you mean "test"/],
    ["no challenge", { challenge_id: undefined }, /names a challenge/],
    ["a challenge that is not a string", { challenge_id: ["test"] }, /"challenge_id"/],
    ["an unknown function", { function_name: "evalute" }, /no function "evalute".*"submit", "evaluate"/],
    ["a function of every object", { function_name: "constructor" }, /no function "constructor"/],
    ["no function", { function_name: undefined }, /"function_name"/],
    ["data that is not a list", { data: { x: 1 } }, /"data"/],
    ["data that is null", { data: null }, /"data"/],
    ["no data", { data: undefined }, /"data"/],
    ["an empty list", { data: [] }, /"data"/],
    ["more jobs than a call may have", { data: Array(1001).fill({ x: 1 }) }, /"data"/],
    ["a dry_run that is not a boolean", { dry_run: "yes" }, /"dry_run"/],
    ["no session token", { session_token: undefined }, /"session_token"/],
    ["an unknown session token", { session_token: "x" }, /does not belong to this connection/],
    ["no key", { api_key: undefined }, /"api_key"/],
    ["another key", { api_key: "x" }, /not the one that this connection authenticated with/],
    ["a value that is too large", { data: [{ x: "x".repeat(70_000) }] }, /65536 bytes/],
  ])("%s is an error of the job and of the call", async (_, more, words) => {
    const { answer, progress } = await challenge.call("evaluate", [{ x: 1 }], more);
    expect(answer[0]).toMatchObject({ response_type: ERROR, message: expect.stringMatching(words) });
    expect(progress).toMatchObject([
      { state: "ERROR", data_sequence_no: 0, message: expect.stringMatching(words) },
    ]);
  });

  it("a session token of another connection is refused", async () => {
    const other = await openChallenge(test.broker.url, key);
    const { answer } = await challenge.call("evaluate", [{ x: 1 }], { session_token: other.token });
    expect(answer).toMatchObject([
      { response_type: ERROR, message: expect.stringContaining("does not belong to") },
    ]);
  });

  it("a call before authentication is refused", async () => {
    const connection = await connectLegacy(test.broker.url);
    const answer = await connection.emit("execute_function", challenge.message("evaluate", [{ x: 1 }]));
    expect(answer).toMatchObject([
      { response_type: ERROR, message: expect.stringContaining("Authenticate") },
    ]);
    connection.close();
  });

  it.each([null, 7, "text", [], [[]]])("a message that is %j is answered", async (message) => {
    const answer = (await challenge.connection.emit("execute_function", message)) as AnswerEntry[];
    expect(answer).toMatchObject([{ response_type: ERROR }]);
  });

  it("an event without a message is answered", async () => {
    expect(await challenge.connection.emit("execute_function")).toMatchObject([{ response_type: ERROR }]);
    const stranger = await connectLegacy(test.broker.url);
    expect(await stranger.emit("authenticate")).toMatchObject({
      message: expect.stringContaining("No API key"),
    });
    stranger.close();
  });

  it.each([
    ...["connect", "connection", "disconnect", "disconnecting", "error", "newListener", "removeListener"],
    ...["authenticate_response", "session", "event", "place", "message", "", "__proto__", "test::1", "::"],
    `test::${randomUUID()}::more`,
    `${"x".repeat(200)}::${randomUUID()}`,
  ])('a response_channel named "%s" is refused, only in the answer', async (response_channel) => {
    let heard = 0;
    challenge.connection.on(response_channel, () => heard++);
    const message = challenge.message("evaluate", [{ x: 1 }, { x: 2 }], { response_channel });
    const answer = await challenge.connection.emit("execute_function", message);
    const entry = { response_type: ERROR, message: expect.stringContaining("response_channel") };
    expect(answer).toMatchObject([entry, entry]);
    expect(heard).toBe(0);
  });

  it("a response_channel of another connection is refused, and that connection receives nothing", async () => {
    const response_channel = `test::${randomUUID()}`;
    const heard: unknown[] = [];
    challenge.connection.on(response_channel, (text) => heard.push(text));
    await challenge.call("evaluate", [{ x: 1 }], { response_channel });
    const before = heard.length;
    const eve = await openChallenge(test.broker.url, await newcomer());
    const message = eve.message("evaluate", [{ x: 1 }], { response_channel });
    expect(await eve.connection.emit("execute_function", message)).toMatchObject([
      { response_type: ERROR, message: expect.stringContaining("another connection") },
    ]);
    expect(heard).toHaveLength(before);
    expect((await challenge.call("evaluate", [{ x: 1 }], { response_channel })).answer).toHaveLength(1);
  });

  it("thousands of calls at once are each answered: some done, the rest refused", async () => {
    const eve = await openChallenge(test.broker.url, await newcomer());
    const calls = Array.from({ length: 3000 }, () => eve.message("evaluate", [{ x: 1 }]));
    const answers = await eve.connection.emitAll(calls.map((message) => ["execute_function", message]));
    const messages = answers.map((answer) => (answer as AnswerEntry[])[0]?.message);
    expect(messages).toHaveLength(3000);
    expect(messages.filter((message) => message === "").length).toBeGreaterThan(0);
    expect(messages.filter((message) => message?.includes("Too many calls")).length).toBeGreaterThan(2500);
    // Other participants are unaffected.
    expect((await challenge.call("evaluate", [{ x: 3 }])).answer).toMatchObject([{ data: { score: 6 } }]);
  });

  it.each([
    ["text under the type of bytes", Buffer.from("1:2")],
    ["a length that never ends", Buffer.alloc(500)],
    ["fewer bytes than announced", Buffer.from([0, 9, 255, 50])],
    ["more bytes than announced", Buffer.concat([encodeBinary(["2"]), Buffer.from("2")])],
    ["nothing", Buffer.alloc(0)],
    ["a packet of no type", encodeBinary(["9"])],
    ["too many packets", Buffer.concat(Array(20_000).fill(encodeBinary(["2"])))],
  ])("a polling POST of %s is a bad request and ends only its session", async (_, body) => {
    const connection = await connectLegacy(test.broker.url, { transport: "polling" });
    const address = `${test.broker.url}/socket.io/?EIO=3&transport=polling&sid=${connection.opened.sid}`;
    const post = () =>
      fetch(address, { method: "POST", headers: { "content-type": "application/octet-stream" }, body });
    const answer = await post();
    expect([answer.status, await answer.json()]).toEqual([400, { code: 3, message: "Bad request" }]);
    await connection.ended;
    expect((await post()).status).toBe(400);
  });

  it("a polling POST that is larger than any message is refused", async () => {
    const connection = await connectLegacy(test.broker.url, { transport: "polling" });
    const answer = await fetch(
      `${test.broker.url}/socket.io/?EIO=3&transport=polling&sid=${connection.opened.sid}`,
      {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: encodeBinary([`4${"x".repeat(1_200_000)}`]),
      },
    ).catch(() => null);
    // The client is still sending when it is answered, so it may see the response or a broken pipe.
    expect([413, undefined]).toContain(answer?.status);
    await connection.ended;
  });

  it("malformed socket.io packets end only their session", async () => {
    for (const packet of [
      '42["execute_function",{]',
      "4",
      "49",
      '42["connect",{}]',
      '451-["x",{"_placeholder":true}]',
    ]) {
      const connection = await connectLegacy(test.broker.url, { transport: "polling" });
      await fetch(`${test.broker.url}/socket.io/?EIO=3&transport=polling&sid=${connection.opened.sid}`, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: encodeBinary([packet]),
      });
      connection.close();
    }
  });
});
