/** How definitions and APIServices are printed (apiextensions-apiserver and kube-aggregator `pkg/registry`). */
import type { KubeObject } from '../../api/meta.ts';
import { age, columns, type Printer } from './table.ts';

interface ApiServiceLike extends KubeObject {
  readonly spec?: { readonly service?: { readonly namespace?: string; readonly name?: string } };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string }[] };
}

export const apiServicePrinter: Printer<object> = {
  columns: columns('Name', 'Service', 'Available', 'Age'),
  cells: (given, now) => {
    const object = given as ApiServiceLike;
    const service = object.spec?.service;
    const available = object.status?.conditions?.find(({ type }) => type === 'Available');
    return [
      object.metadata.name ?? '',
      service ? `${service.namespace}/${service.name}` : 'Local',
      available === undefined ? '' : available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`,
      age(object, now),
    ];
  },
};

/** A definition shows when it was made, in full. */
export const definitionPrinter: Printer<object> = {
  columns: columns('Name', 'Created At'),
  cells: (object) => [(object as KubeObject).metadata.name ?? '', (object as KubeObject).metadata.creationTimestamp ?? ''],
};
