import {
  CrowdaiError,
  isExactNumber,
  parseExact,
  parseJson,
  parseLenientJson,
  stringifyExact,
} from "@crowdai/shared";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPacketReader, packetLine } from "../../broker/src/background/git/pkt-line.ts";
import { readCommands } from "../../broker/src/http/git/receive/push-commands.ts";
import { isWellFramed } from "../../broker/src/legacy/binary-framing.ts";
import { readAgentLine } from "../../grader/src/environment/agent-line.ts";
import { actionCheck } from "../../grader/src/environment/check-action.ts";
import {
  readEventLine,
  readFrameRate,
  readMessage,
  readObservation,
  readSpaces,
  readStep,
} from "../../grader/src/environment/environment-messages.ts";
import { createReferee } from "../../grader/src/environment/referee.ts";
import { readEvent, readLine } from "../../grader/src/evaluators/protocol/events.ts";
import { RunFailure } from "../../grader/src/run/run-failure.ts";
import { broken, holds, jsonText, text } from "./runs.ts";

/** The only error that outside bytes may cause. */
function orRefusal<T>(work: () => T): T | CrowdaiError {
  try {
    return work();
  } catch (error) {
    if (error instanceof CrowdaiError) return error;
    throw error;
  }
}

const bytes = () => fc.uint8Array({ maxLength: 200 });
const jsonBytes = () => broken(jsonText().map((json) => Buffer.from(json)));

describe("JSON from outside", () => {
  it("is parsed as JSON.parse does, except for numbers that it would change, or refused", () =>
    holds(
      fc.property(fc.oneof(jsonText(), text()), (json) => {
        const ours = orRefusal(() => parseJson(json));
        let theirs: unknown;
        try {
          theirs = JSON.parse(json);
        } catch {
          return void expect(ours).toBeInstanceOf(CrowdaiError);
        }
        if (!(ours instanceof CrowdaiError)) expect(rounded(ours)).toEqual(theirs);
      }),
    ));

  it("keeps every digit of its numbers there and back", () =>
    holds(
      fc.property(fc.stringMatching(/^-?(0|[1-9]\d{0,40})(\.\d{1,40})?$/), (number) => {
        expect(stringifyExact(parseExact(`[${number}]`, "all"))).toBe(`[${number}]`);
      }),
    ));

  it("with NaN and Infinity, as Python writes it, is read or refused", () =>
    holds(fc.property(jsonBytes(), (json) => void orRefusal(() => parseLenientJson(json.toString("utf8"))))));
});

describe("lines of an evaluator", () => {
  const event = fc.record(
    {
      id: fc.constant("job"),
      type: fc.constantFrom("result", "progress", "log", "error", "else"),
      score: fc.oneof(fc.double(), fc.bigInt().map(String), fc.anything()),
      message: fc.anything(),
      percent: fc.anything(),
      artifacts: fc.anything(),
      data: fc.anything(),
      metrics: fc.anything(),
    },
    { requiredKeys: ["id", "type"] },
  );
  const written = event.map((fields) => {
    try {
      return Buffer.from(JSON.stringify(fields) ?? "");
    } catch {
      return Buffer.from("{}");
    }
  });

  it("become an event or a failure of the evaluator, and never another error", () =>
    holds(
      fc.property(fc.oneof(broken(written), jsonBytes(), bytes().map(Buffer.from)), (bytes) => {
        const line = readLine(bytes as Buffer);
        if ("kind" in line) return;
        for (const names of [null, { score: "a", secondary: null }])
          expect(readEvent(line, "submit", names as never)).toBeTypeOf("object");
      }),
    ));
});

describe("lines of an environment", () => {
  const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(-1, 0, 1e300, "NaN"));
  const space = fc.record(
    {
      name: fc.constantFrom(
        "Discrete",
        "Box",
        "MultiBinary",
        "MultiDiscrete",
        "Tuple",
        "Dict",
        "Any",
        "Text",
        "x",
      ),
      n: value,
      shape: value,
      low: value,
      high: value,
      spaces: value,
    },
    { requiredKeys: ["name"] },
  );
  const line = fc
    .record(
      {
        id: fc.constantFrom("job", "other"),
        type: fc.constantFrom("spaces", "observation", "step", "result"),
        action: fc.oneof(space, value),
        observation: fc.oneof(space, value),
        reward: value,
        terminated: fc.oneof(fc.boolean(), value),
        truncated: fc.oneof(fc.boolean(), value),
        info: value,
        frame: fc.oneof(fc.base64String(), value),
        frame_rate: value,
      },
      { requiredKeys: ["id", "type"] },
    )
    .map((fields) => Buffer.from(JSON.stringify(fields)));
  const orFailure = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch (error) {
      expect(error).toBeInstanceOf(RunFailure);
      return null;
    }
  };

  it("become an answer, or a failure of the environment", () =>
    holds(
      fc.property(fc.oneof(line, broken(line), jsonBytes()), (bytes) => {
        const fields = orFailure(() => readMessage(bytes as Buffer, "job", "step"));
        orFailure(() => readEventLine(bytes as Buffer, "job"));
        if (fields === null) return;
        orFailure(() => readStep(fields));
        orFailure(() => readObservation(fields));
        orFailure(() => readFrameRate(fields));
        const spaces = orFailure(() => readSpaces(fields));
        if (spaces !== null) expect(actionCheck(spaces.action)(fields.reward)).not.toBeUndefined();
      }),
    ));

  it("lead, in any order with an agent's requests, to moves of the rules", () =>
    holds(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...REQUESTS), value), { maxLength: 12 }), (requests) => {
        let now = 0;
        const referee = createReferee({
          spaces: { action: { name: "Discrete", n: 2 }, observation: { name: "Any" } },
          limits: {
            steps: 3,
            step_seconds: 1,
            bank_seconds: 2,
            reset_seconds: 9,
            env_step_seconds: 9,
            episode_seconds: 100,
            idle_seconds: 9,
          },
          ...{ episodes: 2, agent: "code", rewardVisible: true, now: () => now },
        });
        const outcome = {
          observation: 0,
          text: "0",
          info: {},
          reward: 1,
          terminated: false,
          truncated: false,
        };
        for (const request of requests) {
          try {
            const move = referee.request(request);
            now += 100;
            if (move.kind === "reset") referee.observed(outcome);
            if (move.kind === "step") referee.stepped(move, outcome);
            if (move.kind === "finish") return;
          } catch (error) {
            return void expect(error).toBeInstanceOf(RunFailure);
          }
        }
      }),
    ));
});

const REQUESTS = [
  { type: "hello" },
  { type: "reset" },
  { type: "reset", episode: 1 },
  { type: "step", action: 1 },
  { type: "step", action: 1, n: 2, episode: 1 },
  { type: "step", action: 5 },
  { type: "submit" },
  { type: "submit", early: true },
];

describe("lines of an agent", () => {
  it("become a value or a SyntaxError that can be shown", () =>
    holds(
      fc.property(fc.oneof(jsonBytes(), bytes().map(Buffer.from)), (bytes) => {
        const value = readAgentLine(bytes as Buffer);
        if (value instanceof Error) expect(value).toBeInstanceOf(SyntaxError);
      }),
    ));
});

describe("a push", () => {
  const command = fc
    .tuple(fc.stringMatching(/^[0-9a-f]{40}$/), fc.stringMatching(/^[0-9a-f]{40}$/), text())
    .map(([before, after, name]) => packetLine(`${before} ${after} refs/incoming/${name}\0report-status\n`));
  const body = fc
    .array(command, { maxLength: 4 })
    .map((lines) => Buffer.concat([...lines, Buffer.from("0000PACK")]));

  it("is read or refused, however its bytes are broken and divided into chunks", () =>
    holds(
      fc.asyncProperty(
        fc.oneof(broken(body), bytes().map(Buffer.from)),
        fc.integer({ min: 1, max: 50 }),
        async (bytes, size) => {
          const reader = createPacketReader(chunks(bytes as Buffer, size));
          const read = await readCommands(reader).catch((error) => error);
          if (read instanceof Error) return void expect(read).toBeInstanceOf(CrowdaiError);
          for (const { before, after, ref } of read.commands) {
            expect(`${before}${after}`).toMatch(/^[0-9a-f]{80}$/);
            expect(ref).toMatch(/^refs\//);
          }
        },
      ),
    ));
});

describe("binary framing of the first clients", () => {
  const packet = fc
    .tuple(fc.integer({ min: 0, max: 1 }), fc.uint8Array({ minLength: 1, maxLength: 30 }))
    .map(([kind, content]) =>
      Buffer.from([kind, ...[...String(content.length)].map(Number), 255, ...content]),
    );

  it("is accepted when it is whole", () =>
    holds(
      fc.property(fc.array(packet, { minLength: 1, maxLength: 5 }), (packets) => {
        expect(isWellFramed(Buffer.concat(packets))).toBe(true);
      }),
    ));

  it("is judged for any bytes, and refused when the last byte is missing", () =>
    holds(
      fc.property(fc.array(packet, { minLength: 1, maxLength: 3 }), bytes(), (packets, noise) => {
        expect(isWellFramed(noise)).toBeTypeOf("boolean");
        expect(isWellFramed(Buffer.concat(packets).subarray(0, -1))).toBe(false);
      }),
    ));
});

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Exact numbers as the doubles that JSON.parse makes of them. */
function rounded(value: unknown): unknown {
  if (isExactNumber(value)) return Number(value.text);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rounded(item)]));
}
