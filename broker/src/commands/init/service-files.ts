/** Where systemd keeps the records and objects: StateDirectory=crowdai. */
export const DATA = "/var/lib/crowdai";

/** A path as a value of a unit file, in which % starts a specifier. */
const unitPath = (path: string) => path.replaceAll("%", "%%");

/** Returns the unit of the broker, with a grader inside it. */
export function brokerService(folder: string): string {
  return `# systemd service of the broker of ${folder}. To install it:
#   useradd --system --home-dir ${DATA} --shell /usr/sbin/nologin crowdai
#   cp ${folder}/systemd/crowdai-broker.service /etc/systemd/system/
#   systemctl daemon-reload && systemctl enable --now crowdai-broker
# CHANGE: the two paths that begin with ${folder}, if you move the folder.

[Unit]
Description=crowdAI broker
Documentation=https://github.com/crowdAI/crowdai/blob/HEAD/docs/operating.md
Wants=network-online.target
After=network-online.target postgresql.service redis-server.service

[Service]
Type=exec
User=crowdai
Group=crowdai
WorkingDirectory=${unitPath(folder)}
EnvironmentFile=${unitPath(folder)}/crowdai.env
# The broker answers on this machine only; the proxy makes it public.
# Remove --with-grader when crowdai-grader.service grades, or when a challenge runs participants' code.
ExecStart=/usr/bin/env node node_modules/@crowdai/broker/bin/crowdai-broker.js start --host 127.0.0.1 --port 8420 --data ${DATA} --challenges challenges --with-grader
# Where node is. CHANGE it when node is elsewhere (\`command -v node\`).
Environment=PATH=/usr/local/bin:/usr/bin:/bin

# A stop ends sessions, and gives running jobs ten seconds; what is unfinished is graded after the next start.
# Only the broker gets the signal: it stops its evaluators by itself.
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec=30
Restart=always
RestartSec=5

# Records, objects and code: ${DATA}.
StateDirectory=crowdai
StateDirectoryMode=0700
UMask=0077
LimitNOFILE=65536

# The rest of the machine is read-only, or hidden.
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectControlGroups=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`;
}

/** Returns the unit of a grader in a process of its own, whose boxes need root and control groups. */
export function graderService(folder: string): string {
  return `# systemd service of a grader of ${folder}, for challenges that run participants' code in a box, and for more
# graders than the one in the broker. It needs REDIS_URL and S3_BUCKET in crowdai.env (the broker could not read what
# root stores in its data folder), and for boxes: apt-get install bubblewrap. To install it:
#   cp ${folder}/systemd/crowdai-grader.service /etc/systemd/system/
#   systemctl daemon-reload && systemctl enable --now crowdai-grader
# CHANGE: the two paths that begin with ${folder}, if you move the folder.

[Unit]
Description=crowdAI grader
Documentation=https://github.com/crowdAI/crowdai/blob/HEAD/docs/sandbox.md
Wants=network-online.target
After=network-online.target redis-server.service crowdai-broker.service

[Service]
Type=exec
# Boxes are made by root; what runs in one has a user of its own. Without boxes, use User=crowdai: that one can share
# the data folder, without S3_BUCKET.
User=root
WorkingDirectory=${unitPath(folder)}
EnvironmentFile=${unitPath(folder)}/crowdai.env
# --concurrency: jobs at the same time; one per core without it.
ExecStart=/usr/bin/env node node_modules/@crowdai/grader/bin/crowdai-grader.js start --challenges challenges --data ${DATA}
Environment=PATH=/usr/local/bin:/usr/bin:/bin

# A stop gives running jobs one second (--grace) and returns the rest to the queue.
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec=30
Restart=always
RestartSec=5

# The control groups below this service belong to the grader, which limits each box by one of them.
Delegate=yes
# The programs in boxes have other users, which read what the grader writes for them. Its folders are closed to them.
UMask=0022
LimitNOFILE=65536

# As much as boxes allow. Options that hide or replace parts of /proc and /sys, such as ProtectKernelTunables=,
# ProtectKernelLogs=, ProtectControlGroups= and ProtectProc=, and RestrictNamespaces=, would prevent them.
ProtectSystem=full
ProtectHome=read-only
PrivateTmp=yes
NoNewPrivileges=yes
RestrictRealtime=yes
CapabilityBoundingSet=~CAP_SYS_BOOT CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_TIME

[Install]
WantedBy=multi-user.target
`;
}
