import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * The servers of a Swift on one machine, in the order of their ports: the proxy first, the cache's port after
 * them.
 */
export const SWIFT_SERVERS = ["proxy", "container", "account", "object"] as const;

export const SWIFT_ACCESS_KEY = "test:tester";
export const SWIFT_SECRET_KEY = "testing";
export const SWIFT_REGION = "us-east-1";

/** Writes the configuration and the rings of a Swift with one disk and no replicas below a folder. */
export async function writeSwiftConfig(folder: string, port: number): Promise<void> {
  const conf = join(folder, "conf");
  mkdirSync(join(folder, "dev/disk"), { recursive: true });
  mkdirSync(conf, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(conf, name), text);
  // No worker processes: each server is one process, which a test can kill as a whole.
  const common = `[DEFAULT]
bind_ip = 127.0.0.1
swift_dir = ${conf}
workers = 0
user = ${currentUser()}
log_level = WARNING
`;
  write(
    "swift.conf",
    `[swift-hash]
swift_hash_path_suffix = crowdai
[storage-policy:0]
name = gold
default = yes
`,
  );
  for (const [i, kind] of SWIFT_SERVERS.entries())
    write(
      `${kind}-server.conf`,
      `${common}bind_port = ${port + i}\n${kind === "proxy" ? proxy(port) : storage(folder, kind)}`,
    );
  await makeRings(conf, port);
}

/** A program that runs as root needs an explicit permission. */
export function currentUser(): string {
  return execFileSync("id", ["-un"], { encoding: "utf8" }).trim();
}

const storage = (folder: string, kind: string) => `devices = ${join(folder, "dev")}
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`;

const proxy = (port: number) => `[pipeline:main]
pipeline = catch_errors cache s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:s3api]
use = egg:swift#s3api
location = ${SWIFT_REGION}
max_upload_part_num = 10000
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = ${SWIFT_SECRET_KEY} .admin
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${port + SWIFT_SERVERS.length}
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
`;

// One process for all rings: swift-ring-builder takes nine, and Python is slow to load Swift.
const MAKE_RINGS = `import sys
from swift.common.ring import RingBuilder
for kind, port in zip(sys.argv[1::2], sys.argv[2::2]):
    builder = RingBuilder(6, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "disk", "weight": 1})
    builder.rebalance()
    builder.get_ring().save(kind + ".ring.gz")
`;

async function makeRings(conf: string, port: number): Promise<void> {
  const [, ...kinds] = SWIFT_SERVERS;
  if (kinds.every((kind) => existsSync(join(conf, `${kind}.ring.gz`)))) return;
  const ports = kinds.flatMap((kind, i) => [kind, String(port + i + 1)]);
  // Debian's own Python, which has Debian's packages.
  await run("/usr/bin/python3", ["-c", MAKE_RINGS, ...ports], { cwd: conf });
}
