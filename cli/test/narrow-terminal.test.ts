import { fileURLToPath } from "node:url";
import { expect, it, vi } from "vitest";
import { missing } from "../../test/required-programs.ts";
import { useCommandLine } from "./command-line.ts";
import { startInTerminal } from "./tmux-terminal.ts";

const BIN = fileURLToPath(new URL("../src/bin.ts", import.meta.url));
const cli = useCommandLine();

it.skipIf(missing("tmux"))(
  "on 40 columns, one line shows the progress and leaves nothing behind",
  async () => {
    cli.broker.grader = null;
    const id = (await cli.run(["submit", "--json", "[1]", "-c", "iris", "--no-wait"])).stdout.trim();
    await using person = await startInTerminal([process.execPath, BIN, "watch", id], {
      cwd: cli.folder,
      columns: 40,
      env: { CROWDAI_BROKER: cli.broker.url, CROWDAI_API_KEY: cli.broker.key, HOME: cli.folder },
    });
    const lines = (screen: string) => screen.trimEnd().split("\n");
    await person.see("Waiting for a grader");
    // Before that, a place would reach no connection.
    await vi.waitUntil(() => cli.broker.received.some(({ what }) => what === "watch"), { timeout: 20_000 });
    cli.broker.place(id, 3, null, { expected_at: new Date(Date.now() + 600_000).toISOString(), graders: 2 });
    expect(lines(await person.see("Position 3, starts in 10 min, 2 grad…"))).toHaveLength(1);
    await cli.broker.stop();
    expect(lines(await person.see("Connection lost, trying again."))).toHaveLength(1);
    await cli.broker.start();
    await person.see("Connected again");
    cli.broker.finish(id, { state: "graded", score: 0.5 });
    const [connected, ...rest] = lines(await person.see("exit code 0"));
    expect(connected).toMatch(/^Connected again after \d+ s\.$/);
    expect(rest[0]).toMatch(/^Accuracy: 0\.500$/);
    expect(rest.join()).not.toContain("Waiting");
  },
);
