/**
 * Reads a file of the runner of GitHub Actions as the runner does: `name=value`, or `name<<delimiter` and
 * lines.
 */
export function parseOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const [, name, delimiter] = /^([^=<]+)<<(.+)$/.exec(line) ?? [];
    if (name && delimiter) {
      const value: string[] = [];
      while (lines[++i] !== delimiter) {
        if (i >= lines.length) throw new Error(`Matching delimiter not found '${delimiter}'`);
        value.push(lines[i]!);
      }
      outputs[name] = value.join("\n");
    } else if (line.includes("="))
      outputs[line.slice(0, line.indexOf("="))] = line.slice(line.indexOf("=") + 1);
    else if (line !== "") throw new Error(`Invalid format '${line}'`);
  }
  return outputs;
}
