import { describe, expect, it } from "vitest";
import { findLongLines } from "./line-width.ts";

const LONG = `${"word ".repeat(25)}end.`;

describe("the check of the width of lines", () => {
  it("names the file, the line and its width", () => {
    expect(findLongLines("docs/a.md", `Short.\n\n${LONG}`)).toEqual(["docs/a.md:3: 129 columns"]);
    expect(findLongLines("a.ts", `const a = 1;\n// ${LONG}`)).toEqual(["a.ts:2: 132 columns"]);
  });

  it("looks at every paragraph, list and comment", () => {
    expect(findLongLines("a.md", [LONG, `- ${LONG}`, `  ${LONG}`, `1. ${LONG}`].join("\n"))).toHaveLength(4);
    const source = [`/** ${LONG} */`, "/**", ` * ${LONG}`, " *", ` * @throws ${LONG}`, " */", `  // ${LONG}`];
    expect(findLongLines("a.tsx", source.join("\n"))).toHaveLength(4);
  });

  it("leaves alone what cannot be broken", () => {
    const markdown = [
      ...[`| ${LONG} |`, `# ${LONG}`, `![${LONG}](a.png)`, "```", LONG, "```", `    ${LONG}`],
      `- https://example.org/${"a".repeat(120)} and more`,
    ];
    expect(findLongLines("a.md", markdown.join("\n"))).toEqual([]);
    const source = [
      ...["/**", " * Does.", " *", " * @example", ` * ${LONG}`, " */", `// biome-ignore lint/a/b: ${LONG}`],
      ...[`//   npm test ${LONG}`, `const text = "${LONG}";`, ` * ${LONG}`],
    ];
    expect(findLongLines("a.ts", source.join("\n"))).toEqual([]);
  });
});
