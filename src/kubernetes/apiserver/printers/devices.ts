/** Tables of addresses, ranges, components, storage capacity and devices (pkg/printers/internalversion). */
import type { KubeObject } from '../../api/meta.ts';
import { canonicalQuantity } from '../../api/quantity.ts';
import type { ComponentStatus, CSIStorageCapacity, IPAddress, ResourceClaimV1beta1, ResourceSliceV1beta1, ServiceCIDR } from '../../api/types.gen.ts';
import { age, columns, type Printer } from './table.ts';

const nameOf = ({ metadata }: KubeObject): string => metadata.name ?? '';

export const componentPrinter: Printer<ComponentStatus> = {
  columns: columns('Name', 'Status', 'Message', 'Error'),
  cells: (object) => {
    const healthy = object.conditions?.find(({ type }) => type === 'Healthy');
    const status = healthy ? (healthy.status === 'True' ? 'Healthy' : 'Unhealthy') : 'Unknown';
    return [nameOf(object), status, healthy?.message ?? '', healthy?.error ?? ''];
  },
};

export const addressPrinter: Printer<IPAddress> = {
  columns: columns('Name', 'ParentRef'),
  cells: (object) => {
    const { group, resource = '', namespace, name } = object.spec?.parentRef ?? { name: '' };
    const parts = [(group ? `${resource}.${group}` : resource).toLowerCase(), ...(namespace ? [namespace] : []), name];
    return [nameOf(object), object.spec?.parentRef ? parts.join('/') : '<none>'];
  },
};

export const serviceCidrPrinter: Printer<ServiceCIDR> = {
  columns: columns('Name', 'CIDRs', 'Age'),
  cells: (object, now) => [nameOf(object), (object.spec?.cidrs ?? []).join(','), age(object, now)],
};

export const capacityPrinter: Printer<CSIStorageCapacity> = {
  columns: columns('Name', 'StorageClassName', 'Capacity'),
  cells: (object) => [nameOf(object), object.storageClassName, object.capacity === undefined ? '<unset>' : canonicalQuantity(object.capacity)],
};

export const claimPrinter: Printer<ResourceClaimV1beta1> = {
  columns: columns('Name', 'State', 'Age'),
  cells: (object, now) => {
    const { allocation, reservedFor = [] } = object.status ?? {};
    const going = object.metadata.deletionTimestamp !== undefined;
    const states = [...(going ? ['deleted'] : []), ...(allocation ? ['allocated', ...(reservedFor.length > 0 ? ['reserved'] : [])] : going ? [] : ['pending'])];
    return [nameOf(object), states.join(','), age(object, now)];
  },
};

export const slicePrinter: Printer<ResourceSliceV1beta1> = {
  columns: columns('Name', 'Node', 'Driver', 'Pool', 'Age'),
  cells: (object, now) => [nameOf(object), object.spec.nodeName ?? '', object.spec.driver, object.spec.pool.name, age(object, now)],
};
