import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { collectingStream } from "../../test/collecting-stream.ts";
import { plainLine, plainText, plainValue } from "./plain-text.ts";
import { sizeText } from "./size.ts";
import { createTerminal, type TerminalOptions } from "./terminal.ts";
import { localTime, relativeTime, timeText, zoneName } from "./time.ts";

interface TerminalSetup extends Partial<Omit<TerminalOptions, "stdin" | "stdout" | "stderr">> {
  tty?: boolean;
  columns?: number;
}

function open({ tty = false, columns = 80, ...options }: TerminalSetup = {}) {
  const stdin = Object.assign(new PassThrough(), { isTTY: tty });
  const [stdout, stderr] = [
    collectingStream({ isTTY: tty, columns }),
    collectingStream({ isTTY: tty, columns }),
  ];
  const terminal = createTerminal({
    env: { LANG: "en_US.UTF-8" },
    format: "text",
    quiet: false,
    color: true,
    ...options,
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
  });
  return { terminal, stderr: stderr.stream, out: stdout.text, err: stderr.text };
}

const UTF8 = { LANG: "C.UTF-8" };

test("colors appear only on a terminal, unless the environment or a flag changes that", () => {
  const isColored = (world: TerminalSetup) => open(world).terminal.style.red("x") !== "x";
  expect(isColored({ tty: true, env: UTF8 })).toBe(true);
  expect(isColored({ tty: false, env: UTF8 })).toBe(false);
  expect(isColored({ tty: true, env: { NO_COLOR: "1" } })).toBe(false);
  expect(isColored({ tty: true, env: { TERM: "dumb" } })).toBe(false);
  expect(isColored({ tty: true, color: false })).toBe(false);
  expect(isColored({ tty: false, env: { FORCE_COLOR: "1" } })).toBe(true);
  expect(isColored({ tty: false, env: { CLICOLOR_FORCE: "1" } })).toBe(true);
  expect(isColored({ tty: true, env: { FORCE_COLOR: "0" } })).toBe(false);
  expect(isColored({ env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).toBe(false);
  expect(isColored({ tty: true, format: "json" })).toBe(false);
});

test("questions are asked only on a terminal, outside CI, with text output", () => {
  const asks = (world: TerminalSetup) => open(world).terminal.isInteractive;
  expect(asks({ tty: true })).toBe(true);
  expect(asks({ tty: false })).toBe(false);
  expect(asks({ tty: true, env: { CI: "true" } })).toBe(false);
  expect(asks({ tty: true, env: { CI: "false" } })).toBe(true);
  expect(asks({ tty: true, format: "json" })).toBe(false);
});

test("in a locale other than UTF-8, everything is ASCII", () => {
  for (const env of [{ LANG: "C" }, { LC_ALL: "POSIX", LANG: "en_US.UTF-8" }]) {
    const { terminal, out } = open({ tty: true, columns: 30, env: { ...env, NO_COLOR: "1" } });
    terminal.answer(Object.values(terminal.symbols).join(" ") + terminal.bar(0.5, 10));
    terminal.table(["text"], [["a title that is much longer than the terminal is wide"]]);
    expect(out()).toMatch(/^[\x20-\x7e\n]+$/);
  }
  expect(open().terminal.bar(0.5, 10)).toBe("█████░░░░░");
});

test("a progress bar keeps its width for any fraction", () => {
  const { terminal } = open();
  for (const fraction of [-1, 0, Number.NaN, 0.333, 1, 7]) expect(terminal.bar(fraction, 8)).toHaveLength(8);
});

test("in a pipe, a table is complete: no header, one line per row, columns separated by tabs", () => {
  const { terminal, out } = open({ columns: 10 });
  terminal.table(
    ["a", "b"],
    [
      ["one\ttwo\nthree", 1],
      [null, "x".repeat(300)],
    ],
  );
  expect(out()).toBe(`one two three\t1\n\t${"x".repeat(300)}\n`);
});

test("on a terminal, a table fits: the longest text is truncated, numbers are right-aligned, wide characters count twice", () => {
  const { terminal, out } = open({ tty: true, columns: 40, env: { ...UTF8, NO_COLOR: "1" } });
  terminal.table(
    ["Name", "Title", "n"],
    [
      ["鳶尾花", "t".repeat(80), 7],
      ["iris", "short", 123],
    ],
  );
  const lines = out().trimEnd().split("\n");
  expect(lines[0]).toMatch(/^Name {4}Title {2,}n$/);
  expect(lines[1]).toMatch(/^鳶尾花 {2}t+… {4}7$/);
  expect(lines[2]).toMatch(/^iris {4}short {2,}123$/);
});

test("messages and errors are broken between words where they are longer than a line, and stay whole in a pipe", () => {
  const message = `error[x]: ${"words that are long ".repeat(8)}end`;
  for (const columns of [80, 40, 20])
    for (const kind of ["error", "note", "warn"] as const) {
      const { terminal, err } = open({ tty: true, columns, env: UTF8 });
      terminal[kind](terminal.noteStyle.red(message));
      const lines = stripVTControlCharacters(err()).trimEnd().split("\n");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      expect(lines.join(" ")).toContain(message);
    }
  const piped = open({ columns: 20 });
  piped.terminal.error(message);
  expect(piped.err()).toBe(`${message}\n`);
});

test("a table that is too narrow cuts messages, never ids, scores and times, and then becomes a block for each row", () => {
  const shown = (columns: number) => {
    const { terminal, out } = open({ tty: true, columns, env: { ...UTF8, NO_COLOR: "1" } });
    terminal.table(
      ["Submission", "Score", "Submitted", "Rank", "Message"],
      [
        [
          "8a7f3kq2m9x4c1dz",
          "0.900",
          "2026-11-23 14:00 UTC+01:00",
          null,
          "a deeper tree and more features than before",
        ],
        ["9a7f3kq2m9x4c1dz", "0.875", "2026-11-23 13:00 UTC+01:00", null, null],
      ],
    );
    return out().trimEnd().split("\n");
  };
  expect(shown(80)[1]).toBe(
    "8a7f3kq2m9x4c1dz  0.900  2026-11-23 14:00 UTC+01:00  a deeper tree and more fea…",
  );
  expect(shown(40)).toEqual([
    "Submission:  8a7f3kq2m9x4c1dz",
    "Score:       0.900",
    "Submitted:   2026-11-23 14:00 UTC+01:00",
    "Message:     a deeper tree and more fea…",
    "",
    "Submission:  9a7f3kq2m9x4c1dz",
    "Score:       0.875",
    "Submitted:   2026-11-23 13:00 UTC+01:00",
  ]);
  expect(shown(20).slice(0, 8)).toEqual([
    "Submission:",
    "  8a7f3kq2m9x4c1dz",
    "Score: 0.900",
    "Submitted:",
    "  2026-11-23 14:00",
    "  UTC+01:00",
    "Message:",
    "  a deeper tree and…",
  ]);
});

test("control characters become visible, wherever they come from", () => {
  expect(plainText("a\u001b[31mb\u0000\u009b\u007f\u202e")).toBe("a\\x1b[31mb\\x00\\x9b\\x7f\\u202e");
  expect(plainText("one\r\ntwo\tthree")).toBe("one\ntwo\tthree");
  expect(plainText("progress\rover")).toBe("progress\\x0dover");
  expect(plainLine("one\ntwo")).toBe("one two");
  expect(plainValue({ a: ["\u0007"], n: 1, z: null })).toEqual({ a: ["\\x07"], n: 1, z: null });
  const { terminal, out, err } = open({ tty: true });
  terminal.answer(`${terminal.style.red("red")} \u001b[2J\u001b]0;t\u0007`);
  terminal.note("\u001b[2Jnote");
  expect(out()).toBe("\u001b[31mred\u001b[39m \\x1b[2J\\x1b]0;t\\x07\n");
  expect(err()).toBe("\\x1b[2Jnote\n");
});

test("JSON keeps its value and cannot control the terminal", () => {
  const { terminal, out } = open({ format: "json" });
  const value = "\u001b\u009b\u007f\u202e\u2028é鳶";
  terminal.json({ value });
  const text = out();
  expect(JSON.parse(text)).toEqual({ schema_version: 1, value });
  for (const control of "\u001b\u009b\u007f\u202e\u2028") expect(text).not.toContain(control);
  expect(terminal.answered).toBe(true);
});

test("--quiet suppresses messages and hints, but not errors and warnings", () => {
  const { terminal, err } = open({ quiet: true });
  terminal.note("talk");
  terminal.next("crowdai x");
  const spinner = terminal.spinner("working");
  spinner.update("still");
  spinner.succeed("done");
  expect(err()).toBe("");
  terminal.warn("odd");
  terminal.error("bad");
  expect(err()).toContain("odd");
});

test("without a terminal, a spinner prints a line at its start and one at its end, and moves no cursor", () => {
  for (const world of [
    {},
    { tty: true, env: { CI: "1", NO_COLOR: "1" } },
    { tty: true, env: { TERM: "dumb" } },
  ]) {
    const { terminal, err } = open(world);
    const spinner = terminal.spinner("working");
    for (let i = 0; i < 100; i++) spinner.update(`step ${i}`);
    spinner.succeed("done");
    spinner.stop();
    expect(err().replace(/^[✔+] /m, "")).toBe("working\ndone\n");
  }
});

test("on a terminal, a spinner spins, is cleared for other messages, and ends with its symbol", async () => {
  const { terminal, stderr, err } = open({ tty: true });
  const seen = new Promise<void>((resolve) =>
    stderr.on("wrote", () => err().includes("second") && resolve()),
  );
  const spinner = terminal.spinner("first");
  spinner.update("second \u001b[2J");
  await seen;
  terminal.note("meanwhile");
  spinner.succeed("done");
  expect(err()).toContain("meanwhile\n");
  expect(err()).toContain("second \\x1b[2J");
  expect(err()).toMatch(/✔\S* done\n$/);
  const before = err();
  terminal.note("after");
  terminal.close();
  expect(err()).toBe(`${before}after\n`);
});

test("times and sizes are formatted for people", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");
  expect(relativeTime("2026-11-23T11:57:00Z", now)).toBe("3 min ago");
  expect(relativeTime("2026-11-23T14:00:00Z", now)).toBe("in 2 h");
  expect(relativeTime("2026-11-30T12:00:00Z", now)).toBe("in 7 days");
  expect(localTime("2026-11-23T12:00:00Z")).toMatch(/^2026-11-2[234] \d\d:\d\d:\d\d$/);
  expect(localTime("whenever")).toBe("whenever");
  expect(timeText("2026-11-23T12:00:00Z", now)).toMatch(
    /^2026-11-2[234] \d\d:\d\d:\d\d UTC([+-]\d\d:\d\d)? \(0 s ago\)$/,
  );
  expect([0, 60, -210, 345].map(zoneName)).toEqual(["UTC", "UTC+01:00", "UTC-03:30", "UTC+05:45"]);
  expect([0, 999, 1000, 4_200_000, 999_950].map(sizeText)).toEqual([
    "0 B",
    "999 B",
    "1 kB",
    "4.2 MB",
    "1 MB",
  ]);
});
