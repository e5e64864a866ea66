/** From what discovery says of a resource to the row our own tables have of it. */

import type { KubeObject } from '../api/meta.ts';
import { byKind, byPlural, collectionPath, objectPath, type ResourceRow, type Verb } from '../api/resources.ts';
import type { Kind } from '../api/types.gen.ts';
import type { Reader } from './describe/describe.ts';
import type { ResourceInfo } from './discovery.ts';
import { isNotFound } from './errors.ts';
import { isObject, type Session } from './session.ts';

/** A custom resource has no row; it gets one of its own name, so that nothing made for a built-in kind is taken for it. */
export const rowOf = (info: ResourceInfo): ResourceRow =>
  byPlural(info.group, info.version, info.resource) ?? {
    type: `${info.kind}.${info.group}` as Kind,
    group: info.group,
    version: info.version,
    kind: info.kind,
    plural: info.resource,
    singular: info.singular,
    namespaced: info.namespaced,
    shortNames: info.shortNames,
    categories: info.categories,
    verbs: info.verbs as readonly Verb[],
    subresources: [],
    prefix: '',
    beta: false,
  };

/** Other objects, for descriptions that tell of them. */
export const readerOf = (session: Session): Reader => ({
  get: async (kind, namespace, name) => {
    try {
      return (await session.request('GET', objectPath(byKind(kind), namespace, name))) as unknown as KubeObject;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  },
  list: async (kind, namespace, query) => {
    const row = byKind(kind);
    const body = await session.request('GET', collectionPath(row, namespace), { query: { ...query, limit: '500' } });
    const items = isObject(body) ? ((body['items'] as unknown as readonly KubeObject[] | undefined) ?? []) : [];
    return items.map((item) => (item.kind ? item : { ...item, apiVersion: row.group ? `${row.group}/${row.version}` : row.version, kind: row.kind }));
  },
});
