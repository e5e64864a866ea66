/**
 * Time zones without the machine's own: what each zone's clocks were and will be set to, as pinned data (the IANA
 * database in moment-timezone's packed form), so that every world and every browser agree.
 *
 * Here simplified: rules are known until 2037; after that a zone keeps its last offset.
 */

/** `offsets[i]` seconds east of Greenwich hold until `untils[i]`, seconds since 1970; the last for ever. */
export interface Zone {
  readonly offsets: readonly number[];
  readonly untils: readonly number[];
}
export interface ZoneData {
  readonly zones: readonly string[];
  readonly links: readonly string[];
}

export const UTC: Zone = { offsets: [0], untils: [Number.POSITIVE_INFINITY] };

/** Brought in when somebody first needs a zone: the data is larger than all controllers together. */
export async function loadZones(): Promise<(name: string) => Zone | undefined> {
  const { default: data } = await import('moment-timezone/data/packed/latest.json');
  return zonesOf(data);
}

/** Zones by name, exactly as written; undefined: there is no such zone. */
export function zonesOf({ zones, links }: ZoneData): (name: string) => Zone | undefined {
  const packed = new Map(zones.map((text) => [text.slice(0, text.indexOf('|')), text]));
  const aliases = new Map(
    links.map((link) => {
      const [name, alias] = link.split('|');
      return [alias!, name!];
    }),
  );
  const known = new Map<string, Zone>([['UTC', UTC]]);
  return (name) => {
    let zone = known.get(name);
    const text = packed.get(aliases.get(name) ?? name);
    if (!zone && text) {
      zone = unpack(text);
      known.set(name, zone);
    }
    return zone;
  };
}

/** `name|abbreviations|offsets|which of them, in order|minutes between changes`, numbers in base 60 (moment-timezone's documentation, "Packed format"). */
function unpack(text: string): Zone {
  const [, , offsets = '', order = '', changes = ''] = text.split('|');
  const west = offsets.split(' ').map(base60);
  let minute = 0;
  const untils = changes
    .split(' ')
    .filter((each) => each !== '')
    .map((each) => {
      minute += base60(each);
      return Math.round(minute * 60);
    });
  const all = [...order].map((digit) => Math.round(-(west[base60(digit)] ?? 0) * 60));
  return { offsets: all, untils: [...untils.slice(0, all.length - 1), Number.POSITIVE_INFINITY] };
}

function base60(text: string): number {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.');
  let value = 0;
  for (const digit of whole) value = value * 60 + digitOf(digit);
  let unit = 1;
  for (const digit of fraction) {
    unit /= 60;
    value += digitOf(digit) * unit;
  }
  return negative ? -value : value;
}

function digitOf(digit: string): number {
  const code = digit.charCodeAt(0);
  return code > 96 ? code - 87 : code > 64 ? code - 29 : code - 48;
}

/** Which of the zone's offsets holds at a second since 1970. */
export function periodAt({ untils }: Zone, second: number): number {
  let low = 0;
  let high = untils.length - 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (untils[middle]! > second) high = middle;
    else low = middle + 1;
  }
  return low;
}
