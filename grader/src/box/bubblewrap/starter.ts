/** Numbers of the system calls that the starter makes, in the order in which it takes them. */
const CALLS = {
  //    unshare, mount, mknodat, prlimit64, setgroups, setresgid, setresuid, prctl
  x64: [272, 165, 259, 302, 116, 119, 117, 157],
  arm64: [97, 40, 33, 261, 159, 149, 147, 167],
};

/** Numbers of the kernel's limits of a process. */
const LIMITS = {
  fileBytes: 1,
  coreBytes: 4,
  processes: 6,
  openFiles: 7,
  lockedBytes: 8,
  pendingSignals: 11,
  queueBytes: 12,
  nice: 13,
  realTime: 14,
} as const;

export type ProcessLimits = Readonly<Record<keyof typeof LIMITS, number>>;

const MS_RDONLY = 1;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_MOVE = 8192;
export const FLAGS = {
  none: 0,
  readOnly: MS_RDONLY,
  nowReadOnly: MS_REMOUNT | MS_RDONLY,
  bind: MS_BIND,
  move: MS_MOVE,
} as const;

/**
 * Types of what is made instead of a mount: a symbolic link, an empty file, and a character device,
 * whose source is its number.
 */
export const MADE = { link: "link", file: "file", device: "device" } as const;

/** Digits of the length of a plan, which come before it. */
const LENGTH_DIGITS = 8;

/** Descriptors that a starter inherits, and bubblewrap from it. */
export const DESCRIPTORS = { requests: 3, output: 4, arguments: 5, filter: 6 } as const;

/** A mount; its target is made when it does not exist. */
export interface Mount {
  type: string;
  source: string;
  target: string;
  flags: number;
  data: string;
}

/**
 * Becomes a box's first process on this machine, in one small program in Perl: a chain of programs, one for
 * each step, takes twice as long. It joins the control groups and waits for a plan. Then it makes the box's
 * mounts in a namespace of its own, where they end with the box, limits itself, becomes the box's user, and
 * becomes the program of the plan, whose options follow the plan on the same descriptor. At any time, it ends
 * with the grader.
 */
const STARTER = `
use strict;
$^F = 255;
my ($unshare, $mount, $mknod, $limit, $setgroups, $setgid, $setuid, $prctl, $parent) = map { $_ + 0 } splice @ARGV, 0, 9;
umask 0;
sub section { my @items; while (@ARGV) { my $item = shift @ARGV; last if $item eq "--"; push @items, $item; } return @items; }
sub check { my ($what, $result) = @_; return if $result == 0; print STDERR "$what: $!\\n"; exit 125; }
sub receive { my ($size) = @_; my $bytes = ""; while (length $bytes < $size) { sysread(PLAN, $bytes, $size - length $bytes, length $bytes) or exit 125; } return $bytes; }
sub end_with_grader { check("prctl", syscall($prctl, 1, 9, 0, 0, 0)); exit 125 if getppid() != $parent; }
end_with_grader();
for my $file (@ARGV) {
  open(my $group, ">", $file) or check($file, -1);
  syswrite($group, $$) or check($file, -1);
}
open(PLAN, "<&=", ${DESCRIPTORS.arguments}) or check("plan", -1);
@ARGV = split /\\0/, receive(receive(${LENGTH_DIGITS}) + 0), -1;
my $user = shift(@ARGV) + 0;
my @limits = section();
my @mounts = section();
check("unshare", syscall($unshare, 0x20000));
my ($none, $root) = ("none", "/");
check("mount /", syscall($mount, $none, $root, 0, 0x44000, 0));
while (my ($type, $source, $target, $flags, $data) = splice @mounts, 0, 5) {
  if ($type eq "link") { symlink($source, $target) or check($target, -1); next; }
  if ($type eq "file") { open(my $empty, ">", $target) or check($target, -1); next; }
  if ($type eq "device") { check($target, syscall($mknod, -100, $target, 020666, $source + 0)); next; }
  mkdir $target, 0755 unless -e $target;
  check("mount $target", syscall($mount, $source, $target, $type, $flags + 0, $data));
}
chdir "/" or check("chdir", -1);
while (my ($resource, $value) = splice @limits, 0, 2) {
  my $pair = pack("QQ", $value, $value);
  check("limit $resource", syscall($limit, 0, $resource + 0, $pair, 0));
}
check("setgroups", syscall($setgroups, 0, 0));
check("setresgid", syscall($setgid, $user, $user, $user));
check("setresuid", syscall($setuid, $user, $user, $user));
# A new user takes it back.
end_with_grader();
exec { $ARGV[0] } @ARGV or check($ARGV[0], -1);
`;

/**
 * Returns the arguments of Perl for a starter that joins groups. They can be read on this machine, but not in
 * the box.
 */
export function starterArguments(joinFiles: readonly string[], arch: string = process.arch): string[] {
  const numbers = [...CALLS[arch as keyof typeof CALLS], process.pid].map(String);
  return ["-e", STARTER, "--", ...numbers, ...joinFiles];
}

/** Returns the plan that a starter waits for. */
export function starterPlan(options: {
  user: number;
  mounts: readonly Mount[];
  limits: ProcessLimits;
  command: readonly string[];
}): Buffer {
  const { user, mounts, limits, command } = options;
  const numbered = Object.entries(limits).flatMap(([name, value]) => [
    String(LIMITS[name as keyof typeof LIMITS]),
    String(value),
  ]);
  const fields = [
    ...[String(user), ...numbered, "--"],
    ...mounts.flatMap(({ type, source, target, flags, data }) => [type, source, target, String(flags), data]),
    ...["--", ...command],
  ];
  if (fields.some((field) => field.includes("\0")))
    throw new Error("A box's command cannot have null bytes.");
  const plan = Buffer.from(fields.join("\0"));
  return Buffer.concat([Buffer.from(String(plan.length).padStart(LENGTH_DIGITS, "0")), plan]);
}
