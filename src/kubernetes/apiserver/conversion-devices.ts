/**
 * resource.k8s.io in two versions (pkg/apis/resource/v1beta2/conversion.go): stored is v1beta1. In v1beta2 a request's
 * own wishes stand under `exactly`, and a device's properties are no longer under `basic`.
 */
import type { KubeObject } from '../api/meta.ts';

type Loose = Readonly<Record<string, unknown>>;
type Change = (value: Loose) => Loose;

const GROUP = 'resource.k8s.io';

/** The same with a field at the end of `path` changed, where it is there; lists are gone through. */
function at(value: unknown, path: readonly string[], change: Change): unknown {
  if (Array.isArray(value)) return value.map((item) => at(item, path, change));
  if (typeof value !== 'object' || value === null) return value;
  const [field, ...rest] = path;
  if (field === undefined) return change(value as Loose);
  const inner = (value as Loose)[field];
  return inner === undefined ? value : { ...value, [field]: at(inner, rest, change) };
}

const exact: Change = ({ name, firstAvailable, ...own }) => ({
  name,
  ...(Object.keys(own).length > 0 ? { exactly: own } : {}),
  ...(firstAvailable === undefined ? {} : { firstAvailable }),
});
const flat: Change = ({ exactly, ...rest }) => ({ ...rest, ...(exactly as Loose | undefined) });
const unwrapped: Change = ({ basic, ...rest }) => ({ ...rest, ...(basic as Loose | undefined) });
const basic: Change = ({ name, ...own }) => ({ name, basic: own });

/** Where each kind differs, and how it is written in the one version and in the other. */
const DIFFERENCES: Readonly<Record<string, readonly [path: readonly string[], to2: Change, to1: Change]>> = {
  ResourceClaim: [['spec', 'devices', 'requests'], exact, flat],
  ResourceClaimTemplate: [['spec', 'spec', 'devices', 'requests'], exact, flat],
  ResourceSlice: [['spec', 'devices'], unwrapped, basic],
};

/** An object of the group in the version asked for; any other object as it is. */
export function devicesIn(version: 'v1beta1' | 'v1beta2', object: KubeObject): KubeObject {
  const apiVersion = `${GROUP}/${version}`;
  if (object.apiVersion === apiVersion) return object;
  const difference = DIFFERENCES[object.kind];
  const changed = difference ? (at(object, difference[0], version === 'v1beta2' ? difference[1] : difference[2]) as KubeObject) : object;
  return { ...changed, apiVersion };
}
