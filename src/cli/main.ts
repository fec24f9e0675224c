/** The command line: which commands and flags there are. Exit codes: 0 good, 1 found wrong, 2 misuse. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { parseType } from "../dns/iana.ts";
import { parseName } from "../dns/name.ts";
import { type AddressFamily, type Endpoint, type IpPrefix, parseEndpoint, parsePrefix } from "../ip.ts";
import { auditCommand } from "./audit.ts";
import { check } from "./check.ts";
import { EXIT } from "./exit.ts";
import { explainCommand } from "./explain.ts";
import { locateCommand } from "./locate.ts";
import { query } from "./query.ts";
import { type ListenArgument, serve } from "./serve.ts";
import { zoneCommand } from "./zone.ts";

const root = join(import.meta.dirname, "../..");

export async function main(argv: readonly string[]): Promise<void> {
  try {
    await buildProgram().parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.good : EXIT.misuse;
  }
}

function buildProgram(): Command {
  const program = new Command("geodns365")
    .description("An authoritative GeoDNS server that gives a lab the answers Office 365 gives the world")
    .version(version(), "--version", "print the version")
    .helpOption("--help", "print this help")
    .helpCommand(false)
    .showSuggestionAfterError(true)
    // One line an error, whatever hint comes with it.
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replace(/\s*\n\s*/g, " ")}\n`) })
    .exitOverride();
  const config = () =>
    new Option("--config <file>", "the configuration").default(
      join(root, "config/geodns365.yaml"),
      "config/geodns365.yaml",
    );

  program
    .command("serve")
    .description("answer DNS queries over UDP and TCP")
    .addOption(config())
    .addOption(
      new Option(
        "--listen <addr:port...>",
        "where to listen, instead of all that the configuration says; ADDR:PORT=VANTAGE stands for a network or prefix",
      )
        .argParser(collect(listener))
        .default([], "server.listen of the configuration"),
    )
    .action(async (options) => exitWith(await serve(options)));

  program
    .command("check")
    .description("check a configuration and print every error with its place")
    .addOption(config())
    .action(async (options) => exitWith(await check(options)));

  program
    .command("explain")
    .description("say why a name has the answer it has from one place")
    .argument("<name>", "the name asked for", domain)
    .addArgument(typeArgument())
    .requiredOption("--from <prefix|network>", "what counts: a client subnet, or the name of a network")
    .option("--tenant <tenant>", "the tenant, or its satellite, whose datacenter a second hop goes to")
    .addOption(config())
    .option("--json", "print JSON")
    .action(async (qname, qtype, options) =>
      exitWith(await explainCommand({ json: false, ...options, qname, qtype })),
    );

  program
    .command("audit")
    .description("show which prefixes get which datacenters, and prove that every scope is exact")
    .addArgument(
      new Argument("[name]", "the name; all that are tailored by place if not given").argParser(domain),
    )
    .addOption(config())
    .option("--diff <file>", "show what moves when this configuration takes the place of the other")
    .addOption(new Option("--family <4|6>", "one address family alone").argParser(addressFamily))
    .option("--cells", "print each prefix with its list")
    .option("--json", "print JSON")
    .action(async (qname, options) =>
      exitWith(await auditCommand({ json: false, cells: false, ...options, qname })),
    );

  program
    .command("locate")
    .description("say where an address, a prefix or a network is, and which datacenters are nearest to it")
    .argument("<address|prefix|network>", "what to locate")
    .addOption(config())
    .option("--json", "print JSON")
    .action(async (what, options) => exitWith(await locateCommand({ json: false, ...options, what })));

  program
    .command("zone")
    .description("print a zone as it is seen from one place, as a master file with tailored names expanded")
    .argument("<zone>", "its apex", domain)
    .option(
      "--from <prefix|network>",
      "the address that asks, or the name of a network; this machine if not given",
    )
    .addOption(config())
    .action(async (apex, options) => exitWith(await zoneCommand({ ...options, apex })));

  program
    .command("query")
    .description("ask a server and print its response; exit code 0 for NOERROR, 1 for anything else")
    .argument("<name>", "the name asked for", domain)
    .addArgument(typeArgument())
    .addOption(
      new Option("--server <addr:port>", "the server")
        .argParser(endpoint)
        .default(endpoint("127.0.0.1:5300"), "127.0.0.1:5300"),
    )
    .option("--subnet <prefix>", "the client subnet to send", prefix)
    .option("--tcp", "ask over TCP")
    .action(async (qname, qtype, options) => exitWith(await query({ tcp: false, ...options, qname, qtype })));

  for (const command of program.commands)
    command.helpOption("--help", "print this help").allowExcessArguments(false);
  return program;
}

const typeArgument = (): Argument =>
  new Argument("[type]", "the type asked for").argParser(recordType).default(recordType("A"), "A");

function exitWith(code: number): void {
  process.exitCode = code;
}

function version(): string {
  const { version: text }: { readonly version: string } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  return text;
}

const collect =
  <T>(parse: (text: string) => T) =>
  (text: string, before: readonly T[]): readonly T[] => [...before, parse(text)];

function accepted<T>(outcome: T | string): T {
  if (typeof outcome === "string") throw new InvalidArgumentError(outcome);
  return outcome;
}

/** `127.0.0.1:5300`, or with what it stands for `127.0.0.1:5301=london-office`. */
function listener(text: string): ListenArgument {
  const equals = text.indexOf("=");
  if (equals < 0) return { endpoint: endpoint(text) };
  const vantage = text.slice(equals + 1);
  if (vantage === "") throw new InvalidArgumentError(`"${text}" names no network or prefix behind its =`);
  return { endpoint: endpoint(text.slice(0, equals)), vantage };
}
const endpoint = (text: string): Endpoint => accepted(parseEndpoint(text));
const addressFamily = (text: string): AddressFamily =>
  text === "4" ? 4 : text === "6" ? 6 : accepted<AddressFamily>(`"${text}" is neither 4 nor 6`);
const prefix = (text: string): IpPrefix => accepted(parsePrefix(text));
const domain = (text: string): Uint8Array => accepted(parseName(text));
const recordType = (text: string): number => accepted(parseType(text) ?? `"${text}" is not a type`);
