import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { temporaryFolder } from "../testing/challenge.ts";
import { createLineDialogue } from "./line-dialogue.ts";

async function open(feed: "all" | "one", lines = "1\n2\n3\n") {
  const folder = await temporaryFolder();
  const [input, answers] = [join(folder, "input"), join(folder, "answers")];
  await writeFile(input, lines);
  const dialogue = await createLineDialogue({ input, feed, answers, maxBytes: 100 });
  let stopped = false;
  const stdin = new PassThrough();
  return {
    dialogue,
    isStopped: () => stopped,
    begin: () =>
      dialogue.begin(stdin, () => {
        stopped = true;
      }),
    print: (text: string) => dialogue.onStdout(Buffer.from(text)),
    answers: () => readFile(answers, "utf8"),
  };
}

it.each<["all" | "one", string, string]>([
  ["all", "Loading\n", "printed a line 1 that is not valid JSON"],
  ["one", "Loading\n", "printed a line 1 that is not valid JSON"],
  ["all", "1\n2\n3\n4\n", "printed more lines than it was given (3)"],
  ["one", "1\n2\n", "printed more lines than it was given (1)"],
])(
  "with %s, what is printed before the first line is written is judged alike: %j",
  async (feed, text, what) => {
    const { dialogue, begin, print, isStopped } = await open(feed);
    begin();
    print(text);
    await dialogue.finish();
    expect(dialogue.refused()?.what).toBe(what);
    expect(isStopped()).toBe(true);
  },
);

it.each<["all" | "one", string]>([
  ["all", "1\n2\n3\n"],
  ["one", "1\n"],
])("with %s, answers may come before the first line is written: %j", async (feed, text) => {
  const { dialogue, begin, print, answers } = await open(feed);
  begin();
  print(text);
  await dialogue.finish();
  expect(dialogue.refused()).toBeNull();
  expect(dialogue.count()).toEqual({ answered: text.length / 2, total: 3 });
  expect(await answers()).toBe(text);
});

it("allows no answer when there is no line", async () => {
  const { dialogue, begin, print } = await open("one", "\n \n");
  begin();
  print("1\n");
  await dialogue.finish();
  expect(dialogue.refused()?.what).toBe("printed more lines than it was given (0)");
});

it("opens no file for a box that never starts", async () => {
  const { answers } = await open("all");
  await expect(answers()).rejects.toThrow("ENOENT");
});

it("leaves an empty file where nothing was answered", async () => {
  const { dialogue, begin, answers } = await open("all");
  begin();
  await dialogue.finish();
  expect(await answers()).toBe("");
});
