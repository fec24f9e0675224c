/** `geodns365 init`: a configuration for one's own offices, from flags or from three questions. */

import { constants, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { NameTemplate } from "../cloud/name-template.ts";
import type { Policy } from "../cloud/service.ts";
import type { Configuration } from "../config/configuration.ts";
import { reasonOf } from "../config/documents.ts";
import { formatConfigError, loadConfig } from "../config/load.ts";
import {
  type Answers,
  cloudsFor,
  defaultListen,
  OFFICE_FORM,
  type Office,
  parseCloud,
  parseListen,
  parseListenAndClouds,
  parseOffice,
  parseTenant,
  type Tenant,
} from "../first-run/answers.ts";
import { configurationText, vantagePoints } from "../first-run/configuration-text.ts";
import { readShipped, type Shipped, type ShippedCloud } from "../first-run/shipped.ts";
import { type Endpoint, formatEndpoint } from "../ip.ts";
import { check } from "./check.ts";
import { EXIT, misuse } from "./exit.ts";
import { type Conversation, InputEnded, Interview } from "./interview.ts";

export interface InitOptions {
  readonly folder: string;
  /** the folder of the shipped configuration */
  readonly shipped: string;
  readonly office: readonly string[];
  readonly tenant: readonly string[];
  readonly cloud: readonly string[];
  readonly listen?: string;
  /** asks nothing: what no flag says is as it is by default */
  readonly yes: boolean;
  /** writes over what is there */
  readonly force: boolean;
}

const FILE_NAME = "geodns365.yaml";

export async function initCommand(
  options: InitOptions,
  conversation: Conversation | undefined = terminal(),
): Promise<number> {
  const path = join(options.folder, FILE_NAME);
  if (existsSync(path) && !options.force)
    return misuse(`${path} is there already; name another folder, or write over it with --force`);
  const shipped = readShipped(options.shipped);
  const given = parseFlags(options, shipped);
  if (typeof given === "string") return misuse(given);
  const answers =
    conversation === undefined || options.yes
      ? complete(given, shipped)
      : await askOn(conversation, given, shipped);
  if (typeof answers === "string") return misuse(answers);
  const written = write(
    path,
    configurationText(answers, { folder: resolve(options.folder), shipped }),
    options,
  );
  if (written.kind === "misuse") return misuse(written.message);
  if (written.kind === "errors") {
    for (const line of written.lines) console.error(line);
    return EXIT.foundWrong;
  }
  console.log(`wrote ${path}: ${describe(answers)}`);
  const code = await check({ config: path, strict: false });
  if (code !== EXIT.good) return code;
  for (const line of nextCommands(path, answers, written.configuration)) console.log(line);
  return EXIT.good;
}

const terminal = (): Conversation | undefined =>
  process.stdin.isTTY && process.stdout.isTTY ? { input: process.stdin, output: process.stdout } : undefined;

/** What is known so far; what no flag has said is undefined. */
interface Given {
  readonly offices: readonly Office[];
  readonly tenants: readonly Tenant[];
  readonly listen: Endpoint | undefined;
  readonly clouds: readonly ShippedCloud[];
}

function parseFlags({ office, tenant, cloud, listen }: InitOptions, shipped: Shipped): Given | string {
  const offices = parseEach("--office", office, (text, before: readonly Office[]) =>
    parseOffice(text, before, shipped),
  );
  if (typeof offices === "string") return offices;
  const clouds = parseEach("--cloud", cloud, (text) => parseCloud(text, shipped));
  if (typeof clouds === "string") return clouds;
  const tenants = parseEach("--tenant", tenant, (text, before: readonly Tenant[]) =>
    parseTenant(text, before, shipped, clouds),
  );
  if (typeof tenants === "string") return tenants;
  const at = listen === undefined ? undefined : parseListen(listen);
  if (typeof at === "string") return `--listen: ${at}`;
  return { offices, tenants, clouds, listen: at };
}

function parseEach<T>(
  flag: string,
  texts: readonly string[],
  parse: (text: string, before: readonly T[]) => T | string,
): readonly T[] | string {
  const parsed: T[] = [];
  for (const text of texts) {
    const each = parse(text, parsed);
    if (typeof each === "string") return `${flag}: ${each}`;
    parsed.push(each);
  }
  return parsed;
}

/** With what is usual where nothing is said. */
function complete(
  { offices, tenants, listen = defaultListen, clouds }: Given,
  shipped: Shipped,
): Answers | string {
  if (offices.length === 0) return `no office is given, and nobody is asked; say --office ${OFFICE_FORM}`;
  const all = cloudsFor(clouds, tenants, shipped);
  return typeof all === "string" ? all : { offices, tenants, listen, clouds: all };
}

async function askOn(conversation: Conversation, given: Given, shipped: Shipped): Promise<Answers | string> {
  const interview = new Interview(conversation);
  try {
    return await ask(given, shipped, interview);
  } catch (error) {
    if (!(error instanceof InputEnded)) throw error;
    return "the answers ended before the questions did, so nothing is written";
  } finally {
    interview.close();
  }
}

/** Asks what the flags have not said. */
async function ask(given: Given, shipped: Shipped, interview: Interview): Promise<Answers> {
  const offices = [...given.offices];
  if (offices.length === 0) {
    interview.say(
      "1. Which offices? A line each, like oslo=10.20.0.0/16@Oslo,NO; an empty line ends the list.",
    );
    for (;;) {
      const office = await interview.ask<Office | undefined>("   office: ", (text) => {
        if (text !== "") return parseOffice(text, offices, shipped);
        return offices.length > 0 ? undefined : `there is none yet; say one as ${OFFICE_FORM}`;
      });
      if (office === undefined) break;
      offices.push(office);
    }
  }
  const tenants = [...given.tenants];
  if (tenants.length === 0) {
    interview.say(
      "2. Which tenant, and where does its data live? Datacenters or their cities; empty for none.",
    );
    const tenant = await interview.ask<Tenant | undefined>(
      "   tenant, like contoso=Dublin,Amsterdam: ",
      (text) => (text === "" ? undefined : parseTenant(text, tenants, shipped, given.clouds)),
    );
    if (tenant !== undefined) tenants.push(tenant);
  }
  const usual = complete({ ...given, offices, tenants }, shipped);
  if (typeof usual !== "string" && given.listen !== undefined && given.clouds.length > 0) return usual;
  interview.say(`3. Where to listen, and for which clouds? There are ${list(shipped.clouds)}.`);
  const hint =
    typeof usual === "string"
      ? ""
      : ` [${formatEndpoint(usual.listen)} ${usual.clouds.map(({ name }) => name).join(" ")}]`;
  return interview.ask(`   ADDRESS:PORT CLOUD...${hint}: `, (text) => {
    const parsed = parseListenAndClouds(text, shipped);
    return typeof parsed === "string" ? parsed : complete({ ...given, offices, tenants, ...parsed }, shipped);
  });
}

type Written =
  | { readonly kind: "written"; readonly configuration: Configuration }
  | { readonly kind: "errors"; readonly lines: readonly string[] }
  | { readonly kind: "misuse"; readonly message: string };

/** Checked beside its place first, so that what is there is not lost to a text with errors. */
function write(path: string, text: string, { force }: Pick<InitOptions, "force">): Written {
  const draft = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(draft, text, { flag: "wx" });
    const loaded = loadConfig(draft);
    if (loaded.kind === "errors") {
      const lines = loaded.errors.map(({ place, ...error }) =>
        formatConfigError({
          ...error,
          place: { ...place, file: place.file === resolve(draft) ? path : place.file },
        }),
      );
      return { kind: "errors", lines };
    }
    if (force) renameSync(draft, path);
    else copyFileSync(draft, path, constants.COPYFILE_EXCL);
    return { kind: "written", configuration: loaded.configuration };
  } catch (error) {
    return { kind: "misuse", message: `${path} cannot be written: ${reasonOf(error)}` };
  } finally {
    if (existsSync(draft)) rmSync(draft);
  }
}

const list = (named: readonly { readonly name: string }[]): string =>
  named
    .map(({ name }) => name)
    .join(", ")
    .replace(/, ([^,]*)$/, " and $1");

function describe({ offices, tenants, clouds }: Answers): string {
  const counted = (word: string, named: readonly { readonly name: string }[]): string =>
    `${word}${named.length === 1 ? "" : "s"} ${list(named)}`;
  const parts = [
    counted("office", offices),
    ...(tenants.length > 0 ? [counted("tenant", tenants)] : []),
    counted("cloud", clouds),
  ];
  return parts.join("; ");
}

/** What to type next: the server, a question from each office, and why its answer is what it is. */
function* nextCommands(path: string, answers: Answers, { clouds }: Configuration): Generator<string> {
  const { offices, tenants, listen } = answers;
  const file = /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  const points = vantagePoints(offices, listen);
  const links = (policy: Policy): readonly NameTemplate[] =>
    clouds.flatMap(({ services }) =>
      services
        .filter((service) => service.policy === policy)
        .flatMap((service) => service.links[0]?.owners ?? []),
    );
  const byPlace = links("nearest-datacenter").find(({ needs }) => needs.size === 0)?.text;
  const [tenant] = tenants;
  const byTenant = links("active-datacenter")
    .find(({ needs, text }) => needs.size === 1 && needs.has("tenant") && text.includes("{tenant}"))
    ?.text.replace("{tenant}", tenant?.name ?? "");
  const commands: (readonly [command: string, what: string])[] = [
    [`npx geodns365 serve --config ${file}`, "answers until Ctrl-C; the rest in another terminal"],
  ];
  if (byPlace !== undefined) {
    for (const [i, { name, prefixes }] of offices.entries()) {
      const at = points[i]?.at;
      const asked =
        at === undefined ? `${digAt(listen)} ${byPlace} +subnet=${prefixes[0]}` : `${digAt(at)} ${byPlace}`;
      commands.push([asked, `as from ${name}`]);
    }
  }
  if (byTenant !== undefined && tenant !== undefined)
    commands.push([`${digAt(listen)} ${byTenant}`, `where ${tenant.name} is, from anywhere`]);
  if (byPlace !== undefined) {
    const whose = tenant === undefined ? "" : ` --tenant ${tenant.name}`;
    const from = `--from ${offices[0]?.name}${whose} --config ${file}`;
    commands.push([`npx geodns365 explain ${byPlace} ${from}`, "why"]);
  }
  yield "";
  yield "Next:";
  for (const [command, what] of commands) {
    yield `  # ${what}`;
    yield `  ${command}`;
  }
}

/** A server that listens everywhere is asked on this machine. */
function digAt({ address, port }: Endpoint): string {
  const asked = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return `dig @${asked} -p ${port}`;
}
