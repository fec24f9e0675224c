# geodns365, and as the target `resolver` a recursive resolver to ask it through. docker-compose.yml puts them together.

# Debian's unbound with the lab's zones as stub zones at AUTHORITATIVE_SERVER.
FROM node:24-bookworm-slim AS resolver
RUN apt-get update \
  && apt-get install -y --no-install-recommends libcap2-bin unbound \
  && setcap cap_net_bind_service=+ep /usr/sbin/unbound \
  && apt-get purge -y --auto-remove libcap2-bin \
  && rm -rf /var/lib/apt/lists/*
COPY docs/resolvers/unbound-container.conf /etc/unbound/unbound.conf
COPY docs/resolvers/unbound.conf /etc/unbound/geodns365.conf
USER unbound
ENV AUTHORITATIVE_SERVER=10.1.0.53
EXPOSE 53/udp 53/tcp
STOPSIGNAL SIGTERM
# unbound's configuration has no variables: the address is put in on the way to /tmp.
ENTRYPOINT ["sh", "-ec", "sed \"s/stub-addr: .*/stub-addr: $AUTHORITATIVE_SERVER/\" /etc/unbound/geodns365.conf > /tmp/geodns365.conf; exec unbound -d -p"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s \
  CMD ["node", "-e", "const resolver = new dns.Resolver({ timeout: 2000, tries: 2 }); resolver.setServers(['127.0.0.1']); resolver.resolve4('outlook.office365.com', (error) => { if (error) throw error; });"]

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-bookworm-slim AS geodns365
# For a process that is not root, NET_BIND_SERVICE takes effect only if the executable file carries it too. Most engines
# set net.ipv4.ip_unprivileged_port_start=0, which opens port 53 without it, but not with --network host, and some never.
# Here and not in the stage above, because COPY --from loses it in Docker's legacy builder.
RUN apt-get update \
  && apt-get install -y --no-install-recommends libcap2-bin \
  && setcap cap_net_bind_service=+ep /usr/local/bin/node \
  && apt-get purge -y --auto-remove libcap2-bin \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY src src
COPY config config
# What operators say outlives the container where a volume is mounted here.
RUN mkdir -p state node_modules/.cache && chown node:node state node_modules/.cache
USER node
# Compiled modules are kept for this user, in the image, since what a container keeps is lost with it. Serve and ask once.
RUN node src/cli/geodns365.js serve --listen 127.0.0.1:5300 --state none & server=$!; \
  until node src/cli/geodns365.js query outlook.office365.com A --server 127.0.0.1:5300; \
  do kill -0 $server || exit 1; sleep 1; done; \
  kill $server && wait $server
EXPOSE 53/udp 53/tcp
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "src/cli/geodns365.js"]
# Where the container has IPv6: serve --listen 0.0.0.0:53 --listen [::]:53
CMD ["serve", "--listen", "0.0.0.0:53", "--state", "/app/state/state.json"]
# With a configuration that does not have this name: docker run --health-cmd, or healthcheck in docker-compose.yml
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s \
  CMD ["node", "src/cli/geodns365.js", "query", "outlook.office365.com", "A", "--server", "127.0.0.1:53"]
