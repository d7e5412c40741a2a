/**
 * Returns the environment file: each variable that an operator may set, with what it does. Most are comments.
 */
export function environmentFile(publicUrl: string | null): string {
  const address = publicUrl ?? "https://crowdai.example.org";
  return `# The settings of crowdai-broker and crowdai-grader: NAME=value, without spaces around "=".
# The services read this file (EnvironmentFile=). A broker that you start by hand reads it with
#   set -a; . ./crowdai.env; set +a
# It may hold passwords and tokens: no one else should read it. A change needs a restart.

# CHANGE THIS: the address at which clients reach the broker. Links and signed addresses begin with it.
${publicUrl ? "" : "#"}PUBLIC_URL=${address}

# The proxies whose X-Forwarded-For header is believed: addresses or networks, separated by commas.
TRUSTED_PROXIES=127.0.0.1

# silent, error, warn, info or debug. Logs are lines of JSON on standard error.
LOG_LEVEL=info

# The token that a reader of /metrics must send. Without it, only this machine reads them.
#METRICS_TOKEN=

# PostgreSQL for the records, instead of a SQLite file in the data folder.
#DATABASE_URL=postgres://crowdai:password@127.0.0.1/crowdai

# Redis for the queue, instead of one inside the broker. Graders outside of the broker need it.
#REDIS_URL=redis://127.0.0.1:6379

# An S3 bucket for submissions, media and challenges, instead of a folder. Graders on other machines need it.
# S3_ENDPOINT: for stores other than Amazon's. S3_FORCE_PATH_STYLE: for stores with the bucket in the path.
# AWS_SESSION_TOKEN: for temporary keys. Participants' uploads go to the store: they must reach its address.
#S3_BUCKET=
#S3_ENDPOINT=
#S3_REGION=us-east-1
#S3_FORCE_PATH_STYLE=true
#AWS_ACCESS_KEY_ID=
#AWS_SECRET_ACCESS_KEY=
#AWS_SESSION_TOKEN=

# The boxes of the grader for challenges that run code: bubblewrap, oci:runc or oci:runsc.
#CROWDAI_SANDBOX=bubblewrap

# Hosts of webhooks that may have private addresses and http://, separated by commas.
#WEBHOOK_HOSTS=

# CI systems whose jobs may submit without a key ("none" for none), and the seconds that their session lasts.
#CI_ISSUERS=github,gitlab
#CI_SESSION_SECONDS=900

# Where published code goes: local, github or gitlab, with the settings of that host.
#CODE_HOST=local
#GITHUB_ORG=
#GITHUB_TOKEN=
#GITHUB_API_URL=https://api.github.com
#GITLAB_GROUP=
#GITLAB_TOKEN=
#GITLAB_URL=https://gitlab.com

# off: refuses clients of the first crowdAI.
#LEGACY_CLIENTS=on

# A webapp that holds the participants, and the key of this broker there.
#WEBAPP_URL=
#WEBAPP_TOKEN=
`;
}
