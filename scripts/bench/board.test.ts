import { expect, it } from "vitest";
import { missing } from "../../test/required-programs.ts";
import { measureBoard } from "./board.ts";

it.skipIf(missing("postgres", "setpriv"))(
  "the bench of the board measures grades and pages on both databases",
  async () => {
    const figures = await measureBoard({ participants: 300, submissions: 1000, samples: 5 });
    expect(figures.map(({ name }) => name)).toEqual(
      ["SQLite", "PostgreSQL"].flatMap((database) =>
        [
          "new grade moves the board",
          "first page of the board",
          "a page in the middle",
          "its last page",
        ].flatMap((what) => [`${database}: ${what}, median`, `${database}: ${what}, p99`]),
      ),
    );
    for (const { value } of figures) expect(value).toBeGreaterThan(0);
  },
  120_000,
);
