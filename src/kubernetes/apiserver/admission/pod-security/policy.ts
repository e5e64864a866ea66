/**
 * Which Pod Security Standard a namespace asks for, from its labels `pod-security.kubernetes.io/*`
 * (pod-security-admission `api/helpers.go`). A policy is always given: what cannot be read fails closed for
 * enforce and open for audit and warn.
 */
import { type FieldError, invalid } from '../../validation/field.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';
export interface LevelVersion {
  readonly level: Level;
  /** The minor version; undefined is `latest`. */
  readonly minor: number | undefined;
}
export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

export const PREFIX = 'pod-security.kubernetes.io/';
const LEVELS: readonly Level[] = ['privileged', 'baseline', 'restricted'];
const OPEN: LevelVersion = { level: 'privileged', minor: undefined };
/** How strict: 0, 1, 2. */
export const strictness = (level: Level): number => LEVELS.indexOf(level);
/** `restricted:v1.30` */
export const policyText = ({ level, minor }: LevelVersion): string => `${level}:${minor === undefined ? 'latest' : `v1.${minor}`}`;
export const samePolicy = (a: LevelVersion, b: LevelVersion): boolean => a.level === b.level && a.minor === b.minor;

export function policyOf(labels: Readonly<Record<string, string | undefined>> | undefined): {
  readonly policy: Policy;
  readonly errors: readonly FieldError[];
} {
  const errors: FieldError[] = [];
  const level = (mode: string, whenWrong: Level): Level | undefined => {
    const value = labels?.[PREFIX + mode];
    if (value === undefined) return undefined;
    if ((LEVELS as readonly string[]).includes(value)) return value as Level;
    errors.push(invalid(`metadata.labels[${PREFIX}${mode}]`, value, `must be one of ${LEVELS.join(', ')}`));
    return whenWrong;
  };
  const minor = (mode: string): { minor: number | undefined } | undefined => {
    const name = `${mode}-version`;
    const value = labels?.[PREFIX + name];
    if (value === undefined) return undefined;
    const found = /^v1\.(\d|[1-9]\d*)$/.exec(value);
    if (value !== 'latest' && !found) errors.push(invalid(`metadata.labels[${PREFIX}${name}]`, value, 'must be "latest" or "v1.x"'));
    return { minor: found ? Number(found[1]) : undefined };
  };
  const read = (mode: string, whenWrong: Level): [Level | undefined, { minor: number | undefined } | undefined] => [level(mode, whenWrong), minor(mode)];
  const [enforceLevel, enforceVersion] = read('enforce', 'restricted');
  const [auditLevel, auditVersion] = read('audit', 'privileged');
  const [warnLevel, warnVersion] = read('warn', 'privileged');
  const enforce: LevelVersion = { level: enforceLevel ?? OPEN.level, minor: enforceVersion?.minor };
  const audit: LevelVersion = { level: auditLevel ?? OPEN.level, minor: auditVersion?.minor };
  let warn: LevelVersion = { level: warnLevel ?? OPEN.level, minor: warnVersion?.minor };
  // Who enforces is also warned, unless they say otherwise: workloads are not refused, only their pods.
  if (warnLevel === undefined && enforceLevel !== undefined && strictness(enforce.level) > strictness(warn.level))
    warn = { level: enforce.level, minor: warnVersion ? warnVersion.minor : enforce.minor };
  return { policy: { enforce, audit, warn }, errors };
}
