import { describe, expect, it } from "vitest";
import { htmlToMarkdown } from "./html-to-markdown.ts";

describe("HTML as Markdown", () => {
  it.each([
    [
      "<h1>Rules</h1><p>Be <b>fair</b> &amp; <i>kind</i>.</p><p>Two",
      "### Rules\n\nBe **fair** & *kind*.\n\nTwo",
    ],
    ["<ul><li>one<li>two<ul><li>deep</ul></ul>after", "- one\n- two\n\n  - deep\n\nafter"],
    ["<ol><li>a</li><li>b</li></ol>", "1. a\n1. b"],
    ["<table><tr><th>a<th>b|c<tr><td>1<td></table>", "| a | b\\|c |\n| --- | --- |\n| 1 |  |"],
    ["<pre>a  *b*\n  c</pre>", "```\na  *b*\n  c\n```"],
    ["use <code>a_b`c</code>", "use ``a_b`c``"],
    [
      '<a href="https://e.org/a (b)">x</a> <a href="javascript:alert(1)">y</a>',
      "[x](https://e.org/a%20%28b%29) y",
    ],
    ["2 * 3 * 4 [x] <y> a_b", "2 \\* 3 \\* 4 \\[x\\]  a\\_b"],
    ["<script>alert('</p>')</script><style>p{}</style>a<!-- b -->c", "ac"],
    ["a<br>b<hr>", "a  \nb\n\n---"],
    ["&uuml;&#252;&#xfc;&bogus;&#0;", "üüü&bogus;"],
    ["x &isin; A &cup; B, &alpha; &minus; &Omega;", "x ∈ A ∪ B, α − Ω"],
    ['<img src="https://e.org/a.png" alt="A"><img src="b.png">', "![A](https://e.org/a.png)"],
    ["</p></div><b>", ""],
    ["# no heading", "\\# no heading"],
  ])("%j", (html, markdown) => {
    expect(htmlToMarkdown(html)).toBe(markdown);
  });

  it("takes a short time for a page that is made to take a long one", () => {
    for (const part of ["<", "<a ", '<a "', "<div>", "&", "<a href='", "<!-"]) {
      const began = process.cpuUsage();
      htmlToMarkdown(`${part.repeat(60_000 / part.length)}>`);
      expect(process.cpuUsage(began).user, part).toBeLessThan(2e6);
    }
  });
});
