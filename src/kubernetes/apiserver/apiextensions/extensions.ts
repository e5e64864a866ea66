/**
 * CustomResourceDefinitions at work: this file is what the API server opens when the first one appears
 * (`gate.ts`). It follows the definitions in the watch cache, keeps the table of kinds they bring, and runs the
 * controllers that accept, establish and remove them.
 */
import type { Process } from '../../../sim/process.ts';
import type { Json } from '../../api/json.ts';
import type { KubeObject } from '../../api/meta.ts';
import { apiVersionOf, type ResourceRow } from '../../api/resources.ts';
import type { Texts } from '../../api/schema.ts';
import type { Call } from '../call.ts';
import { customDocument } from '../openapi.ts';
import type { Registry } from '../registry/store.ts';
import { createWebhookClient, type DialService, type WebhookClient } from '../webhook-client.ts';
import { conditionOf, DefinitionController } from './controller.ts';
import { convertByWebhook } from './conversion-webhook.ts';
import type { CustomRow, Extensions } from './custom-kind.ts';
import { asDefinition } from './definition.ts';
import { DEFINITIONS } from './gate.ts';
import { rowOf } from './kind.ts';
import { customSchema, customSchemaName } from './openapi.ts';
import type { Definition } from './schema.ts';

export { definitionDefaults, definitionErrors } from './definition.ts';

export interface ExtensionsContext {
  readonly self: Process;
  readonly registry: Registry;
  readonly dialService: DialService | undefined;
  /** A call of the server's own. */
  call(row: ResourceRow, namespace: string, name: string, verb: 'update' | 'delete'): Call;
  /** The row of definitions themselves. */
  readonly row: ResourceRow;
}

export function createExtensions(context: ExtensionsContext): Extensions {
  return new Served(context);
}

class Served implements Extensions {
  private readonly definitions = new Map<string, { readonly definition: Definition; readonly rows: readonly CustomRow[] }>();
  private byPath = new Map<string, CustomRow>();
  private ordered: readonly CustomRow[] = [];
  private readonly documents = new Map<string, Json>();
  private readonly controller: DefinitionController;
  private readonly webhooks: WebhookClient;

  constructor(private readonly context: ExtensionsContext) {
    const { self, registry, dialService } = context;
    const { cache } = registry.storage;
    this.webhooks = createWebhookClient({
      self,
      dial: dialService,
      service: (namespace, name) => cache.get(`/registry/services/specs/${namespace}/${name}`)?.object,
    });
    this.controller = new DefinitionController(self, {
      get: (name) => this.latest(name),
      all: () => [...cache.under(DEFINITIONS)].map(({ object }) => asDefinition(object)),
      timestamp: () => registry.timestamp(),
      update: async (name, change) => {
        const call = context.call(context.row, '', name, 'update');
        await registry.update(call, ({ object }) => change(asDefinition(object)) as unknown as KubeObject, { raw: true });
      },
      deleteInstances: (definition) => this.deleteInstances(definition),
    });
    this.reload();
    cache.listen((prefix, { type, object }) => {
      if (prefix === DEFINITIONS) this.take(type === 'DELETED' ? undefined : asDefinition(object), object.metadata.name ?? '');
    });
  }

  find(group: string, version: string, plural: string): ResourceRow | undefined {
    return this.byPath.get(`${group}/${version}/${plural}`);
  }

  rows(): readonly ResourceRow[] {
    return this.ordered;
  }

  openApi(root: string, texts: Texts): Json | undefined {
    const rows = this.ordered.filter((row) => `apis/${apiVersionOf(row)}` === root);
    if (rows.length === 0) return undefined;
    let document = this.documents.get(root);
    if (!document) {
      const schemas = Object.fromEntries(
        rows.map((row) => [customSchemaName(row), customSchema(row, this.definitions.get(`${row.plural}.${row.group}`)!.definition)]),
      );
      document = customDocument(rows, customSchemaName, schemas, texts);
      this.documents.set(root, document);
    }
    return document;
  }

  openApiRoots(): readonly { readonly root: string; readonly hash: string }[] {
    const roots = new Map<string, string>();
    for (const row of this.ordered) {
      const root = `apis/${apiVersionOf(row)}`;
      const { definition } = this.definitions.get(`${row.plural}.${row.group}`)!;
      roots.set(root, `${roots.get(root) ?? ''}${definition.metadata.name}/${definition.metadata.generation ?? 0}`);
    }
    return [...roots].map(([root, hash]) => ({ root, hash }));
  }

  /** Everything anew, as after the cache was read again. */
  private reload(): void {
    for (const { object } of this.context.registry.storage.cache.under(DEFINITIONS)) this.take(asDefinition(object), object.metadata.name ?? '');
  }

  private latest(name: string): Definition | undefined {
    const stored = this.context.registry.storage.cache.get(DEFINITIONS + name);
    return stored && asDefinition(stored.object);
  }

  private take(definition: Definition | undefined, name: string): void {
    const before = this.definitions.get(name);
    if (definition) {
      this.definitions.set(name, { definition, rows: this.rowsOf(definition, before) });
      this.controller.changed(definition);
    } else {
      this.definitions.delete(name);
      if (before?.rows[0]) this.endWatches(before.rows[0]);
      if (before) this.controller.changed(before.definition);
    }
    this.index();
  }

  private endWatches(row: ResourceRow): void {
    for (const watcher of [...this.context.registry.storage.cache.resource(`${row.prefix}/`).allWatchers()]) watcher.end();
  }

  /** Rows of an established definition; the same ones while nothing that shapes them has changed. */
  private rowsOf(definition: Definition, before: { readonly definition: Definition; readonly rows: readonly CustomRow[] } | undefined): readonly CustomRow[] {
    if (conditionOf(definition, 'Established')?.status !== 'True') return [];
    if (
      before &&
      before.rows.length > 0 &&
      before.definition.metadata.generation === definition.metadata.generation &&
      JSON.stringify(before.definition.status?.acceptedNames) === JSON.stringify(definition.status?.acceptedNames)
    )
      return before.rows;
    this.documents.clear();
    const { conversion, versions } = definition.spec;
    const name = definition.metadata.name ?? '';
    const config = conversion?.strategy === 'Webhook' ? conversion.webhook?.clientConfig : undefined;
    let all: readonly CustomRow[] = [];
    const context = {
      storage: () => all.find((row) => versions.find((each) => each.name === row.version)?.storage)!,
      terminating: () => conditionOf(this.latest(name) ?? definition, 'Terminating')?.status === 'True',
      convert: config
        ? (objects: readonly KubeObject[], apiVersion: string) =>
            convertByWebhook(this.webhooks, config, conversion?.webhook?.conversionReviewVersions ?? [], this.context.registry.uid(), objects, apiVersion)
        : undefined,
    };
    all = versions.map((version) => rowOf(definition, version, context));
    if (before?.rows[0]) this.endWatches(before.rows[0]);
    return all;
  }

  private index(): void {
    const served: CustomRow[] = [];
    for (const { definition, rows } of this.definitions.values())
      for (const row of rows) if (definition.spec.versions.find(({ name }) => name === row.version)?.served) served.push(row);
    served.sort((a, b) => compare(a.group, b.group) || compareVersions(a.version, b.version) || compare(a.plural, b.plural));
    this.ordered = served;
    this.byPath = new Map(served.map((row) => [`${row.group}/${row.version}/${row.plural}`, row]));
  }

  private async deleteInstances(definition: Definition): Promise<number> {
    const name = definition.metadata.name ?? '';
    const row = this.definitions.get(name)?.rows.find((each) => each.custom.storage() === each);
    if (!row) return 0;
    const { registry } = this.context;
    const { cache } = registry.storage;
    for (const { object } of [...cache.under(`${row.prefix}/`)]) {
      if (object.metadata.deletionTimestamp) continue;
      try {
        await registry.delete(
          this.context.call(row, object.metadata.namespace ?? '', object.metadata.name ?? '', 'delete'),
          object.metadata.name ?? '',
          {},
          false,
        );
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 404)) throw error;
      }
    }
    // The cache hears of the deletes a moment later: etcd says what is left.
    const { kvs } = await registry.storage.range(`${row.prefix}/`, `${row.prefix}/`, 0, 0);
    return kvs.length;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** v2 before v1 before v1beta1 before v1alpha1; names of other shapes after these, by the alphabet (apimachinery `version.CompareKubeAwareVersionStrings`). */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parts(a), parts(b)];
  if (!x || !y) return x ? -1 : y ? 1 : compare(a, b);
  return y.stage - x.stage || y.major - x.major || y.minor - x.minor;
}
const STAGES = ['alpha', 'beta', ''];
const parts = (version: string): { stage: number; major: number; minor: number } | undefined => {
  const m = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  return m ? { major: Number(m[1]), stage: STAGES.indexOf(m[2] ?? ''), minor: Number(m[3] ?? 0) } : undefined;
};
