# Tocsin as docker-compose.yml runs it: the history is on a ClickHouse server, so the embedded engine (550 MB) is left out.
# `--build-arg EMBEDDED_HISTORY=yes` keeps it, for one process on its own.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
ARG EMBEDDED_HISTORY=no
WORKDIR /build
COPY package.json package-lock.json ./
# Native parts come built; no package has to run a script.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund
RUN if [ "${EMBEDDED_HISTORY}" != yes ]; then rm -rf node_modules/chdb node_modules/@chdb; fi
# Fails here, and not at three in the morning, where a native part is missing.
RUN node bin/tocsin.js --version && node --input-type=module -e "await import('lmdb'); await import('msgpackr-extract')"

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Tocsin" \
      org.opencontainers.image.description="Real-time alert correlation and triage" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/package.json /build/LICENSE /build/CHANGELOG.md ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/bin bin
COPY --from=build /build/models/alert-stream models/alert-stream
COPY --from=build /build/src/history/migrations src/history/migrations
COPY --from=build /build/src/template/default.tmpl /build/src/template/email.tmpl /build/src/template/later.tmpl src/template/
COPY --from=build /build/dist dist
# The one folder that is written: a lock, and rows that wait while ClickHouse is away.
RUN install -d -o node -g node -m 0750 /var/lib/tocsin
USER node
VOLUME /var/lib/tocsin
EXPOSE 9093
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9093/-/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/bin/tocsin.js"]
CMD ["serve", "--config", "/etc/tocsin/tocsin.yml", "--data", "/var/lib/tocsin"]
