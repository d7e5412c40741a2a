import { describe, expect, it } from "vitest";
import { findBannedWords } from "./banned-words.ts";

describe("the check of banned words", () => {
  it("names the file, the line, the word and what to write instead", () => {
    const text = "A line.\nThe job is graded anew.";
    expect(findBannedWords("docs/a.md", text)).toEqual(['docs/a.md:2: "anew": write again, re-']);
  });

  it("reports each word of a line", () => {
    expect(findBannedWords("a.ts", "// Nobody was told of its behaviour.")).toHaveLength(3);
  });

  it("refuses comments that begin with a relative clause", () => {
    const text =
      "/** What a job needs. */\n  // What is left stays.\n/** The same by name. */\n// The same job again.";
    expect(findBannedWords("a.ts", text)).toHaveLength(3);
  });

  it("accepts what is plain English", () => {
    const text = [
      "There is no key.",
      "It is no longer there.",
      "The organizer was asked.",
      "a file name a line",
    ];
    expect(findBannedWords("a.ts", text.join("\n"))).toEqual([]);
  });

  it("accepts fields and columns whose names are contracts", () => {
    const text = ["licence: z.string(),", 'eb.ref("licence_texts.digest")', 'from("publish_wishes")'];
    expect(findBannedWords("a.ts", text.join("\n"))).toEqual([]);
  });
});
