/** `geodns365 resolver-config`: what a resolver is told so that it asks here for all that is served. */

import type { Settings } from "../config/configuration.ts";
import { type Endpoint, formatEndpoint } from "../ip.ts";
import { pointedNames } from "../pointing.ts";
import { needsWholeAnswers, type ResolverFormat, resolverConfig } from "../resolver-config.ts";
import { isWildcard } from "../transport/addresses.ts";
import { EXIT, misuse } from "./exit.ts";
import { loadForCommand } from "./load.ts";

export interface ResolverConfigOptions {
  readonly format: ResolverFormat;
  /** where resolvers reach the server; its first listener where absent */
  readonly server?: Endpoint;
  readonly config: string;
}

export async function resolverConfigCommand({
  format,
  server: told,
  config,
}: ResolverConfigOptions): Promise<number> {
  const snapshot = await loadForCommand(config, { kind: "none" });
  if (snapshot === undefined) return EXIT.foundWrong;
  const { settings } = snapshot.configuration;
  const server = told ?? firstListener(settings);
  if (typeof server === "string") return misuse(server);
  const names = pointedNames(snapshot.configuration);
  if (names.length === 0) return misuse("the configuration serves no name");
  const lines = resolverConfig(format, { server, names });
  if (typeof lines === "string") return misuse(lines);
  if (settings.answer === "first-cname" && needsWholeAnswers.has(format)) {
    console.error(`warning: ${format} needs whole answers: set server.answer to full`);
  }
  console.log(lines.join("\n"));
  return EXIT.good;
}

/** The first listener that stands for no other place, if an address and a port are known of it. */
function firstListener({ listen }: Settings): Endpoint | string {
  const first = listen.find(({ vantage }) => vantage === undefined) ?? listen[0];
  if (first === undefined)
    return "the configuration has no listener: say with --server where resolvers reach it";
  return isWildcard(first) || first.port === 0
    ? `${formatEndpoint(first)} is no address to ask: say with --server where resolvers reach it`
    : first;
}
