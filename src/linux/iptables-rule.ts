/**
 * One iptables rule: read from the words of a command or of iptables-save, written back as
 * iptables-save writes it (iptables `save_rule4_details`; match order -s -d -i -o -p, then `-m` in the
 * order given). Rules are data: `iptables.ts` walks them.
 */
import { type Address, address, contains, formatAddress, formatPrefix, type Prefix, prefix } from './address.ts';
import type { Packet, Protocol } from './packet.ts';

export type CtState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED' | 'SNAT' | 'DNAT';

interface Negatable<T> {
  readonly value: T;
  readonly not: boolean;
}

export type Match =
  | { readonly kind: 'comment'; readonly text: string }
  | {
      readonly kind: 'ports';
      readonly protocol: 'tcp' | 'udp';
      readonly sport: Negatable<PortRange> | undefined;
      readonly dport: Negatable<PortRange> | undefined;
    }
  | { readonly kind: 'multiport'; readonly direction: 'sports' | 'dports'; readonly ports: readonly PortRange[] }
  /** `threshold` of 2^31: the kernel's own resolution (xt_statistic). */
  | { readonly kind: 'statistic'; readonly threshold: number }
  | { readonly kind: 'conntrack'; readonly states: readonly CtState[]; readonly not: boolean }
  | { readonly kind: 'mark'; readonly mark: number; readonly mask: number; readonly not: boolean }
  | { readonly kind: 'addrtype'; readonly side: 'src' | 'dst'; readonly type: 'LOCAL'; readonly not: boolean };

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export type Target =
  | { readonly kind: 'ACCEPT' | 'DROP' | 'RETURN' }
  | { readonly kind: 'REJECT'; readonly with: string }
  | { readonly kind: 'DNAT'; readonly to: Address; readonly port: number | undefined }
  | { readonly kind: 'SNAT'; readonly to: Address }
  | { readonly kind: 'MASQUERADE'; readonly randomFully: boolean }
  /** mark = (mark & ~mask) ^ value. */
  | { readonly kind: 'MARK'; readonly value: number; readonly mask: number }
  | { readonly kind: 'jump'; readonly chain: string };

export interface Rule {
  readonly source: Negatable<Prefix> | undefined;
  readonly destination: Negatable<Prefix> | undefined;
  readonly in: Negatable<string> | undefined;
  readonly out: Negatable<string> | undefined;
  readonly protocol: Negatable<Protocol> | undefined;
  readonly matches: readonly Match[];
  /** Those that decide anything: all but comments. */
  readonly tests: readonly Match[];
  /** Undefined: the rule only counts. */
  readonly target: Target | undefined;
  /** As iptables-save writes it, without `-A CHAIN`. */
  readonly text: string;
}

/** What a rule is held against. */
export interface Subject {
  readonly packet: Packet;
  readonly in: string;
  readonly out: string;
  readonly mark: number;
  /** Conntrack's view: several may hold at once (ESTABLISHED and DNAT). */
  readonly states: readonly CtState[];
  /** The namespace it is in, which knows its own addresses. */
  readonly netns: { isLocal(address: Address): boolean };
  /** An integer in [0, 2^31). */
  draw(): number;
}

const within = (range: PortRange, port: number): boolean => port >= range.from && port <= range.to;
const device = (pattern: string, name: string): boolean => (pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : pattern === name);

/** Whether every match of the rule holds. Matches are tried in order, so luck is drawn only when all before hold. */
export function matches(rule: Rule, s: Subject): boolean {
  const p = s.packet;
  if (rule.destination && contains(rule.destination.value, p.destination) === rule.destination.not) return false;
  if (rule.source && contains(rule.source.value, p.source) === rule.source.not) return false;
  if (rule.protocol && (rule.protocol.value === p.protocol) === rule.protocol.not) return false;
  if (rule.in && device(rule.in.value, s.in) === rule.in.not) return false;
  if (rule.out && device(rule.out.value, s.out) === rule.out.not) return false;
  for (const m of rule.tests) if (!matchHolds(m, s)) return false;
  return true;
}

function matchHolds(m: Match, s: Subject): boolean {
  const p = s.packet;
  switch (m.kind) {
    case 'comment':
      return true;
    case 'ports':
      return (
        m.protocol === p.protocol &&
        (!m.dport || within(m.dport.value, p.destinationPort) !== m.dport.not) &&
        (!m.sport || within(m.sport.value, p.sourcePort) !== m.sport.not)
      );
    case 'multiport': {
      const port = m.direction === 'dports' ? p.destinationPort : p.sourcePort;
      return p.protocol !== 'icmp' && m.ports.some((range) => within(range, port));
    }
    case 'statistic':
      return s.draw() < m.threshold;
    case 'conntrack':
      return anyOf(m.states, s.states) !== m.not;
    case 'mark':
      return ((s.mark & m.mask) >>> 0 === m.mark) !== m.not;
    case 'addrtype':
      return s.netns.isLocal(m.side === 'src' ? p.source : p.destination) !== m.not;
  }
}

/** Hot: every packet is asked for its state by several rules. */
function anyOf(wanted: readonly CtState[], states: readonly CtState[]): boolean {
  for (const state of states) if (wanted.includes(state)) return true;
  return false;
}

export class IptablesError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'IptablesError';
  }
}

const hex = (text: string): { value: number; mask: number | undefined } => {
  const [value, mask] = text.split('/');
  return { value: Number(value) >>> 0, mask: mask === undefined ? undefined : Number(mask) >>> 0 };
};
const portRange = (text: string): PortRange => {
  const [from, to] = text.split(':');
  return { from: from ? Number(from) : 0, to: to === undefined ? Number(from) : to ? Number(to) : 65_535 };
};

/** Splits a line as iptables-restore does: blanks separate, double quotes hold together, a backslash escapes. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  const pattern = /"((?:[^"\\]|\\.)*)"|(\S+)/g;
  for (let m = pattern.exec(line); m; m = pattern.exec(line)) words.push(m[1] !== undefined ? m[1].replace(/\\(.)/g, '$1') : m[2]!);
  return words;
}

const rules = new Map<string, Rule>();

/**
 * Reads the words after `-A CHAIN`. Throws IptablesError on what it does not know. Rules are values, so
 * equal texts give the same rule: kube-proxy writes the same few forms over and over.
 */
export function parseRule(line: string): Rule {
  const known = rules.get(line);
  if (known) return known;
  const rule = parseWords(splitWords(line));
  if (rules.size > 50_000) rules.clear();
  rules.set(line, rule);
  return rule;
}

function parseWords(words: readonly string[]): Rule {
  let at = 0;
  const next = (): string => {
    const word = words[at++];
    if (word === undefined) throw new IptablesError(`option "${words[at - 2] ?? ''}" requires an argument`);
    return word;
  };
  let not = false;
  let source: Rule['source'];
  let destination: Rule['destination'];
  let inside: Rule['in'];
  let outside: Rule['out'];
  let protocol: Rule['protocol'];
  let target: Target | undefined;
  const found: Match[] = [];
  let ports: { index: number; protocol: 'tcp' | 'udp'; sport: Negatable<PortRange> | undefined; dport: Negatable<PortRange> | undefined } | undefined;
  let probability = false;
  const setPorts = (which: 'sport' | 'dport', value: Negatable<PortRange>): void => {
    const of = protocol?.value;
    if (!ports && (of === 'tcp' || of === 'udp')) ports = { index: found.length, protocol: of, sport: undefined, dport: undefined };
    if (!ports) throw new IptablesError(`unknown option "--${which}"`);
    ports[which] = value;
  };

  while (at < words.length) {
    const word = next();
    const negated = not;
    not = false;
    switch (word) {
      case '!':
        not = true;
        break;
      case '-s':
      case '--source':
        source = { value: prefix(next()), not: negated };
        break;
      case '-d':
      case '--destination':
        destination = { value: prefix(next()), not: negated };
        break;
      case '-i':
        inside = { value: next(), not: negated };
        break;
      case '-o':
        outside = { value: next(), not: negated };
        break;
      case '-p':
      case '--protocol': {
        const value = next().toLowerCase();
        if (value !== 'tcp' && value !== 'udp' && value !== 'icmp') throw new IptablesError(`unknown protocol "${value}" specified`);
        protocol = { value, not: negated };
        break;
      }
      case '-m': {
        const module = next();
        if (module === 'tcp' || module === 'udp') ports = { index: found.length, protocol: module, sport: undefined, dport: undefined };
        else if (!['comment', 'statistic', 'conntrack', 'mark', 'addrtype', 'multiport'].includes(module))
          throw new IptablesError(`Couldn't load match \`${module}'`);
        break;
      }
      case '--sport':
      case '--dport':
        setPorts(word === '--sport' ? 'sport' : 'dport', { value: portRange(next()), not: negated });
        break;
      case '--sports':
      case '--dports':
        found.push({ kind: 'multiport', direction: word === '--sports' ? 'sports' : 'dports', ports: next().split(',').map(portRange) });
        break;
      case '--comment':
        found.push({ kind: 'comment', text: next() });
        break;
      case '--mode':
        if (next() !== 'random') throw new IptablesError('statistic: only --mode random is known');
        probability = true;
        break;
      case '--probability':
        if (!probability) throw new IptablesError('statistic: --mode must come first');
        found.push({ kind: 'statistic', threshold: Math.round(Number(next()) * 0x80000000) });
        break;
      case '--ctstate':
        found.push({ kind: 'conntrack', states: next().split(',') as CtState[], not: negated });
        break;
      case '--mark': {
        const { value, mask } = hex(next());
        found.push({ kind: 'mark', mark: value, mask: mask ?? 0xffffffff, not: negated });
        break;
      }
      case '--src-type':
      case '--dst-type':
        if (next() !== 'LOCAL') throw new IptablesError('addrtype: only LOCAL is known');
        found.push({ kind: 'addrtype', side: word === '--src-type' ? 'src' : 'dst', type: 'LOCAL', not: negated });
        break;
      case '-g':
      case '-j': {
        const name = next();
        if (name === 'ACCEPT' || name === 'DROP' || name === 'RETURN') target = { kind: name };
        else if (name === 'REJECT') target = { kind: 'REJECT', with: 'icmp-port-unreachable' };
        else if (name === 'MASQUERADE') target = { kind: 'MASQUERADE', randomFully: false };
        else if (name === 'MARK' || name === 'DNAT' || name === 'SNAT') target = undefined;
        else target = { kind: 'jump', chain: name };
        break;
      }
      case '--reject-with':
        target = { kind: 'REJECT', with: next() };
        break;
      case '--random-fully':
        target = { kind: 'MASQUERADE', randomFully: true };
        break;
      case '--to-destination': {
        const [to, port] = next().split(':');
        target = { kind: 'DNAT', to: address(to!), port: port === undefined ? undefined : Number(port) };
        break;
      }
      case '--to-source':
        target = { kind: 'SNAT', to: address(next()) };
        break;
      case '--set-xmark': {
        const { value, mask } = hex(next());
        target = { kind: 'MARK', value, mask: mask ?? 0xffffffff };
        break;
      }
      case '--set-mark': {
        const { value, mask } = hex(next());
        target = { kind: 'MARK', value, mask: mask === undefined ? 0xffffffff : (mask | value) >>> 0 };
        break;
      }
      case '--or-mark': {
        const { value } = hex(next());
        target = { kind: 'MARK', value, mask: value };
        break;
      }
      case '--xor-mark':
        target = { kind: 'MARK', value: hex(next()).value, mask: 0 };
        break;
      default:
        throw new IptablesError(`unknown option "${word}"`);
    }
  }
  if (ports) {
    const { index, ...rest } = ports;
    found.splice(index, 0, { kind: 'ports', ...rest });
  }
  const tests = found.filter((match) => match.kind !== 'comment');
  const rule = { source, destination, in: inside, out: outside, protocol, matches: found, tests, target };
  return { ...rule, text: formatRule(rule) };
}

const bang = (n: { readonly not: boolean }): string => (n.not ? '! ' : '');
const formatRange = (range: PortRange): string => (range.from === range.to ? String(range.from) : `${range.from}:${range.to}`);
const formatHex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
/** iptables quotes a comment only where it must (`xtables_save_string`). */
const quote = (text: string): string => (/^[A-Za-z0-9_-]+$/.test(text) ? text : `"${text.replace(/["\\']/g, '\\$&')}"`);

function formatRule(rule: Omit<Rule, 'text'>): string {
  const out: string[] = [];
  if (rule.source) out.push(`${bang(rule.source)}-s ${formatPrefix(rule.source.value)}`);
  if (rule.destination) out.push(`${bang(rule.destination)}-d ${formatPrefix(rule.destination.value)}`);
  if (rule.in) out.push(`${bang(rule.in)}-i ${rule.in.value}`);
  if (rule.out) out.push(`${bang(rule.out)}-o ${rule.out.value}`);
  if (rule.protocol) out.push(`${bang(rule.protocol)}-p ${rule.protocol.value}`);
  for (const m of rule.matches) out.push(formatMatch(m));
  if (rule.target) out.push(formatTarget(rule.target));
  return out.join(' ');
}

function formatMatch(m: Match): string {
  switch (m.kind) {
    case 'comment':
      return `-m comment --comment ${quote(m.text)}`;
    case 'ports':
      return [
        `-m ${m.protocol}`,
        m.sport && `${bang(m.sport)}--sport ${formatRange(m.sport.value)}`,
        m.dport && `${bang(m.dport)}--dport ${formatRange(m.dport.value)}`,
      ]
        .filter(Boolean)
        .join(' ');
    case 'multiport':
      return `-m multiport --${m.direction} ${m.ports.map(formatRange).join(',')}`;
    case 'statistic':
      return `-m statistic --mode random --probability ${(m.threshold / 0x80000000).toFixed(11)}`;
    case 'conntrack':
      return `-m conntrack ${bang(m)}--ctstate ${m.states.join(',')}`;
    case 'mark':
      return `-m mark ${bang(m)}--mark ${formatHex(m.mark)}${m.mask === 0xffffffff ? '' : `/${formatHex(m.mask)}`}`;
    case 'addrtype':
      return `-m addrtype ${bang(m)}--${m.side}-type ${m.type}`;
  }
}

function formatTarget(t: Target): string {
  switch (t.kind) {
    case 'REJECT':
      return `-j REJECT --reject-with ${t.with}`;
    case 'DNAT':
      return `-j DNAT --to-destination ${formatAddress(t.to)}${t.port === undefined ? '' : `:${t.port}`}`;
    case 'SNAT':
      return `-j SNAT --to-source ${formatAddress(t.to)}`;
    case 'MASQUERADE':
      return `-j MASQUERADE${t.randomFully ? ' --random-fully' : ''}`;
    case 'MARK':
      return `-j MARK --set-xmark ${formatHex(t.value)}/${formatHex(t.mask)}`;
    case 'jump':
      return `-j ${t.chain}`;
    default:
      return `-j ${t.kind}`;
  }
}
