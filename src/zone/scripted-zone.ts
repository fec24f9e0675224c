/** A zone that a module answers for, query by query: nothing of it is known before. */

import type { DomainName } from "../dns/name.ts";

export interface ScriptedZone {
  readonly kind: "scripted";
  readonly apex: DomainName;
  /** the path of the module, absolute and without symbolic links */
  readonly handler: string;
  /** a query without an answer for so long gets SERVFAIL */
  readonly deadlineMilliseconds: number;
  /** queries in hand at a time; one more gets SERVFAIL at once */
  readonly concurrency: number;
  /** where the configuration names the module, for what is found wrong when it is loaded */
  readonly place: { readonly file: string; readonly line: number; readonly column: number };
  readonly sourceLine: string;
}
