/**
 * The command line: which commands and flags there are. Exit codes: 0 good, 1 found wrong, 2 misuse. What a command needs
 * is loaded when it is called: a server would hold all the others for as long as it runs.
 */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../admin/duration.ts";
import { recordForms } from "../cloud/custom-domain.ts";
import { parseSuppositions, type Supposition } from "../cloud/suppositions.ts";
import { parseAsk } from "../config/ask.ts";
import { lintRuleNames } from "../config/lint-rules.ts";
import { parseType } from "../dns/iana.ts";
import { parseName } from "../dns/name.ts";
import {
  type AddressFamily,
  type Endpoint,
  type IpPrefix,
  parseAddress,
  parseEndpoint,
  parsePrefix,
} from "../ip.ts";
import type { StateFileChoice } from "../load-snapshot.ts";
import type { ResolverFormat } from "../resolver-config.ts";
import type { Tempo } from "../scenario/lab.ts";
import type { ReportFormat } from "../scenario/reports.ts";
import { EXIT } from "./exit.ts";
import type { ExplainFormat } from "./explain.ts";
import type { MatrixFormat } from "./matrix.ts";
import type { ListenArgument, TransportChoice } from "./serve.ts";

const explainFormats: readonly ExplainFormat[] = ["text", "json", "mermaid"];
const matrixFormats: readonly MatrixFormat[] = ["table", "markdown", "csv", "html", "svg", "json"];
const transports: readonly TransportChoice[] = ["auto", "batched", "dgram"];
const resolverFormats: readonly ResolverFormat[] = [
  "unbound",
  "bind",
  "windows",
  "dnsmasq",
  "knot-resolver",
  "pdns-recursor",
  "pdns-recursor-lua",
  "pdns-recursor-yaml",
  "coredns",
  "list",
  "json",
];
const MAX_WORKERS = 64;
const DNS_PORT = 53;
/** what the admin API takes */
const MAX_SPEED = 1000;
const reportFormats: readonly ReportFormat[] = ["text", "tap", "junit", "json"];

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
  const stateFile = () =>
    new Option(
      "--state <file|none>",
      "where states, serials and the cookie secret are kept, instead of what the configuration says",
    ).argParser(
      (text: string): StateFileChoice =>
        text === "none" ? { kind: "none" } : { kind: "file", path: resolve(text) },
    );

  addFirstRunCommands(program, config);

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
    .addOption(
      new Option(
        "--admin <addr:port|off>",
        "where the admin API listens, instead of what the configuration says",
      ).argParser((text: string): Endpoint | "off" => (text === "off" ? text : endpoint(text))),
    )
    .addOption(
      new Option(
        "--transport <how>",
        "how UDP is served: batched (recvmmsg, on Linux), dgram, or auto, which is batched where that can be",
      )
        .choices(transports)
        .default("auto"),
    )
    .addOption(
      new Option("--workers <n|auto>", "threads for UDP; auto is one for each core, 8 at the most")
        .argParser(workerCount)
        .default("auto"),
    )
    .addOption(stateFile())
    .action(async (options) =>
      exitWith(await (await import("./serve.ts")).serve({ ...options, version: version() })),
    );

  program
    .command("check")
    .description("check a configuration and print every error with its place")
    .addOption(config())
    .option("--strict", "warn too of what is no error and still not meant; exit code 1 where there is such")
    .addOption(new Option("--format <format>", "how warnings are printed").choices(["text", "json"]))
    .addOption(new Option("--silence <rule...>", "do not warn by these rules").choices(lintRuleNames))
    .action(async (options) =>
      exitWith(await (await import("./check.ts")).check({ strict: false, ...options })),
    );

  program
    .command("explain")
    .description("say why a name has the answer it has from one place")
    .argument("<name>", "the name asked for", domain)
    .addArgument(typeArgument())
    .requiredOption("--from <prefix|network>", "what counts: a client subnet, or the name of a network")
    .option("--tenant <tenant>", "the tenant, or its satellite, whose datacenter a second hop goes to")
    .addOption(
      new Option(
        "--with <what...>",
        "suppose for this alone: lhr=down, geo:EUR=draining, contoso=standby, contoso->ams",
      )
        .argParser(collect(identity))
        .default([], "nothing"),
    )
    .option("--at <time>", "as it will be then: a time in ISO 8601, or a duration from now like 10m")
    .addOption(config())
    .addOption(stateFile())
    .option("--admin <url>", "ask a running server by its admin API, instead of reading files")
    .option(
      "--token-file <file>",
      "with --admin: the file that holds its token; GEODNS365_TOKEN if not given",
    )
    .addOption(new Option("--format <format>", "how it is told").choices(explainFormats).default("text"))
    .addOption(new Option("--json", "print JSON: --format json").implies({ format: "json" }))
    .addOption(
      new Option("--mermaid", "draw it for Mermaid: --format mermaid").implies({ format: "mermaid" }),
    )
    .action(async (qname, qtype, options) =>
      exitWith(await (await import("./explain.ts")).explainCommand({ ...options, qname, qtype })),
    );

  program
    .command("audit")
    .description("show which prefixes get which datacenters, and prove that every scope is exact")
    .addArgument(
      new Argument("[name]", "the name; all that are tailored by place if not given").argParser(domain),
    )
    .addOption(config())
    .addOption(stateFile())
    .option(
      "--diff <file>",
      "show what moves when the configuration in this file takes the place of that of --config",
    )
    .addOption(new Option("--family <4|6>", "one address family alone").argParser(addressFamily))
    .option("--cells", "print each prefix with its list")
    .option("--json", "print JSON")
    .action(async (qname, options) =>
      exitWith(
        await (await import("./audit.ts")).auditCommand({ json: false, cells: false, ...options, qname }),
      ),
    );

  const names = (flags: string, description: string) =>
    new Option(flags, description).argParser((text: string, before: readonly string[] = []) => [
      ...before,
      text,
    ]);
  program
    .command("matrix")
    .description("show which datacenter each network and tenant gets from each service, as tables or a map")
    .addOption(config())
    .addOption(stateFile())
    .addOption(names("--service <service...>", "these services alone, with their cloud or without"))
    .addOption(names("--network <network...>", "these networks alone; default is the default location"))
    .addOption(names("--tenant <tenant...>", "these tenants and satellites alone"))
    .addOption(names("--country <code...>", "these countries too, as GeoIP locates them").default([], "none"))
    .addOption(
      suppositions("--with <states...>", "as it would be in these states: lhr=down, geo:EUR=draining"),
    )
    .addOption(new Option("--format <format>", "what to print").choices(matrixFormats).default("table"))
    .option(
      "--diff <file>",
      "show what differs where the configuration in this file takes the place of that of --config",
    )
    .addOption(suppositions("--diff-with <states...>", "show what differs where these states come about"))
    .option("--output <file>", "write to this file")
    .action(async (options) => exitWith(await (await import("./matrix.ts")).matrixCommand(options)));

  program
    .command("locate")
    .description("say where an address, a prefix or a network is, and which datacenters are nearest to it")
    .argument("<address|prefix|network>", "what to locate")
    .addOption(config())
    .option("--json", "print JSON")
    .action(async (what, options) =>
      exitWith(await (await import("./locate.ts")).locateCommand({ json: false, ...options, what })),
    );

  program
    .command("zone")
    .description("print a zone as it is seen from one place, as a master file with tailored names expanded")
    .argument("<zone>", "its apex", domain)
    .option(
      "--from <prefix|network>",
      "the address that asks, or the name of a network; this machine if not given",
    )
    .addOption(config())
    .addOption(stateFile())
    .action(async (apex, options) =>
      exitWith(await (await import("./zone.ts")).zoneCommand({ ...options, apex })),
    );

  program
    .command("resolver-config")
    .description("print what a resolver is told so that it asks here for every name served")
    .addArgument(new Argument("<format>", "the resolver, or list or json").choices(resolverFormats))
    .addOption(
      new Option(
        "--server <addr[:port]>",
        "where resolvers reach the server; its first listener if not given",
      ).argParser(serverAddress),
    )
    .addOption(config())
    .action(async (format, options) =>
      exitWith(await (await import("./resolver-config.ts")).resolverConfigCommand({ ...options, format })),
    );

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
    .action(async (qname, qtype, options) =>
      exitWith(await (await import("./query.ts")).query({ tcp: false, ...options, qname, qtype })),
    );

  const ofDomain = (command: Command): Command =>
    command
      .argument("<domain>", "the domain", domain)
      .option("--cloud <cloud>", "whose set; that of its tenant, or Worldwide, if not given")
      .option("--tenant <tenant>", "the tenant's label, contoso of contoso.onmicrosoft.com", hostLabel)
      .addOption(
        new Option("--mx <form>", "classic, or microsoft: the host below mx.microsoft").choices(recordForms),
      )
      .addOption(
        new Option("--dkim <form>", "classic, or microsoft: keys below dkim.mail.microsoft").choices(
          recordForms,
        ),
      )
      .option(
        "--domain-key <key>",
        "the domain's label in its hosts, where it is not the domain with dashes",
        hostLabel,
      )
      .addOption(config());

  ofDomain(
    program
      .command("records")
      .description("print what an administrator creates at a domain, of the configuration or any other"),
  )
    .addOption(
      new Option("--format <format>", "a table for people, a master file, or JSON")
        .choices(["table", "master", "json"])
        .default("table"),
    )
    .action(async (name, options) =>
      exitWith(await (await import("./records.ts")).recordsCommand({ ...options, domain: name })),
    );

  ofDomain(
    program
      .command("verify")
      .description("hold a domain, as a server has it, against what an administrator creates there"),
  )
    .addOption(
      new Option("--server <addr:port>", "the server; the resolver of this system if not given").argParser(
        endpoint,
      ),
    )
    .option("--json", "print JSON")
    .action(async (name, options) =>
      exitWith(await (await import("./verify.ts")).verifyCommand({ json: false, ...options, domain: name })),
    );

  program
    .command("import")
    .description("hold what others publish against the configuration")
    .command("endpoints")
    .description("show which published endpoints are not served, and what is served outside of them")
    .argument("<file>", "what the endpoints web service gives as JSON")
    .addOption(config())
    .option("--cloud <cloud>", "the cloud that the file is of", "Worldwide")
    .option("--json", "print JSON")
    .option("--strict", "exit code 1 where something is not served or outside")
    .action(async (file, options) =>
      exitWith(
        await (await import("./import.ts")).importEndpoints({ json: false, strict: false, ...options, file }),
      ),
    );

  addRehearsalCommands(program, config, stateFile);
  addAdminCommands(program);

  for (const command of allCommands(program))
    command.helpOption("--help", "print this help").helpCommand(false).allowExcessArguments(false);
  return program;
}

/** The commands that say whether what comes back is what is to come back. */
function addRehearsalCommands(program: Command, config: () => Option, stateFile: () => Option): void {
  const server = () =>
    new Option("--server <addr:port>", "ask a running server instead of answering in process").argParser(
      endpoint,
    );
  const format = () =>
    new Option("--format <format>", "how the outcome is printed").choices(reportFormats).default("text");

  program
    .command("expect")
    .description("hold what comes back against files of expectations; exit code 1 where something differs")
    .argument("[files...]", "files of expectations")
    .addOption(config())
    .addOption(stateFile())
    .addOption(server())
    .addOption(
      new Option(
        "--via <addr:port>",
        "ask through a resolver, which is told the client subnet; neither AA nor a scope is demanded of it",
      ).argParser(endpoint),
    )
    .addOption(format())
    .option("--record <file>", "write a file of what is true now, instead of reading one")
    .option(
      "--from <network|prefix>",
      "with --record: from there alone; may be given several times",
      collect((text: string) => text),
      [],
    )
    .option(
      "--ask <question>",
      'with --record: this alone, as "NAME TYPE"; may be given several times',
      collect((text: string) => accepted(parseAsk(text))),
      [],
    )
    .action(async (files, options) =>
      exitWith(await (await import("./expect.ts")).expectCommand({ ...options, files })),
    );

  program
    .command("play")
    .description("play stories: questions, outages and what is to come back, on a clock of their own")
    .argument("<files...>", "scenario files")
    .option("--config <file>", "the configuration, before what the scenario names; else the default lab")
    .addOption(server())
    .addOption(adminUrl())
    .addOption(tokenFile())
    .addOption(
      new Option(
        "--clock <frozen|real|n>",
        "how time goes by: in steps at once, as it does, or so many times faster",
      )
        .argParser(tempo)
        .default({ kind: "stepped" }, "frozen"),
    )
    .addOption(format())
    .action(async (files, options) =>
      exitWith(await (await import("./play.ts")).play({ ...options, files })),
    );
}

const adminUrl = (): Option =>
  new Option("--admin <url>", "the admin API of the server")
    .env("GEODNS365_ADMIN")
    .default("http://127.0.0.1:5380", "http://127.0.0.1:5380");
const tokenFile = (): Option =>
  new Option("--token-file <file>", "the file that holds its token; GEODNS365_TOKEN if not given");

const allCommands = ({ commands }: Command): readonly Command[] =>
  commands.flatMap((command) => [command, ...allCommands(command)]);

/** The commands to begin with. */
function addFirstRunCommands(program: Command, config: () => Option): void {
  const texts = (flags: string, description: string): Option =>
    new Option(flags, description).argParser(collect((text) => text)).default([], "none");
  program
    .command("init")
    .description(
      "write a configuration for offices of one's own; on a terminal, questions ask what no flag says",
    )
    .argument("[dir]", "the folder that it is written to", ".")
    .addOption(texts("--office <office>", "NAME=PREFIX@CITY,COUNTRY[,LATITUDE,LONGITUDE]; once for each"))
    .addOption(texts("--tenant <tenant>", "NAME=DATACENTER[,STANDBY], by id or city; once for each"))
    .addOption(
      new Option("--cloud <cloud>", "a cloud to serve; once for each")
        .argParser(collect((text) => text))
        .default([], "Worldwide, and those of the tenants"),
    )
    .option("--listen <addr:port>", "where the server is to listen; 127.0.0.1:5300 if not given")
    .option("--yes", "ask nothing, and take what is usual where no flag says otherwise")
    .option("--force", "write over a configuration that is there already")
    .action(async (folder, options) =>
      exitWith(
        await (await import("./init.ts")).initCommand({
          yes: false,
          force: false,
          ...options,
          folder,
          shipped: join(root, "config"),
        }),
      ),
    );
  program
    .command("demo")
    .description("tell in a minute who gets which answers and why, by a server that is asked while it goes")
    .addOption(config())
    .option("--fast", "without pauses to read in, as where there is no terminal")
    .option("--no-color", "without colours, as where there is no terminal")
    .action(async (options) =>
      exitWith(
        await (await import("./demo.ts")).demoCommand({ fast: false, ...options, version: version() }),
      ),
    );
}

/** The commands that talk to a running server by its admin API. */
function addAdminCommands(program: Command): void {
  const add = (parent: Command, name: string, description: string): Command =>
    parent
      .command(name)
      .description(description)
      .addOption(adminUrl())
      .addOption(tokenFile())
      .option("--json", "print JSON");
  const reason = "why, shown beside it";

  const datacenter = program.command("datacenter").description("states of datacenters, set and shown");
  add(datacenter, "list", "every datacenter, its state and where that comes from").action(async (options) =>
    exitWith(await (await import("./datacenter.ts")).datacenterList(options)),
  );
  add(datacenter, "set", "set the state of datacenters until the override is removed or its time is over")
    .argument("<id>", "lhr, Worldwide/lhr, or a pattern: lh*, Worldwide/*, geo:EUR")
    .addArgument(new Argument("<state>", "up, draining or down").choices(["up", "draining", "down"]))
    .option("--reason <text>", reason)
    .option("--for <duration>", "how long: 90s, 10m, 2h, 1d", duration)
    .action(async (target, state, options) =>
      exitWith(await (await import("./datacenter.ts")).datacenterSet({ ...options, target, state })),
    );

  const tenant = program.command("tenant").description("where tenants are served, shown and changed");
  add(
    tenant,
    "list",
    "tenants, satellites and workloads with a home of their own, with the datacenter that serves each",
  )
    .option("--limit <n>", "how many at most", count, 1000)
    .action(async (options) => exitWith(await (await import("./tenant.ts")).tenantList(options)));
  add(tenant, "show", "one tenant")
    .argument("<label>", "the tenant, its satellite, or a workload with a home of its own: contoso/exchange")
    .action(async (label, options) =>
      exitWith(await (await import("./tenant.ts")).tenantShow({ ...options, label })),
    );
  add(
    tenant,
    "move",
    "make another datacenter the active one of a tenant; workloads with a home of their own stay",
  )
    .argument("<label>", "the tenant, its satellite, or a workload with a home of its own: contoso/exchange")
    .argument("<datacenter>", "where to")
    .option("--reason <text>", reason)
    .action(async (label, to, options) =>
      exitWith(await (await import("./tenant.ts")).tenantChange({ kind: "move", to }, { ...options, label })),
    );
  for (const [kind, what] of [
    ["failover", "serve a tenant from its standby; workloads with a home of their own stay"],
    ["failback", "serve a tenant from its active datacenter again"],
  ] as const) {
    add(tenant, kind, what)
      .argument(
        "<label>",
        "the tenant, its satellite, or a workload with a home of its own: contoso/exchange",
      )
      .option("--reason <text>", reason)
      .action(async (label, options) =>
        exitWith(await (await import("./tenant.ts")).tenantChange({ kind }, { ...options, label })),
      );
  }

  const override = program.command("override").description("what operators have set, listed and removed");
  add(override, "list", "overrides in order; of several for a datacenter the last one counts").action(
    async (options) => exitWith(await (await import("./override.ts")).overrideList(options)),
  );
  add(override, "remove", "remove an override")
    .argument("<number>", "its number", count)
    .action(async (number, options) =>
      exitWith(await (await import("./override.ts")).overrideRemove(number, options)),
    );

  add(program, "reload", "have the server load its configuration anew").action(async (options) =>
    exitWith(await (await import("./reload.ts")).reloadCommand(options)),
  );
  add(program, "status", "what the server answers with now").action(async (options) =>
    exitWith(await (await import("./status.ts")).statusCommand(options)),
  );
  add(program, "journal", "the last queries and how they were answered")
    .option("--name <name>", "of this name, with * for any characters")
    .option("--subnet <prefix>", "whose address that counted is in this prefix")
    .option("--datacenter <id>", "answered with this datacenter")
    .addOption(new Option("--transport <transport>", "over udp or tcp").choices(["udp", "tcp"]))
    .option("--rcode <rcode>", "answered with this RCODE")
    .option("--limit <n>", "how many at most", count, 100)
    .option("--follow", "go on with those to come, until Ctrl-C")
    .action(async (options) =>
      exitWith(await (await import("./journal.ts")).journalCommand({ follow: false, ...options })),
    );
  add(program, "watch", "datacenters, overrides and queries as they change, until Ctrl-C").action(
    async (options) => exitWith(await (await import("./watch.ts")).watchCommand(options)),
  );

  program
    .command("token")
    .description("make a token for the admin API, and the hash of it that the configuration holds")
    .option("--json", "print JSON")
    .action(async (options) =>
      exitWith(await (await import("./token.ts")).tokenCommand({ json: false, ...options })),
    );
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

const identity = (text: string): string => text;

/** Checked here, sent as written. */
function duration(text: string): string {
  accepted(parseDuration(text));
  return text;
}

function count(text: string): number {
  const number = Number(text);
  return accepted(/^[1-9]\d{0,14}$/.test(text) ? number : `"${text}" is no whole number above 0`);
}

function workerCount(text: string): number | "auto" {
  const count = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (text !== "auto" && !(count >= 1 && count <= MAX_WORKERS)) {
    throw new InvalidArgumentError(`it is auto or a number from 1 to ${MAX_WORKERS}`);
  }
  return text === "auto" ? "auto" : count;
}

function tempo(text: string): Tempo {
  if (text === "frozen") return { kind: "stepped" };
  const speed = text === "real" ? 1 : Number(text);
  if (!(speed > 0 && speed <= MAX_SPEED))
    throw new InvalidArgumentError(`it is frozen, real or a number up to ${MAX_SPEED}`);
  return { kind: "real", speed };
}

/** `127.0.0.1:5300`, or with what it stands for `127.0.0.1:5301=london-office`. */
function listener(text: string): ListenArgument {
  const equals = text.indexOf("=");
  if (equals < 0) return { endpoint: endpoint(text) };
  const vantage = text.slice(equals + 1);
  if (vantage === "") throw new InvalidArgumentError(`"${text}" names no network or prefix behind its =`);
  return { endpoint: endpoint(text.slice(0, equals)), vantage };
}

/** Who writes contoso.onmicrosoft.com for contoso would be told names that nobody has. */
function hostLabel(text: string): string {
  if (/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError(
    `"${text}" is not one label like contoso: at most 63 letters, digits and inner hyphens`,
  );
}

/** An option that holds states of datacenters, which may be given more than once. */
const suppositions = (flags: string, description: string): Option =>
  new Option(flags, description)
    .argParser((text: string, before: readonly Supposition[]): readonly Supposition[] => [
      ...before,
      ...accepted(parseSuppositions(text)),
    ])
    .default([], "none");

const endpoint = (text: string): Endpoint => accepted(parseEndpoint(text));
/** `10.1.0.53`, `10.1.0.53:5300`, `::1` or `[::1]:5300`. */
function serverAddress(text: string): Endpoint {
  const family = parseAddress(text)?.family;
  const server = family === undefined ? endpoint(text) : { address: text, family, port: DNS_PORT };
  return accepted(server.port > 0 ? server : `"${text}" has port 0, which nobody can ask`);
}

const addressFamily = (text: string): AddressFamily =>
  text === "4" ? 4 : text === "6" ? 6 : accepted<AddressFamily>(`"${text}" is neither 4 nor 6`);
const prefix = (text: string): IpPrefix => accepted(parsePrefix(text));
const domain = (text: string): Uint8Array => accepted(parseName(text));
const recordType = (text: string): number => accepted(parseType(text) ?? `"${text}" is not a type`);
