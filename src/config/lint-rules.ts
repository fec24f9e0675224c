/** What `check --strict` warns of: each rule by the name that it can be silenced by, and what it is about. */

export const lintRules = [
  {
    name: "network-shadowed",
    about: "a prefix of a network that no address has, since longer prefixes hold all of it",
  },
  { name: "network-useless", about: "a network without which every address would have the same answers" },
  { name: "front-end-unreachable", about: "a front end that no address gets while all are up" },
  {
    name: "datacenter-without-tenants",
    about: "a datacenter for tenants that is neither active nor standby for one",
  },
  { name: "cname-dangling", about: "a CNAME to a name that does not exist in the zone served" },
  { name: "cname-leaking", about: "a CNAME or DNAME that leads out of the zones served" },
  { name: "chain-too-long", about: "more than 8 CNAMEs from a public name" },
  {
    name: "ttl-beyond-probes",
    about: "a tailored answer that caches keep longer than probes take to find an outage",
  },
  { name: "tenant-without-standby", about: "a tenant with no standby to fail over to" },
  { name: "zone-without-addresses", about: "a zone, or a name server of it, without an address" },
  {
    name: "sovereign-leak",
    about: "a name of a sovereign cloud that can lead to names or addresses of another cloud",
  },
] as const;

export type LintRule = (typeof lintRules)[number]["name"];

export const lintRuleNames: readonly LintRule[] = lintRules.map(({ name }) => name);
