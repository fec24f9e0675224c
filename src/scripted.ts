/** What a query for a scripted zone comes to, once its handler has answered or failed. */

import type { ClientSubnet } from "./dns/client-subnet.ts";
import { RCODE, TYPE } from "./dns/iana.ts";
import type { Question, Sections } from "./dns/message.ts";
import { domainName } from "./dns/name.ts";
import { notAnswered } from "./resolve.ts";
import type { HandlerOutcome } from "./script/script-thread.ts";
import type { Hop, Resolution } from "./trace.ts";
import type { ScriptedZone } from "./zone/scripted-zone.ts";

/**
 * The scope is what the handler says. Where it says nothing but was shown a client subnet, it may have used all of it,
 * so the answer is good for that alone; a negative one too, which otherwise could hide from everyone what only some are
 * denied, although many caches treat it as good for all anyway (RFC 7871 §7.4). A failure is the server's and not that of
 * a place, so its scope is 0; resolvers keep it for seconds at the most (RFC 2308 §7.1, RFC 9520 §3.2).
 */
export function resolveScripted(
  zone: ScriptedZone,
  { qname }: Question,
  shown: ClientSubnet | undefined,
  outcome: HandlerOutcome,
): Resolution {
  const hop: Hop = {
    name: domainName(qname),
    zone: zone.apex,
    found: "script",
    wildcard: undefined,
    dname: undefined,
    rrset: undefined,
    tailoring: undefined,
  };
  switch (outcome.kind) {
    case "failure":
      return { ...notAnswered(RCODE.SERVFAIL), hops: [hop], extendedErrors: [outcome.error] };
    case "answer": {
      const { rcode, sections, scopePrefixLength, extendedErrors } = outcome.answer;
      return {
        kind: "resolved",
        rcode,
        authoritative: rcode === RCODE.NOERROR ? !isReferral(sections, zone) : isAuthoritative(rcode),
        sections,
        scopePrefixLength: scopePrefixLength ?? shown?.sourcePrefixLength ?? 0,
        hops: [hop],
        extendedErrors,
      };
    }
  }
}

/** What the zone says of its names; other RCODEs are of the server (RFC 1035 §4.1.1). */
const isAuthoritative = (rcode: number): boolean => rcode === RCODE.NXDOMAIN || rcode === RCODE.YXDOMAIN;

/** Name servers of a zone below, and nothing else: others have the say there (RFC 1034 §4.3.2 step 3b). */
const isReferral = ({ answer, authority }: Sections, { apex }: ScriptedZone): boolean =>
  answer.length === 0 &&
  authority.some(({ type, name }) => type === TYPE.NS && name !== apex) &&
  !authority.some(({ type }) => type === TYPE.SOA);
