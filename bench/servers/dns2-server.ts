/** The lab's answers from dns2's UDP server: the whole chain, and the client subnet given back with a scope. Argument: port. */

import dns2, { type EdnsOption } from "dns2";
import { addressesOf, frontEndName, networks, QNAME, TAILORED_NAME } from "../lab.ts";

const { Packet } = dns2;
const { TYPE, CLASS } = Packet;

// The lab's networks differ in the first two octets; a server for more would have to search.
const nearest = new Map(networks.map(({ subnet, datacenter }) => [firstOctets(subnet), datacenter]));

const server = dns2.createServer({
  udp: true,
  tcp: true,
  handle: (request, send, peer) => {
    const response = Packet.createResponseFromRequest(request);
    response.header.aa = 1;
    const options = request.additionals.find(({ type }) => type === TYPE.EDNS)?.rdata ?? [];
    const subnet = options.find(hasAddress);
    const source = "address" in peer && typeof peer.address === "string" ? peer.address : "";
    const datacenter = nearest.get(firstOctets(subnet?.ip ?? source)) ?? "lhr";
    const frontEnd = frontEndName(datacenter);
    response.answers = [
      record(QNAME, 300, { type: TYPE.CNAME, domain: TAILORED_NAME }),
      record(TAILORED_NAME, 60, { type: TYPE.CNAME, domain: frontEnd }),
      ...addressesOf(datacenter).map((address) => record(frontEnd, 10, { type: TYPE.A, address })),
    ];
    if (subnet !== undefined) {
      response.additionals = [Packet.Resource.EDNS([{ ...subnet, scopePrefixLength: 16 }])];
    }
    send(response);
  },
});
const endpoint = { port: Number(process.argv[2]), address: "127.0.0.1" };
await server.listen({ udp: endpoint, tcp: endpoint });

function firstOctets(address: string): string {
  return address.split(".", 2).join(".");
}

function hasAddress(option: EdnsOption): option is EdnsOption & { ip: string } {
  return "ip" in option;
}

function record(name: string, ttl: number, rest: { type: number; domain?: string; address?: string }) {
  return new Packet.Resource({ name, class: CLASS.IN, ttl, ...rest });
}
