import { expect, test } from "vitest";
import { formatRecord } from "../../src/dns/message.ts";
import { labels, octets } from "./wire.ts";

test.each([
  { name: "class IN is left out", qclass: 1, printed: "Www.example. 60 MX 10 a.test." },
  { name: "another class is named", qclass: 3, printed: "Www.example. 60 CH MX 10 a.test." },
  {
    name: "an unknown class is numbered (RFC 3597 §5)",
    qclass: 9,
    printed: "Www.example. 60 CLASS9 MX 10 a.test.",
  },
])("formatRecord: $name", ({ qclass, printed }) => {
  const rdata = octets(0, 10, labels("a", "test"));
  const owner = labels("Www", "example");
  expect(formatRecord({ owner, type: 15, class: qclass, ttlSeconds: 60, rdata })).toBe(printed);
});
