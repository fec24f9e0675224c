/** A running server as the stage of a story: asked over the network, changed by its admin API, and put back behind it. */

import type { Routes, Value } from "../admin/routes.ts";
import { type Endpoint, isLoopback } from "../ip.ts";
import { type Tempo, waitFor } from "../scenario/lab.ts";
import type { OneAction } from "../scenario/read.ts";
import type { Asked, Stage } from "../scenario/stage.ts";
import { openWireAsker, sendTo } from "../scenario/wire.ts";
import { type AdminAccess, type AdminClient, AdminFault, connectAdmin } from "./admin-client.ts";

export interface LiveOptions {
  readonly server: Endpoint;
  readonly access: AdminAccess;
  readonly tempo: Tempo;
  readonly signal: AbortSignal;
}

const REASON = "a rehearsal";
/** The most that a page of tenants can have. */
const PAGE = 10_000;

/** Connects to the admin API with the first change, or when time is to go by. */
export function openLiveStage({ server, access, tempo, signal }: LiveOptions): Stage {
  const client = connectAdmin(access);
  let before: Promise<Before> | undefined;
  const hold = (): Promise<Before> => {
    before ??= takeHold(client, tempo);
    return before;
  };
  return {
    ...openWireAsker("server", server),
    send: async (message, asked, isAboutTruncation, awaitsSilence) => {
      const because = whyNotAsked(asked);
      return because === undefined
        ? sendTo(server, message, { retriesOverTcp: !isAboutTruncation, awaitsSilence })
        : { kind: "skipped", because };
    },
    change: async (action) => {
      await hold();
      try {
        await perform(client, action);
        return undefined;
      } catch (error) {
        if (error instanceof AdminFault) return error.message;
        throw error;
      }
    },
    pass: async (seconds) => {
      await hold();
      await waitFor(seconds, tempo, signal);
      if (tempo.kind === "stepped") await client.ask("setClock", { body: { stepSeconds: seconds } });
    },
    close: async () => {
      if (before !== undefined) await putBack(client, await before, tempo);
    },
  };
}

function whyNotAsked({ from, vantage, clientSubnet }: Asked): string | undefined {
  if (vantage !== undefined) return "a running server has the vantage points of its configuration alone";
  if (clientSubnet !== undefined) return "a running server has the listeners of its configuration alone";
  return isLoopback({ address: from }) ? undefined : `a running server sees who asks, which is not ${from}`;
}

async function perform(client: AdminClient, action: OneAction): Promise<void> {
  switch (action.kind) {
    case "set": {
      const { target, state, forSeconds } = action;
      await client.ask("setDatacenter", {
        params: { target },
        body: { state, reason: REASON, for: forSeconds },
      });
      return;
    }
    case "failover":
    case "failback":
      await client.ask(action.kind, { params: { label: action.tenant }, body: { reason: REASON } });
      return;
    case "move":
      await client.ask("moveTenant", {
        params: { label: action.tenant },
        body: { to: action.to, reason: REASON },
      });
      return;
    default:
      action satisfies never;
  }
}

/** How a server was before it was made a stage. */
interface Before {
  readonly clock: { readonly now: string; readonly speed: number };
  readonly realMilliseconds: number;
  readonly overrides: readonly OverrideTold[];
  readonly tenants: ReadonlyMap<string, TenantTold>;
}

type OverrideTold = Value<Routes["removeOverride"]>;
type TenantTold = Value<Routes["showTenant"]>;

async function takeHold(client: AdminClient, tempo: Tempo): Promise<Before> {
  const clock = await client.ask("clock");
  const before = {
    clock,
    realMilliseconds: performance.now(),
    overrides: (await client.ask("listOverrides")).overrides,
    tenants: await listTenants(client),
  };
  const speed = tempo.kind === "stepped" ? 0 : tempo.speed;
  if (speed !== clock.speed) await client.ask("setClock", { body: { speed } });
  return before;
}

async function listTenants(client: AdminClient): Promise<Before["tenants"]> {
  const found = new Map<string, TenantTold>();
  for (;;) {
    const { tenants, total } = await client.ask("listTenants", {
      query: { limit: PAGE, offset: found.size },
    });
    for (const tenant of tenants) found.set(tenant.label, tenant);
    if (found.size >= total || tenants.length === 0) return found;
  }
}

/** Puts clock, overrides and tenants back; what cannot be put back is told once the rest is. */
async function putBack(client: AdminClient, before: Before, tempo: Tempo): Promise<void> {
  const faults: string[] = [];
  const attempt = async (what: string, run: () => Promise<unknown>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof AdminFault)) throw error;
      faults.push(`${what} was not put back: ${error.message}`);
    }
  };
  await attempt("the clock", () => putClockBack(client, before, tempo));
  await attempt("the overrides", () => putOverridesBack(client, before));
  await attempt("who serves tenants", async () => {
    for (const tenant of (await listTenants(client)).values()) {
      const old = before.tenants.get(tenant.label);
      if (old !== undefined)
        await attempt(`tenant ${tenant.label}`, () => putTenantBack(client, old, tenant));
    }
  });
  if (faults.length > 0) throw new AdminFault(faults.join("\n"));
}

/** It shows what it would have shown. */
async function putClockBack(
  client: AdminClient,
  { clock, realMilliseconds }: Before,
  tempo: Tempo,
): Promise<void> {
  if (tempo.kind === "real" && tempo.speed === clock.speed) return;
  const gone = (performance.now() - realMilliseconds) * clock.speed;
  const setTo = new Date(Date.parse(clock.now) + gone).toISOString();
  await client.ask("setClock", { body: { setTo, speed: clock.speed } });
}

/** Those that ended with the time of the story are set anew, behind them those that followed, so that the last one still counts. */
async function putOverridesBack(client: AdminClient, { overrides: old }: Before): Promise<void> {
  const { overrides: now } = await client.ask("listOverrides");
  const isThere = ({ number }: OverrideTold): boolean => now.some((each) => each.number === number);
  const firstLost = old.findIndex((override) => !isThere(override));
  const kept = firstLost < 0 ? old : old.slice(0, firstLost);
  for (const { number } of now) {
    if (!kept.some((each) => each.number === number))
      await client.ask("removeOverride", { params: { number } });
  }
  const time = Date.parse((await client.ask("clock")).now);
  for (const { target, state, reason, until } of old.slice(kept.length)) {
    const left = until === undefined ? undefined : Math.round((Date.parse(until) - time) / 1000);
    if (left !== undefined && left <= 0) continue;
    await client.ask("setDatacenter", { params: { target }, body: { state, reason, for: left } });
  }
}

async function putTenantBack(client: AdminClient, old: TenantTold, now: TenantTold): Promise<void> {
  const params = { label: old.label };
  const moved =
    old.active === now.active
      ? now
      : await client.ask("moveTenant", { params, body: { to: old.active, reason: old.reason } });
  if (moved.serving === old.serving) return;
  const route = old.serving === "active" ? "failback" : "failover";
  await client.ask(route, { params, body: { reason: old.reason } });
}
