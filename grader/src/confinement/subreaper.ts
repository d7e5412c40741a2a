import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Confinement } from "./confinement.ts";
import { descendantsOf, killEach, memoryOf } from "./process-tree.ts";

const PRCTL: Partial<Record<NodeJS.Architecture, number>> = { x64: 157, arm64: 167 };

/**
 * A small parent of the evaluator. As the subreaper of all its descendants it inherits those whose own parent
 * exits, whatever session they are in, so that they can be found and killed. It exits as the evaluator did,
 * when all are gone.
 */
const PARENT = `
use strict;
my $prctl = shift @ARGV;
syscall($prctl, 36, 1, 0, 0, 0) == 0 or exit 125;
exit 0 unless @ARGV;
syscall($prctl, 1, 9, 0, 0, 0);
$SIG{TERM} = sub {};
my $child = fork;
exit 125 unless defined $child;
if (!$child) { $SIG{TERM} = "DEFAULT"; exec { $ARGV[0] } @ARGV; exit 127; }
my $status = 0;
for (;;) {
  my $pid = waitpid(-1, 0);
  if ($pid == $child) { $status = $?; last; }
  last if $pid == -1 && !$!{EINTR};
}
close STDIN; close STDOUT; close STDERR;
for (;;) {
  my @left;
  for my $stat (glob("/proc/[0-9]*/stat")) {
    open(my $file, "<", $stat) or next;
    my $text = join("", <$file>) // "";
    push @left, $1 if $text =~ /^(\\d+) .*\\) \\S (\\d+) /s && $2 == $$;
  }
  kill 9, @left;
  last if waitpid(-1, 0) == -1 && !$!{EINTR};
}
if (my $signal = $status & 127) { $SIG{TERM} = "DEFAULT"; kill $signal, $$; sleep 1; }
exit($status >> 8);
`;
const RETRY_MS = 10;
const MAX_RETRIES = 300;

/** Confines evaluators below a subreaper in Perl. Null without Perl, and on systems other than Linux. */
export async function openSubreaper(path: string): Promise<Confinement | null> {
  const prctl = PRCTL[process.arch];
  if (process.platform !== "linux" || prctl === undefined) return null;
  const parent = ["perl", "-MErrno", "-e", PARENT, String(prctl)] as const;
  const works = await promisify(execFile)(parent[0], parent.slice(1), { env: { PATH: path } }).then(
    () => true,
    () => false,
  );
  return works ? { name: "a subreaper", start: (memoryBytes) => confineTree(parent, memoryBytes) } : null;
}

/** Confines an evaluator to what can be found from its process: its descendants and its session. */
export const processTrees: Confinement = {
  name: "process groups",
  start: (memoryBytes) => confineTree([], memoryBytes),
};

function confineTree(prefix: readonly string[], memoryBytes: number | null) {
  let root: number | undefined;
  const members = () => (root === undefined ? [] : descendantsOf(root));
  // The parent exits by itself, after its descendants.
  const all = () => (root === undefined || prefix.length > 0 ? members() : [root, ...members()]);
  return {
    prefix,
    attach(pid: number) {
      root = pid;
    },
    kill: () => killEach(all()),
    exceedsMemory: () => memoryBytes !== null && memoryOf(all()) > memoryBytes,
    async close() {
      for (let retry = 0; retry < MAX_RETRIES && members().length > 0; retry++) {
        killEach(members());
        await sleep(RETRY_MS);
      }
    },
  };
}
