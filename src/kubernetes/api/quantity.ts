/**
 * Quantities: `100m`, `1.5Gi`, `2e3` (apimachinery pkg/api/resource). Kept as an integer of nano-units, upstream's
 * smallest step; finer fractions round up, away from zero.
 */

const PATTERN = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

export interface Quantity {
  /** The amount times 10⁹. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

const NANO = 1_000_000_000n;
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Readonly<Record<string, bigint>> = { Ki: 1n << 10n, Mi: 1n << 20n, Gi: 1n << 30n, Ti: 1n << 40n, Pi: 1n << 50n, Ei: 1n << 60n };
const DECIMAL_NAMES: readonly (readonly [number, string])[] = [
  [18, 'E'],
  [15, 'P'],
  [12, 'T'],
  [9, 'G'],
  [6, 'M'],
  [3, 'k'],
  [0, ''],
  [-3, 'm'],
  [-6, 'u'],
  [-9, 'n'],
];
const BINARY_NAMES = ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki'] as const;

/** Why a text is no quantity, in upstream's words. */
export class QuantityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'QuantityError';
  }
}

const ceilDiv = (a: bigint, b: bigint): bigint => (a >= 0n ? (a + b - 1n) / b : -((-a + b - 1n) / b));

// Few distinct texts occur (100m, 128Mi, …), and each is parsed for every pod at every scheduling decision.
const parsed = new Map<string, Quantity>();
const REMEMBERED = 4_096;

/** Throws QuantityError (resource.ErrFormatWrong, ErrSuffix). */
export function parseQuantity(text: string | number): Quantity {
  const source = typeof text === 'number' ? String(text) : text;
  const known = parsed.get(source);
  if (known) return known;
  const quantity = parse(source.trim());
  if (parsed.size >= REMEMBERED) parsed.clear();
  parsed.set(source, quantity);
  return quantity;
}

function parse(text: string): Quantity {
  const m = /^([+-]?)(\d*)(?:\.(\d*))?(.*)$/.exec(text);
  if (!m || text === '' || (!m[2] && !m[3])) throw new QuantityError(`quantities must match the regular expression ${PATTERN}`);
  const [, sign, whole = '', fraction = '', suffix = ''] = m;
  if (!/^[eEinumkKMGTP]*[-+]?\d*$/.test(suffix)) throw new QuantityError(`quantities must match the regular expression ${PATTERN}`);
  let format: QuantityFormat = 'DecimalSI';
  let exponent = 0;
  let factor = 1n;
  const binary = BINARY[suffix];
  const decimal = DECIMAL[suffix];
  if (binary !== undefined) {
    format = 'BinarySI';
    factor = binary;
  } else if (decimal !== undefined) exponent = decimal;
  else {
    const e = /^[eE]([-+]?\d+)$/.exec(suffix);
    if (!e) throw new QuantityError("unable to parse quantity's suffix");
    format = 'DecimalExponent';
    exponent = Math.max(-400, Math.min(400, Number(e[1])));
  }
  const power = exponent + 9 - fraction.length;
  const digits = BigInt(whole + fraction || '0') * factor;
  const magnitude = power >= 0 ? digits * 10n ** BigInt(power) : ceilDiv(digits, 10n ** BigInt(-power));
  return { nano: sign === '-' ? -magnitude : magnitude, format };
}

/** The same amount as the API server writes it back: `1000m` → `1`, `0.5` → `500m`, `1.5Gi` → `1536Mi`. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  const magnitude = nano < 0n ? -nano : nano;
  const sign = nano < 0n ? '-' : '';
  if (format === 'BinarySI' && magnitude >= 1024n * NANO && magnitude % NANO === 0n) {
    const whole = magnitude / NANO;
    for (const name of BINARY_NAMES) {
      const unit = BINARY[name] as bigint;
      if (whole % unit === 0n) return `${sign}${whole / unit}${name}`;
    }
    return `${sign}${whole}`;
  }
  for (const [exponent, name] of DECIMAL_NAMES) {
    const unit = 10n ** BigInt(exponent + 9);
    if (magnitude % unit === 0n) {
      const suffix = format === 'DecimalExponent' ? (exponent === 0 ? '' : `e${exponent}`) : name;
      return `${sign}${magnitude / unit}${suffix}`;
    }
  }
  return `${sign}${magnitude}n`;
}

/** The canonical text of a text. Throws QuantityError. */
export const canonicalQuantity = (text: string | number): string => formatQuantity(parseQuantity(text));

/** In thousandths, rounded up (Quantity.MilliValue): CPU. Missing is 0. */
export const milliValue = (text: string | undefined): number => (text === undefined ? 0 : Number(ceilDiv(parseQuantity(text).nano, 1_000_000n)));

/** In whole units, rounded up (Quantity.Value): bytes, counts. Missing is 0. */
export const wholeValue = (text: string | undefined): number => (text === undefined ? 0 : Number(ceilDiv(parseQuantity(text).nano, NANO)));

/** Below zero when a is less, 0 when equal, above zero when more. */
export function compareQuantities(a: string, b: string): number {
  const difference = parseQuantity(a).nano - parseQuantity(b).nano;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The sum, in the format of the first that is not zero (Quantity.Add). */
export function addQuantities(a: string, b: string): string {
  const x = parseQuantity(a);
  const y = parseQuantity(b);
  return formatQuantity({ nano: x.nano + y.nano, format: x.nano === 0n ? y.format : x.format });
}

export function subtractQuantities(a: string, b: string): string {
  const x = parseQuantity(a);
  const y = parseQuantity(b);
  return formatQuantity({ nano: x.nano - y.nano, format: x.nano === 0n ? y.format : x.format });
}

/** From thousandths: 1500 → `1500m`, 2000 → `2`. */
export const fromMilli = (milli: number): string => formatQuantity({ nano: BigInt(milli) * 1_000_000n, format: 'DecimalSI' });

/** From whole units: bytes with `BinarySI`, counts with `DecimalSI`. */
export const fromWhole = (value: number, format: QuantityFormat = 'DecimalSI'): string => formatQuantity({ nano: BigInt(value) * NANO, format });
