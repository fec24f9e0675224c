/** Numbers and mnemonics of the IANA "Domain Name System (DNS) Parameters" registry, as far as they are named here. */

/** Types that are named when printed or asked for; all others are written as TYPE<n> (RFC 3597 §5). */
export const TYPE = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  NSAP: 22,
  "NSAP-PTR": 23,
  SIG: 24,
  KEY: 25,
  PX: 26,
  GPOS: 27,
  AAAA: 28,
  LOC: 29,
  NXT: 30,
  EID: 31,
  NIMLOC: 32,
  SRV: 33,
  ATMA: 34,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  A6: 38,
  DNAME: 39,
  SINK: 40,
  OPT: 41,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  NINFO: 56,
  RKEY: 57,
  TALINK: 58,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  DSYNC: 66,
  HHIT: 67,
  BRID: 68,
  SPF: 99,
  UINFO: 100,
  UID: 101,
  GID: 102,
  UNSPEC: 103,
  NID: 104,
  L32: 105,
  L64: 106,
  LP: 107,
  EUI48: 108,
  EUI64: 109,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  URI: 256,
  CAA: 257,
  AVC: 258,
  DOA: 259,
  AMTRELAY: 260,
  RESINFO: 261,
  WALLET: 262,
  TA: 32768,
  DLV: 32769,
} as const;

const typeNumbers: ReadonlyMap<string, number> = new Map<string, number>(Object.entries(TYPE));

const typeMnemonics: ReadonlyMap<number, string> = new Map(
  [...typeNumbers].map(([name, type]) => [type, name]),
);

export const CLASS = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const;

const classNumbers: ReadonlyMap<string, number> = new Map<string, number>(Object.entries(CLASS));

const classMnemonics: ReadonlyMap<number, string> = new Map(
  Object.entries(CLASS).map(([name, number]) => [number, name]),
);

export const OPCODE = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5 } as const;

const opcodeMnemonics: ReadonlyMap<number, string> = new Map(
  Object.entries(OPCODE).map(([name, number]) => [number, name]),
);

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  /** RFC 2136; for a DNAME whose target would be too long (RFC 6672 §2.2) */
  YXDOMAIN: 6,
  NOTAUTH: 9,
  /** RFC 6891 §9; above 15, so it needs an OPT to be told */
  BADVERS: 16,
  /** RFC 7873 §8 */
  BADCOOKIE: 23,
} as const;

const rcodeMnemonics: ReadonlyMap<number, string> = new Map(
  Object.entries(RCODE).map(([name, number]) => [number, name]),
);

/** EDNS option codes (RFC 6891 §9). */
export const OPTION = {
  /** RFC 5001 */
  NSID: 3,
  /** RFC 7871 */
  CLIENT_SUBNET: 8,
  /** RFC 7873 */
  COOKIE: 10,
  /** RFC 7828 */
  TCP_KEEPALIVE: 11,
  /** RFC 8914 */
  EXTENDED_ERROR: 15,
} as const;

/** INFO-CODEs of extended errors (RFC 8914 §4). */
export const EXTENDED_ERROR = {
  OTHER: 0,
  NOT_READY: 14,
  PROHIBITED: 18,
  NOT_AUTHORITATIVE: 20,
  NOT_SUPPORTED: 21,
} as const;

/** Errors that a TSIG record carries (RFC 8945 §3). */
export const TSIG_ERROR = { BADKEY: 17 } as const;

/** The number of `AAAA`, `aaaa` or `TYPE28`; undefined for what is no type. */
export function parseType(text: string): number | undefined {
  return typeNumbers.get(text) ?? typeNumbers.get(text.toUpperCase()) ?? parseNumbered(numberedType, text);
}

/** The number of `IN` or `CLASS1`; undefined for what is no class. */
export function parseClass(text: string): number | undefined {
  return classNumbers.get(text) ?? classNumbers.get(text.toUpperCase()) ?? parseNumbered(numberedClass, text);
}

/** The number of `NXDOMAIN` or `RCODE3`; undefined for what is no RCODE. */
export function parseRcode(text: string): number | undefined {
  const numbers: ReadonlyMap<string, number> = new Map(Object.entries(RCODE));
  return numbers.get(text.toUpperCase()) ?? parseNumbered(numberedRcode, text);
}

/** Types that are only asked for or sent, so that no zone holds records of them (RFC 6895 §3.1). */
export const isMetaType = (type: number): boolean =>
  type === 0 || type === TYPE.OPT || (type >= 128 && type <= 255);

export const formatType = (type: number): string => typeMnemonics.get(type) ?? `TYPE${type}`;
export const formatClass = (qclass: number): string => classMnemonics.get(qclass) ?? `CLASS${qclass}`;
/** `A`, or `CH TXT` where the class is not IN. */
export const formatTypeOfClass = (type: number, qclass: number): string =>
  qclass === CLASS.IN ? formatType(type) : `${formatClass(qclass)} ${formatType(type)}`;
export const formatOpcode = (opcode: number): string => opcodeMnemonics.get(opcode) ?? `OPCODE${opcode}`;
export const formatRcode = (rcode: number): string => rcodeMnemonics.get(rcode) ?? `RCODE${rcode}`;

const numberedType = /^TYPE(\d{1,5})$/i;
const numberedClass = /^CLASS(\d{1,5})$/i;
const numberedRcode = /^RCODE(\d{1,4})$/i;

function parseNumbered(form: RegExp, text: string): number | undefined {
  const digits = form.exec(text)?.[1];
  const number = digits === undefined ? Number.NaN : Number(digits);
  return number <= 0xffff ? number : undefined;
}
