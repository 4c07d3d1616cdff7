// A name server on loopback that answers each question of a name with the next line of its script, the last one for ever. Only what a
// resolver asks for here: A and AAAA over UDP.

import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { isIPv6 } from "node:net";

export interface DnsServer {
  /** Questions of that name so far, A and AAAA as one. */
  asked(name: string): number;
  /** All addresses of a name, asked anew each time. */
  lookup(name: string): Promise<{ address: string; family: number }[]>;
  close(): Promise<void>;
}

/** By name: what is answered first, then, …; an empty list is a name without an address. */
export type DnsScript = Readonly<Record<string, readonly (readonly string[])[]>>;

const typeA = 1;
const typeAaaa = 28;

export async function openDnsServer(script: DnsScript): Promise<DnsServer> {
  const counts = new Map<string, number>();
  const socket = createSocket("udp4");
  socket.on("message", (question, { port, address }) => {
    const { name, type, end } = readQuestion(question);
    // a resolver asks for both kinds: one look at the name
    const turn = Math.floor((counts.get(name) ?? 0) / 2);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const lines = script[name] ?? [];
    const addresses = (lines[Math.min(turn, lines.length - 1)] ?? []).filter(
      (one) => isIPv6(one) === (type === typeAaaa),
    );
    const isKnown = type === typeA || type === typeAaaa;
    socket.send(renderAnswer(question.subarray(0, end), type, isKnown ? addresses : []), port, address);
  });
  await new Promise<void>((resolve) => {
    socket.bind(0, "127.0.0.1", resolve);
  });
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    asked: (name) => Math.ceil((counts.get(name) ?? 0) / 2),
    async lookup(name) {
      // one after the other, so that both belong to the same line
      const four = await resolver.resolve4(name).catch(() => []);
      const six = await resolver.resolve6(name).catch(() => []);
      return [...four.map((address) => ({ address, family: 4 })), ...six.map((address) => ({ address, family: 6 }))];
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function renderAnswer(question: Buffer, type: number, addresses: readonly string[]): Buffer {
  const head = Buffer.from(question);
  // an answer of one who knows, without more to say
  head.writeUInt16BE(0x8580, 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const records = addresses.map((address) => {
    const data = isIPv6(address) ? bytesOfV6(address) : Buffer.from(address.split(".").map(Number));
    const record = Buffer.alloc(12);
    // the name of the question, this kind, class IN, to be forgotten at once
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(data.byteLength, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, ...records]);
}

function bytesOfV6(address: string): Buffer {
  // a URL writes it in groups alone, also where it ends in a dotted part
  const [head = "", tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const last = groups(tail ?? "");
  const zeros = tail === undefined ? 0 : 8 - groups(head).length - last.length;
  const all = [...groups(head), ...Array.from({ length: zeros }, () => "0"), ...last];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}
