/**
 * What a DNS question and its answer look like inside a datagram.
 *
 * Here simplified: names travel as text lines, not as RFC 1035 bytes; header flags are left out except
 * the response code, and there is no truncation.
 */
export type RecordType = 'A' | 'AAAA' | 'SRV' | 'PTR' | 'CNAME' | 'TXT' | 'NS' | 'SOA' | 'MX';
export type ResponseCode = 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED' | 'NOTIMP' | 'FORMERR';

export interface DnsQuestion {
  readonly id: number;
  /** Lower case, with the final dot. */
  readonly name: string;
  readonly type: RecordType;
}
export interface DnsRecord {
  readonly name: string;
  readonly type: RecordType;
  /** Seconds. */
  readonly ttl: number;
  /** As a zone file writes it: `10.96.0.1`, `0 100 443 web.default.svc.cluster.local.` */
  readonly data: string;
}
export interface DnsAnswer {
  readonly id: number;
  readonly code: ResponseCode;
  readonly answers: readonly DnsRecord[];
  /** Records that save a second question: the addresses of SRV targets. */
  readonly additional: readonly DnsRecord[];
}

export const encodeQuestion = (q: DnsQuestion): string => `QUERY ${q.id} ${q.type} ${q.name}`;

export function decodeQuestion(text: string): DnsQuestion | undefined {
  const m = /^QUERY (\d+) ([A-Z]+) (\S+)$/.exec(text);
  return m ? { id: Number(m[1]), type: m[2] as RecordType, name: m[3]!.toLowerCase() } : undefined;
}

export function encodeAnswer(a: DnsAnswer): string {
  const line = (r: DnsRecord): string => `${r.name} ${r.ttl} IN ${r.type} ${r.data}`;
  return [`ANSWER ${a.id} ${a.code}`, ...a.answers.map(line), ...(a.additional.length > 0 ? [';ADDITIONAL', ...a.additional.map(line)] : [])].join('\n');
}

export function decodeAnswer(text: string): DnsAnswer | undefined {
  const [head, ...lines] = text.split('\n');
  const m = /^ANSWER (\d+) ([A-Z]+)$/.exec(head ?? '');
  if (!m) return undefined;
  const records = (part: readonly string[]): DnsRecord[] =>
    part.flatMap((line) => {
      const r = /^(\S+) (\d+) IN ([A-Z]+) (.*)$/.exec(line);
      return r ? [{ name: r[1]!, ttl: Number(r[2]), type: r[3] as RecordType, data: r[4]! }] : [];
    });
  const split = lines.indexOf(';ADDITIONAL');
  return {
    id: Number(m[1]),
    code: m[2] as ResponseCode,
    answers: records(split < 0 ? lines : lines.slice(0, split)),
    additional: split < 0 ? [] : records(lines.slice(split + 1)),
  };
}
