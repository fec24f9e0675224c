/** What answers by place give: ordered lists of datacenters, or records by rule, one a tailored name on the chain. */

import type { RecordList } from "../cloud/record-rules.ts";
import type { Datacenter } from "../cloud/topology.ts";
import { formatType } from "../dns/iana.ts";
import { formatRdata } from "../dns/rdata.ts";
import { Indexer } from "../geo/indexer.ts";

/** What one tailored name gives. */
export type ListPart =
  | { readonly kind: "datacenters"; readonly ids: readonly string[] }
  /** type and RDATA; empty for NODATA */
  | { readonly kind: "records"; readonly records: readonly string[] };

/** What a chain gives, name by name. */
export type AnswerList = readonly ListPart[];

/** Numbers lists by what is in them, so that lists from different sources compare as numbers. */
export class Lists {
  readonly #parts = new Indexer<ListPart>();
  readonly #lists = new Indexer<AnswerList>();
  /** datacenters and records come as the same arrays again and again */
  readonly #knownArrays = new Map<readonly unknown[], number>();

  partOfDatacenters(datacenters: readonly Datacenter[]): number {
    const known = this.#knownArrays.get(datacenters);
    if (known !== undefined) return known;
    const ids = datacenters.map(({ id }) => id);
    const number = this.#parts.indexOf(`datacenters ${ids.join(" ")}`, { kind: "datacenters", ids });
    this.#knownArrays.set(datacenters, number);
    return number;
  }

  partOfRecords(list: RecordList): number {
    const known = this.#knownArrays.get(list);
    if (known !== undefined) return known;
    const records = list.flatMap(({ type, rdatas }) =>
      rdatas.map((rdata) => `${formatType(type)} ${formatRdata(type, rdata)}`),
    );
    const number = this.#parts.indexOf(`records ${records.join("\n")}`, { kind: "records", records });
    this.#knownArrays.set(list, number);
    return number;
  }

  /** The number of the list of these parts. */
  numberOf(parts: readonly number[]): number {
    return this.#lists.indexOf(
      parts.join(" "),
      parts.map((part) => this.#parts.at(part)),
    );
  }

  at(number: number): AnswerList {
    return this.#lists.at(number);
  }
}

/** The first choice in a list: what is answered while all is up. */
export const firstOfList = (list: AnswerList): string =>
  list
    .map((part) =>
      part.kind === "datacenters" ? (part.ids[0] ?? "none") : part.records.join(", ") || "no records",
    )
    .join(" + ");
