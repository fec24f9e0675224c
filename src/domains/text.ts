/** The text of a TXT record: its strings put together, as SPF, DKIM and DMARC read them (RFC 7208 §3.3, RFC 6376 §3.6.2.2). */
export function textOf(rdata: Uint8Array): string {
  const strings: string[] = [];
  for (let at = 0; at < rdata.length; ) {
    const end = at + 1 + (rdata[at] ?? 0);
    strings.push(Buffer.from(rdata.subarray(at + 1, end)).toString("latin1"));
    at = end;
  }
  return strings.join("");
}
