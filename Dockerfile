# syntax=docker/dockerfile:1
# The broker and the grader in one image: `crowdai-broker start …` or `crowdai-grader start …`. See docs/production.md and compose.yaml.

FROM node:24.11.1-bookworm-slim AS build
WORKDIR /src
COPY . .
# Builds too, by the script "prepare". What only development needs is removed afterwards.
RUN npm ci --no-audit --no-fund && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24.11.1-bookworm-slim
# git: code of submissions. ffmpeg: video and audio. python3: evaluators. bubblewrap: boxes, in a privileged grader only.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap ca-certificates ffmpeg git python3 tini \
  && rm -rf /var/lib/apt/lists/* \
  && groupadd --system --gid 10001 crowdai \
  && useradd --system --uid 10001 --gid crowdai --home-dir /var/lib/crowdai --shell /usr/sbin/nologin crowdai \
  && install -d -o crowdai -g crowdai -m 0750 /var/lib/crowdai /srv/crowdai /srv/crowdai/challenges
ENV NODE_ENV=production
COPY --from=build /src/node_modules /opt/crowdai/node_modules
COPY --from=build /src/broker/package.json /opt/crowdai/broker/
COPY --from=build /src/broker/bin /opt/crowdai/broker/bin
COPY --from=build /src/broker/dist /opt/crowdai/broker/dist
COPY --from=build /src/grader/package.json /opt/crowdai/grader/
COPY --from=build /src/grader/bin /opt/crowdai/grader/bin
COPY --from=build /src/grader/dist /opt/crowdai/grader/dist
RUN ln -s /opt/crowdai/broker/bin/crowdai-broker.js /usr/local/bin/crowdai-broker \
  && ln -s /opt/crowdai/grader/bin/crowdai-grader.js /usr/local/bin/crowdai-grader
USER crowdai
WORKDIR /srv/crowdai
VOLUME /var/lib/crowdai
EXPOSE 8420
STOPSIGNAL SIGTERM
# A grader has no port, and needs no check: compose.yaml turns it off there.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8420/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# tini collects the processes that evaluators leave behind.
ENTRYPOINT ["tini", "--"]
CMD ["crowdai-broker", "start", "--host", "0.0.0.0", "--data", "/var/lib/crowdai", "--challenges", "challenges", "--with-grader"]
